// Makes vertices real, for one build: images, sources, files, processes.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Unpacker } from '../../containerd/index.ts';
import { chainId, mediaTypes } from '../../oci/index.ts';
import type { BuildBackend, BuildClient, RunOptions } from '../backend.ts';
import type { Files } from '../files/files.ts';
import type { CopyAction, MkdirAction, TreeLocation } from '../files/protocol.ts';
import type { ExecVertex, FileVertex, Vertex } from '../graph/vertex.ts';
import type { BuildCache } from '../solver/cache.ts';
import { emptyRef, type Ref, type RefLayer, snapshotOf } from '../solver/ref.ts';
import type { ResultOf, StepContext, Tree, Worker } from '../solver/solver.ts';
import { runStep } from './exec.ts';
import { fetchHttp } from './http.ts';

export interface BuildWorkerOptions {
  readonly backend: BuildBackend;
  readonly files: Files;
  readonly client: BuildClient;
  readonly lease: string;
  readonly cache: BuildCache;
  readonly runOptions: RunOptions;
  /** Seconds since 1970 that all times are cut to. */
  readonly sourceDateEpoch?: number;
  readonly rewriteTimestamp?: boolean;
}

export class BuildWorker implements Worker, Disposable {
  readonly #options: BuildWorkerOptions;
  readonly #unpacker: Unpacker;
  /** Sources of this build that are thrown away with it. */
  readonly #scratch: string;

  constructor(options: BuildWorkerOptions) {
    this.#options = options;
    this.#unpacker = options.backend.stores(options.lease).unpacker;
    mkdirSync(join(options.backend.root, 'tmp'), { recursive: true, mode: 0o700 });
    this.#scratch = mkdtempSync(join(options.backend.root, 'tmp', 'build-'));
  }

  [Symbol.dispose](): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async image(vertex: Vertex & { kind: 'image' }, context: StepContext): Promise<Ref> {
    const { backend, client, lease } = this.#options;
    const layers = await backend.bases.layers(vertex, vertex.platform!, {
      client,
      lease,
      signal: context.signal,
      onProgress: (id, current, total) =>
        context.progress.status({ vertex: context.vertex, id, current, total, started: new Date() }),
    });
    return { layers };
  }

  async directory(
    vertex: Vertex & { kind: 'local' | 'http' | 'git' | 'inline' },
    context: StepContext,
  ): Promise<string> {
    switch (vertex.kind) {
      case 'local':
        return this.#options.client.directory(vertex.context, context.signal);
      case 'inline': {
        const dir = mkdtempSync(join(this.#scratch, 'inline-'));
        for (const file of vertex.files) writeFileSync(join(dir, file.name), file.content, { mode: 0o755 });
        return dir;
      }
      case 'http':
        return fetchHttp(vertex, mkdtempSync(join(this.#scratch, 'http-')), context.signal);
      case 'git': {
        const { fetchGit } = await import('./git.ts');
        return fetchGit(vertex, mkdtempSync(join(this.#scratch, 'git-')), context.signal);
      }
    }
  }

  async contentDigest(
    tree: Tree,
    sources: readonly string[],
    exclude: readonly string[],
    context: StepContext,
  ): Promise<string> {
    if (tree.kind === 'ref') return `${snapshotOf(tree.ref)} ${sources.join(' ')}`;
    const known = this.#options.client.contentDigest?.(tree.path, sources, exclude);
    if (known !== undefined) return known;
    return this.#options.files.digest(
      { tree: await this.#location(tree, context.signal), sources, exclude },
      context.signal,
    );
  }

  async file(
    vertex: FileVertex,
    base: Ref,
    sources: ReadonlyMap<Vertex, Tree>,
    context: StepContext,
  ): Promise<ResultOf> {
    const actions: (CopyAction | MkdirAction)[] = [];
    for (const action of vertex.actions) {
      if (action.action === 'mkdir') actions.push(action);
      else {
        const { from, ...copy } = action;
        actions.push({ ...copy, from: await this.#location(sources.get(from)!, context.signal) });
      }
    }
    const { lease, files, sourceDateEpoch, rewriteTimestamp } = this.#options;
    const writer = await this.#unpacker.stage({ lease });
    let made: { entries: number; sizeBytes: number };
    try {
      made = await files.layer(
        {
          // A linked layer takes nothing of what is below for granted.
          base: vertex.link
            ? { layers: [], context: false }
            : await this.#location({ kind: 'ref', ref: base }, context.signal),
          actions,
          nowSec: sourceDateEpoch ?? Math.floor(Date.now() / 1000),
          ...(rewriteTimestamp && sourceDateEpoch !== undefined && { clampSec: sourceDateEpoch }),
        },
        bytes => writer.write(bytes),
        context.signal,
      );
    } catch (err) {
      await writer.drop();
      throw err;
    }
    const staged = await writer.finish();
    const layer: RefLayer = {
      descriptor: { mediaType: mediaTypes.ociLayer, digest: staged.digest, size: staged.size },
      diffId: staged.diffId,
      createdAt: new Date().toISOString(),
    };
    const parent = snapshotOf(base);
    await staged.commit({
      chainId: chainId([...base.layers, layer].map(({ diffId }) => diffId)),
      ...(parent !== '' && { parent }),
    });
    return { ref: { layers: [...base.layers, layer] }, sizeBytes: made.sizeBytes };
  }

  async exec(
    vertex: ExecVertex,
    rootfs: Ref,
    mounts: ReadonlyMap<Vertex, Tree>,
    context: StepContext,
  ): Promise<ResultOf> {
    const { backend, client, lease, runOptions, sourceDateEpoch, rewriteTimestamp } = this.#options;
    return runStep({
      ...(rewriteTimestamp && sourceDateEpoch !== undefined && { clampSec: sourceDateEpoch }),
      backend,
      client,
      lease,
      runOptions,
      scratch: this.#scratch,
      vertex,
      rootfs,
      locate: async input => this.#location(mounts.get(input) ?? { kind: 'ref', ref: emptyRef }, context.signal),
      context,
    });
  }

  /** Where a tree's files are. */
  async #location(tree: Tree, signal: AbortSignal): Promise<TreeLocation> {
    if (tree.kind === 'directory') {
      await this.#options.client.fill?.(tree.path, signal);
      return { layers: [tree.path], context: true };
    }
    const snapshot = snapshotOf(tree.ref);
    if (snapshot === '') {
      const empty = join(this.#scratch, 'empty');
      mkdirSync(empty, { recursive: true });
      return { layers: [empty], context: false };
    }
    return { layers: await layersOf(this.#options.backend, snapshot), context: false };
  }
}

/** Directories of a committed snapshot and all below it, topmost first. */
export async function layersOf(backend: BuildBackend, snapshot: string): Promise<string[]> {
  const key = `build-view-${crypto.randomUUID()}`;
  const [mount] = await backend.snapshotter.view(key, snapshot);
  await backend.snapshotter.remove(key);
  if (mount === undefined) return [];
  return mount.type === 'bind' ? [mount.source] : [...(mount.overlay?.lowerdirs ?? [])];
}
