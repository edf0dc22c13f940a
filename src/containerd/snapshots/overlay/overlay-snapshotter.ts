// Snapshots as overlayfs layers: `<root>/<shelf>/<id>/fs` holds the files of one snapshot, `<root>/<shelf>/<id>/work` what
// overlayfs needs beside the topmost one. Names are short, since a mount lists all of them.

import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AlreadyExists, FailedPrecondition, InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import type { Labels } from '../../content/content-store.ts';
import { crashPoint } from '../../crash-point.ts';
import type { WorkerPool } from '../../differ/worker/pool.ts';
import type { Database } from '../../metadata/database.ts';
import type { Trash } from '../../trash.ts';
import type { PrepareOptions, SnapshotInfo, SnapshotKind, SnapshotMount, Snapshotter, Usage } from '../snapshotter.ts';
import { Shelves } from './shelves.ts';
import { type SnapshotRow, SnapshotRows, toInfo } from './snapshot-rows.ts';

/** Key of a layer being unpacked: it does not outlive the process. */
const stagePrefix = 'stage/';

export interface Stage {
  readonly key: string;
  /** Where the layer's files go. */
  readonly directory: string;
}

export class OverlaySnapshotter implements Snapshotter {
  readonly #shelves: Shelves;
  readonly #rows: SnapshotRows;
  readonly #workers: WorkerPool;
  readonly #trash: Trash;

  constructor(root: string, database: Database, workers: WorkerPool, trash: Trash) {
    this.#rows = new SnapshotRows(database);
    this.#workers = workers;
    this.#shelves = new Shelves(root);
    this.#trash = trash;
    this.#recover();
  }

  /** After a crash: half-unpacked layers go, folders without a row too; a row whose folder was not made yet was never acknowledged. */
  #recover(): void {
    const folders = new Set(this.#shelves.list());
    for (const row of this.#rows.list()) {
      const folder = this.#folder(row.id);
      const whole = folders.has(folder) && existsSync(this.#fs(row.id));
      if (whole && !row.key.startsWith(stagePrefix)) folders.delete(folder);
      else if (this.#rows.childOf(row.key) === undefined) this.#rows.delete(row.key);
    }
    for (const folder of folders) this.#trash.take(folder);
    this.#trash.empty();
  }

  async prepare(key: string, parent: string, options: PrepareOptions = {}): Promise<SnapshotMount[]> {
    return this.#mounts(this.#create(key, 'active', parent, options));
  }

  async view(key: string, parent: string, options: PrepareOptions = {}): Promise<SnapshotMount[]> {
    return this.#mounts(this.#create(key, 'view', parent, options));
  }

  async mounts(key: string): Promise<SnapshotMount[]> {
    const row = this.#require(key);
    if (row.kind === 'committed') throw new FailedPrecondition(`snapshot "${key}" is committed and has no mounts`);
    return this.#mounts(row);
  }

  async commit(name: string, key: string, options: PrepareOptions = {}): Promise<void> {
    const row = this.#require(key);
    if (row.kind !== 'active') throw new FailedPrecondition(`snapshot "${key}" is not active`);
    this.#refuseTaken(name);
    const usage = await this.#workers.run({ kind: 'usage', path: this.#fs(row.id) });
    this.#refuseTaken(name);
    const labels = options.labels ?? (JSON.parse(row.labels) as Labels);
    this.#rows.commit(name, key, row.parent, labels, usage, options.lease);
    this.#dropWork(row.id);
  }

  async remove(key: string): Promise<void> {
    this.removeNow(key);
  }

  async stat(key: string): Promise<SnapshotInfo | undefined> {
    const row = this.#rows.get(key);
    return row && toInfo(row);
  }

  async label(key: string, labels: Labels): Promise<void> {
    const row = this.#require(key);
    const merged = Object.entries({ ...(JSON.parse(row.labels) as Labels), ...labels });
    this.#rows.label(key, Object.fromEntries(merged.filter(([, value]) => value !== '')));
  }

  async list(): Promise<SnapshotInfo[]> {
    return this.#rows
      .list()
      .filter(row => !row.key.startsWith(stagePrefix))
      .map(toInfo);
  }

  async usage(key: string): Promise<Usage> {
    const row = this.#require(key);
    if (row.sizeBytes !== null && row.inodes !== null) return { sizeBytes: row.sizeBytes, inodes: row.inodes };
    return this.#workers.run({ kind: 'usage', path: this.#fs(row.id) });
  }

  // What follows is for the unpacker, the differ and the garbage collector, which share the snapshotter's insides.

  /** Rows at once, without a promise: a sweep is one transaction. */
  get rows(): SnapshotRows {
    return this.#rows;
  }

  removeNow(key: string): void {
    const row = this.#require(key);
    const child = this.#rows.childOf(key);
    if (child !== undefined) {
      throw new FailedPrecondition(`cannot remove snapshot "${key}": "${child}" is above it`);
    }
    this.#rows.delete(key);
    crashPoint('snapshots.remove.row');
    this.discard(row.id);
  }

  /** Takes away the files of a snapshot whose row is gone. */
  discard(id: number): void {
    this.#trash.take(this.#folder(id));
    this.#trash.empty();
  }

  /** Directories of a committed snapshot and those below it, topmost first. */
  layers(name: string): string[] {
    const directories: string[] = [];
    for (let key = name; key !== ''; ) {
      const row = this.#require(key);
      directories.push(this.#fs(row.id));
      key = row.parent;
    }
    return directories;
  }

  /** The directory of a snapshot's own files. */
  directory(key: string): string {
    return this.#fs(this.#require(key).id);
  }

  /** A folder for a layer that is unpacked before the layers below it are there. */
  stage(): Stage {
    const key = `${stagePrefix}${process.pid}.${performance.now()}`;
    const id = this.#rows.insert(key, 'active', '', {});
    mkdirSync(this.#folder(id), { mode: 0o700 });
    mkdirSync(this.#fs(id), { mode: 0o755 });
    return { key, directory: this.#fs(id) };
  }

  commitStage(
    { key }: Stage,
    commit: { name: string; parent: string; usage: Usage; labels?: Labels; lease?: string },
  ): void {
    crashPoint('snapshots.commit.unpacked');
    this.#rows.commit(commit.name, key, commit.parent, commit.labels ?? {}, commit.usage, commit.lease);
    crashPoint('snapshots.commit.recorded');
  }

  dropStage({ key }: Stage): void {
    if (this.#rows.get(key) !== undefined) this.removeNow(key);
  }

  #create(key: string, kind: SnapshotKind, parent: string, options: PrepareOptions): SnapshotRow {
    if (key === '') throw new InvalidArgument('snapshot key is empty');
    const below = parent === '' ? undefined : this.#require(parent);
    if (below !== undefined && below.kind !== 'committed') {
      throw new FailedPrecondition(`parent snapshot "${parent}" is not committed`);
    }
    this.#refuseTaken(key);
    const id = this.#rows.insert(key, kind, parent, options.labels ?? {});
    crashPoint('snapshots.prepare.row');
    try {
      mkdirSync(this.#folder(id), { mode: 0o700 });
      mkdirSync(this.#fs(id), { mode: 0o755 });
      if (below !== undefined) this.#copyRootAttributes(below.id, id);
      if (kind === 'active') mkdirSync(join(this.#folder(id), 'work'), { mode: 0o711 });
    } catch (err) {
      this.#rows.delete(key);
      this.#trash.take(this.#folder(id));
      throw err;
    }
    if (options.lease !== undefined) this.#rows.hold(key, options.lease);
    return this.#rows.get(key)!;
  }

  /** overlayfs shows the topmost layer's attributes of a directory, of the root too. */
  #copyRootAttributes(from: number, to: number): void {
    const { mode, uid, gid } = lstatSync(this.#fs(from));
    if (uid !== 0 || gid !== 0) chownSync(this.#fs(to), uid, gid);
    if ((mode & 0o7777) !== 0o755) chmodSync(this.#fs(to), mode & 0o7777);
  }

  #mounts(row: SnapshotRow): SnapshotMount[] {
    const own = this.#fs(row.id);
    const lowerdirs = row.parent === '' ? [] : this.layers(row.parent);
    if (row.kind === 'active' && lowerdirs.length === 0) {
      return [{ type: 'bind', source: own, options: ['rbind', 'rw'] }];
    }
    if (row.kind === 'view' && lowerdirs.length <= 1) {
      return [{ type: 'bind', source: lowerdirs[0] ?? own, options: ['rbind', 'ro'] }];
    }
    // A view has its own, empty directory too; it is not part of the mount.
    const workdir = join(this.#folder(row.id), 'work');
    const writable = row.kind === 'active' ? { upperdir: own, workdir } : {};
    const escaped = (path: string) => path.replace(/[\\:,]/g, '\\$&');
    const options = [
      'index=off',
      ...(writable.upperdir !== undefined ? [`workdir=${escaped(workdir)}`, `upperdir=${escaped(own)}`] : ['ro']),
      `lowerdir=${lowerdirs.map(escaped).join(':')}`,
    ];
    return [{ type: 'overlay', source: 'overlay', options, overlay: { lowerdirs, ...writable } }];
  }

  #dropWork(id: number): void {
    const work = join(this.#folder(id), 'work');
    if (existsSync(work)) this.#trash.take(work);
    this.#trash.empty();
  }

  #require(key: string): SnapshotRow {
    const row = this.#rows.get(key);
    if (row === undefined) throw new NotFound(`snapshot "${key}" not found`);
    return row;
  }

  #refuseTaken(key: string): void {
    if (this.#rows.get(key) !== undefined) throw new AlreadyExists(`snapshot "${key}" already exists`);
  }

  #folder(id: number): string {
    return this.#shelves.folder(id);
  }

  #fs(id: number): string {
    return join(this.#folder(id), 'fs');
  }
}
