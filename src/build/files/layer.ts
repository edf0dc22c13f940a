// COPY, ADD and WORKDIR as the tar of a layer: the sources are read, the destination is only looked at, and what comes out is
// the archive that the image will hold. So no step needs a mount, and each file is read once.

import { closeSync, constants, readSync } from 'node:fs';
import { posix } from 'node:path';
import { encodeHeader, encodeName, endOfArchive, type NewEntry, paddingOf } from '../../containerd/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import { isArchive, unpackArchive } from './archive.ts';
import { applyChmod } from './chmod.ts';
import { type Owner, ownerOf } from './owner.ts';
import type { CopyAction, LayerJob, MkdirAction } from './protocol.ts';
import { type Node, openNode, type Selected, Tree, xattrsOf } from './tree.ts';

/** Where the archive goes, in order. */
export interface LayerSink {
  write(bytes: Uint8Array): void;
}

export interface LayerMade {
  readonly entries: number;
  /** Bytes of the files in it. */
  readonly sizeBytes: number;
}

/** A job being done: `await` between pieces lets the sink drain. */
export async function makeLayer(job: LayerJob, sink: LayerSink, pause: () => Promise<void>): Promise<LayerMade> {
  using maker = new LayerMaker(job, sink, pause);
  return await maker.make();
}

const chunkBytes = 256 * 1024;
const noOwner: Owner = { uid: 0, gid: 0 };

class LayerMaker implements Disposable {
  readonly #job: LayerJob;
  readonly #sink: LayerSink;
  readonly #pause: () => Promise<void>;
  readonly #base: Tree | undefined;
  /** What this layer has made so far: path → is it a directory. */
  readonly #made = new Map<string, boolean>();
  /** Directories that the base does not have: nothing of the base is below them. */
  readonly #fresh = new Set<string>();
  #entries = 0;
  #sizeBytes = 0;

  constructor(job: LayerJob, sink: LayerSink, pause: () => Promise<void>) {
    this.#job = job;
    this.#sink = sink;
    this.#pause = pause;
    this.#base = job.base.layers.length === 0 ? undefined : new Tree(job.base);
  }

  [Symbol.dispose](): void {
    this.#base?.[Symbol.dispose]();
  }

  async make(): Promise<LayerMade> {
    for (const action of this.#job.actions) {
      if (action.action === 'mkdir') this.#mkdir(action);
      else await this.#copy(action);
    }
    this.#sink.write(endOfArchive);
    return { entries: this.#entries, sizeBytes: this.#sizeBytes };
  }

  #mkdir(action: MkdirAction): void {
    const owner = action.user === '' ? { uid: 0, gid: 0 } : ownerOf(action.user, this.#base);
    this.#directories(action.path, action.mode, owner);
  }

  async #copy(action: CopyAction): Promise<void> {
    using tree = new Tree(action.from);
    const owner = action.chown === undefined ? undefined : ownerOf(action.chown, this.#base);
    const selected = action.sources.flatMap(source => tree.select(source).map(found => ({ source, found })));
    for (const { source, found } of selected) {
      if (action.parents) await this.#withParents(action, tree, source, found, owner);
      else if (found.directory !== undefined) {
        const target = await this.#copiedDirectory(action, tree, found, owner);
        await this.#tree(action, tree, found, target, owner);
      } else {
        const intoDirectory = action.destination.endsWith('/') || this.#isDirectory(action.destination);
        const target = intoDirectory
          ? joined(this.#directories(action.destination, 0o755, owner ?? noOwner), found.baseName)
          : this.#fileTarget(action.destination, owner);
        if (
          action.unpack &&
          (await this.#unpacked(action, found, intoDirectory ? posix.dirname(`/${target}`) : `/${target}`))
        )
          continue;
        await this.#node(action, tree, found.node, target, owner);
      }
    }
  }

  /** A directory that is copied to where nothing is takes its own attributes along. */
  async #copiedDirectory(action: CopyAction, tree: Tree, found: Selected, owner: Owner | undefined): Promise<string> {
    const rootOfContext = tree.context && found.path === '/';
    if (rootOfContext || this.#isDirectory(action.destination))
      return this.#directories(action.destination, 0o755, owner ?? noOwner);
    const target = this.#fileTarget(action.destination.replace(/\/+$/, ''), owner);
    await this.#node(action, tree, found.node, target, owner);
    return target;
  }

  /** An archive is unpacked into the destination, which is a directory then. False where the file is none. */
  async #unpacked(action: CopyAction, found: Selected, destination: string): Promise<boolean> {
    if ((found.node.stat.mode & constants.S_IFMT) !== constants.S_IFREG) return false;
    const fd = openNode(found.node);
    try {
      if (!isArchive(fd)) return false;
      const target = this.#directories(destination, 0o755, { uid: 0, gid: 0 });
      const owner = action.chown === undefined ? undefined : ownerOf(action.chown, this.#base);
      await unpackArchive(fd, {
        entry: entry => {
          const path = joined(target, entry.path.replace(/\/$/, ''));
          this.#header({
            ...entry,
            path,
            ...(entry.type === 'hardlink' && { linkName: joined(target, entry.linkName) }),
            ...owner,
          });
        },
        data: bytes => this.#sink.write(Buffer.from(bytes)),
        end: size => this.#sink.write(Buffer.alloc(paddingOf(size))),
        pause: this.#pause,
      });
      return true;
    } finally {
      closeSync(fd);
    }
  }

  /** --parents: the source's own directories are made below the destination, from the pivot on. */
  async #withParents(
    action: CopyAction,
    tree: Tree,
    source: string,
    found: Selected,
    owner: Owner | undefined,
  ): Promise<void> {
    const pivot = source.indexOf('/./');
    const dropped = pivot === -1 ? '' : posix.resolve('/', source.slice(0, pivot)).replace(/^\/$/, '');
    const below = found.path.startsWith(`${dropped}/`) ? found.path.slice(dropped.length + 1) : found.path.slice(1);
    let target = this.#directories(action.destination, 0o755, owner ?? noOwner);
    const parts = below.split('/').filter(part => part !== '');
    const names = found.directory === undefined ? parts.slice(0, -1) : parts;
    let path = dropped;
    for (const name of names) {
      path = `${path}/${name}`;
      target = joined(target, name);
      const parent = tree.view.lookup(path);
      if (parent?.kind !== 'directory' || this.#made.has(target)) continue;
      await this.#node(
        action,
        tree,
        { path: '', dirFd: parent.directory.fds[0]!, name: '.', stat: parent.stat },
        target,
        owner,
      );
    }
    if (found.directory === undefined)
      await this.#node(action, tree, found.node, joined(target, found.baseName), owner);
    else await this.#tree(action, tree, found, target, owner);
  }

  async #tree(
    action: CopyAction,
    tree: Tree,
    found: Selected,
    target: string,
    owner: Owner | undefined,
  ): Promise<void> {
    for (const node of tree.walk(found.directory!, action.exclude)) {
      await this.#node(action, tree, node, joined(target, node.path), owner);
    }
  }

  /** One file, link, device or directory of a source becomes the entry `target`. */
  async #node(action: CopyAction, tree: Tree, node: Node, target: string, owner: Owner | undefined): Promise<void> {
    const { stat } = node;
    const type = stat.mode & constants.S_IFMT;
    const isDirectory = type === constants.S_IFDIR;
    const there = this.#kindAt(target);
    if (there === 'directory' && !isDirectory) {
      throw new InvalidArgument(`cannot copy to a directory with the file's name: /${target}`);
    }
    if (there === 'other' && isDirectory) throw new InvalidArgument(`cannot copy to non-directory: /${target}`);
    if (there === undefined && isDirectory) this.#fresh.add(target);
    let mode = action.mode ?? stat.mode & 0o7777;
    if (action.chmod !== undefined && type !== constants.S_IFLNK) mode = applyChmod(action.chmod, mode, isDirectory);
    const xattrs = xattrsOf(node);
    const common = {
      path: target,
      mode,
      uid: owner?.uid ?? (tree.context ? 0 : stat.uid),
      gid: owner?.gid ?? (tree.context ? 0 : stat.gid),
      mtimeSec: stat.mtimeSec,
      mtimeNsec: stat.mtimeNsec,
      ...(xattrs !== undefined && { xattrs }),
    };
    switch (type) {
      case constants.S_IFREG:
        await this.#file(node, { ...common, type: 'file', size: stat.size });
        break;
      case constants.S_IFDIR:
        this.#header({ ...common, type: 'directory' });
        break;
      case constants.S_IFLNK:
        this.#header({
          ...common,
          type: 'symlink',
          mode: 0o777,
          linkName: native().readlinkat(node.dirFd, encodeName(node.name)).toString(),
        });
        break;
      case constants.S_IFCHR:
      case constants.S_IFBLK:
        this.#header({
          ...common,
          type: type === constants.S_IFCHR ? 'char' : 'block',
          devMajor: stat.rdevMajor,
          devMinor: stat.rdevMinor,
        });
        break;
      case constants.S_IFIFO:
        this.#header({ ...common, type: 'fifo' });
        break;
      // A socket means nothing without its process.
    }
  }

  /** The size stands in the header, so exactly that many bytes follow, whatever happens to the file meanwhile. */
  async #file(node: Node, entry: NewEntry & { size: number }): Promise<void> {
    const fd = openNode(node);
    try {
      this.#header(entry);
      this.#sizeBytes += entry.size;
      let left = entry.size;
      while (left > 0) {
        const chunk = Buffer.allocUnsafeSlow(Math.min(left, chunkBytes));
        const read = readSync(fd, chunk, 0, chunk.length, null);
        if (read === 0) throw new InvalidArgument(`/${entry.path}: the source became shorter while it was copied`);
        this.#sink.write(read === chunk.length ? chunk : chunk.subarray(0, read));
        left -= read;
        await this.#pause();
      }
      this.#sink.write(Buffer.alloc(paddingOf(entry.size)));
    } finally {
      closeSync(fd);
    }
  }

  #header(entry: NewEntry): void {
    const clamp = this.#job.clampSec;
    const late = clamp !== undefined && (entry.mtimeSec ?? 0) > clamp;
    this.#sink.write(encodeHeader(late ? { ...entry, mtimeSec: clamp, mtimeNsec: 0 } : entry));
    this.#entries++;
    this.#made.set(entry.path, entry.type === 'directory');
  }

  /** Path of a file that is to be at `destination`, its parents made; links on the way are followed within the base. */
  #fileTarget(destination: string, owner: Owner | undefined): string {
    const parent = this.#directories(posix.dirname(destination), 0o755, owner ?? noOwner);
    return joined(parent, posix.basename(destination));
  }

  /** Makes what is missing of a directory; gives its path in the base with links resolved, without a leading slash. */
  #directories(path: string, mode: number, owner: Owner): string {
    let at = '';
    for (const name of path.split('/').filter(part => part !== '' && part !== '.')) {
      const next = joined(at, name);
      if (this.#made.get(next) === true) {
        at = next;
        continue;
      }
      const found = this.#made.has(next) ? undefined : this.#base?.view.lookup(`/${next}`);
      if (found?.kind === 'directory') at = found.path;
      else if (found !== undefined || this.#made.has(next))
        throw new InvalidArgument(`cannot make directory /${next}: not a directory`);
      else {
        this.#header({ type: 'directory', path: next, mode, ...owner, mtimeSec: this.#job.nowSec });
        this.#fresh.add(next);
        at = next;
      }
    }
    return at;
  }

  #isDirectory(path: string): boolean {
    const clean = path.replace(/^\/+|\/+$/g, '');
    return clean === '' || this.#made.get(clean) === true || this.#base?.view.lookup(path)?.kind === 'directory';
  }

  /** A link at the end is replaced, not followed. */
  #kindAt(path: string): 'directory' | 'other' | undefined {
    const made = this.#made.get(path);
    if (made !== undefined) return made ? 'directory' : 'other';
    if (this.#fresh.has(posix.dirname(path))) return undefined;
    const found = this.#base?.view.lookup(`/${path}`, { followLast: false });
    if (found === undefined) return undefined;
    return found.kind === 'directory' ? 'directory' : 'other';
  }
}

const joined = (directory: string, name: string): string =>
  directory === '' ? name : name === '' ? directory : `${directory}/${name}`;
