// Solves a graph: each vertex once, inputs first, independent ones at the same time, and none whose result the cache has.
//
// The key of a step is made of its definition and of the file systems that its inputs came to, not of how they were made: a step
// whose inputs come out the same is not run again, whatever changed before it.

import { isNotFound, NotFound } from '../../errdefs/index.ts';
import { digestOf } from '../../oci/index.ts';
import { markRange } from '../dockerfile/source.ts';
import { definition, type ExecVertex, type FileVertex, inputsOf, type Vertex, vertexDigest } from '../graph/vertex.ts';
import type { BuildCache } from './cache.ts';
import type { ProgressSink } from './progress.ts';
import { emptyRef, type Ref, snapshotOf } from './ref.ts';

/** A directory tree that steps read from: a ref's file system, or a directory of the host (a context). */
export type Tree = { readonly kind: 'ref'; readonly ref: Ref } | { readonly kind: 'directory'; readonly path: string };

export interface ResultOf {
  readonly ref: Ref;
  /** Bytes of the new layer. */
  readonly sizeBytes: number;
}

/** Who does the work. Each method makes one vertex from its inputs' results; all stop on `signal`. */
export interface Worker {
  /** Makes an image's layers present, unpacked. */
  image(vertex: Vertex & { kind: 'image' }, context: StepContext): Promise<Ref>;
  /** Fetches or unpacks a source into a directory. */
  directory(vertex: Vertex & { kind: 'local' | 'http' | 'git' | 'inline' }, context: StepContext): Promise<string>;
  /** Digest of what a step would take from a tree: paths, modes, owners, contents; no times. */
  contentDigest(
    tree: Tree,
    sources: readonly string[],
    exclude: readonly string[],
    context: StepContext,
  ): Promise<string>;
  file(vertex: FileVertex, base: Ref, sources: ReadonlyMap<Vertex, Tree>, context: StepContext): Promise<ResultOf>;
  exec(vertex: ExecVertex, rootfs: Ref, mounts: ReadonlyMap<Vertex, Tree>, context: StepContext): Promise<ResultOf>;
}

export interface StepContext {
  readonly signal: AbortSignal;
  readonly vertex: string;
  readonly progress: ProgressSink;
}

export interface SolveOptions {
  readonly signal: AbortSignal;
  readonly progress: ProgressSink;
  /** Look nothing up (results are still kept). */
  readonly noCache: boolean;
  readonly explainCache?: boolean;
  /** Results that this build was given by others, by key. */
  readonly imported?: ReadonlyMap<string, Ref>;
}

/** Steps that run at once. More would only fight for the machine. */
const parallelSteps = 4;

export class Solver {
  readonly #worker: Worker;
  readonly #cache: BuildCache;
  /** Keys at work, of all builds: two that want the same step share it. */
  readonly #running = new Map<string, Promise<Ref>>();

  constructor(worker: Worker, cache: BuildCache) {
    this.#worker = worker;
    this.#cache = cache;
  }

  /** The file system of `vertex`. */
  async solve(vertex: Vertex, options: SolveOptions): Promise<Ref> {
    await using build = new Build(this.#worker, this.#cache, this.#running, options);
    return await build.ref(vertex);
  }
}

class Build implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #cache: BuildCache;
  readonly #running: Map<string, Promise<Ref>>;
  readonly #options: SolveOptions;
  readonly #trees = new Map<string, Promise<Tree>>();
  readonly #held = new DisposableStack();
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #slots = new Slots(parallelSteps);

  constructor(worker: Worker, cache: BuildCache, running: Map<string, Promise<Ref>>, options: SolveOptions) {
    this.#worker = worker;
    this.#cache = cache;
    this.#running = running;
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
  }

  async ref(vertex: Vertex): Promise<Ref> {
    try {
      const tree = await this.#tree(vertex);
      if (tree.kind === 'directory') throw new Error(`a stage cannot consist of the directory of ${vertex.name} alone`);
      return tree.ref;
    } catch (err) {
      this.#abort.abort(err);
      await Promise.allSettled(this.#trees.values());
      throw err;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#trees.values());
    this.#held.dispose();
  }

  #tree(vertex: Vertex): Promise<Tree> {
    const digest = vertexDigest(vertex);
    let tree = this.#trees.get(digest);
    if (tree === undefined) {
      tree = this.#make(vertex, digest);
      tree.catch(() => {}); // told by whoever waits for it
      this.#trees.set(digest, tree);
    }
    return tree;
  }

  async #make(vertex: Vertex, digest: string): Promise<Tree> {
    const inputs = inputsOf(vertex);
    const made = await Promise.all(inputs.map(input => this.#tree(input)));
    const trees = new Map(inputs.map((input, i) => [input, made[i]!]));
    const shown = { digest, name: vertex.name, inputs: inputs.map(vertexDigest) };
    const started = new Date();
    const { progress } = this.#options;
    const context: StepContext = { signal: this.#signal, vertex: digest, progress };
    this.#signal.throwIfAborted();
    progress.vertex({ ...shown, started });
    try {
      if (vertex.kind !== 'exec' && vertex.kind !== 'file') {
        const tree: Tree =
          vertex.kind === 'image'
            ? { kind: 'ref', ref: await this.#worker.image(vertex, context) }
            : { kind: 'directory', path: await this.#worker.directory(vertex, context) };
        progress.vertex({ ...shown, started, completed: new Date() });
        return tree;
      }
      const { ref, cached, missed } = await this.#step(vertex, trees, context);
      progress.vertex({ ...shown, started, completed: new Date(), cached, ...(missed !== undefined && { missed }) });
      return { kind: 'ref', ref };
    } catch (err) {
      markRange(err, vertex.range);
      progress.vertex({
        ...shown,
        started,
        completed: new Date(),
        error: err instanceof Error ? err.message : String(err),
      });
      throw err;
    }
  }

  async #step(
    vertex: ExecVertex | FileVertex,
    trees: ReadonlyMap<Vertex, Tree>,
    context: StepContext,
  ): Promise<{ ref: Ref; cached: boolean; missed?: string }> {
    const base = vertex.kind === 'exec' ? vertex.rootfs : vertex.base;
    const below = base === undefined ? emptyRef : refOf(trees.get(base)!);
    const parts = await this.#keyParts(vertex, below, trees, context);
    const key = digestOf(JSON.stringify(parts));
    this.#held.use(this.#cache.hold(key));
    if (!this.#options.noCache) {
      const found = await this.#cache.find(key);
      const result = found ?? this.#options.imported?.get(key);
      if (result !== undefined) return { ref: result, cached: true };
    }
    const missed = this.#options.explainCache ? this.#cache.explainMiss(vertex.name, parts) : undefined;
    const other = this.#running.get(key);
    if (other !== undefined) {
      // Another build makes it right now; where that one is cancelled, we make it ourselves.
      const ref = await other.catch(() => undefined);
      this.#signal.throwIfAborted();
      if (ref !== undefined) return { ref, cached: true };
    }
    const work = this.#slots.run(async () => {
      this.#signal.throwIfAborted();
      const result =
        vertex.kind === 'exec'
          ? await this.#worker.exec(vertex, below, trees, context)
          : await this.#worker.file(vertex, below, trees, context).catch(err => {
              throw cacheKeyFailure(err, vertex);
            });
      this.#cache.add({
        key,
        layers: result.ref.layers,
        description: vertex.name,
        type: 'regular',
        sizeBytes: result.sizeBytes,
        parts,
        ...(base !== undefined && { parent: snapshotOf(below) }),
      });
      return result.ref;
    });
    this.#running.set(key, work);
    try {
      return { ref: await work, cached: false, ...(missed !== undefined && { missed }) };
    } finally {
      if (this.#running.get(key) === work) this.#running.delete(key);
    }
  }

  /** What the step's result depends on, each part by a name that a person understands. */
  async #keyParts(
    vertex: ExecVertex | FileVertex,
    below: Ref,
    trees: ReadonlyMap<Vertex, Tree>,
    context: StepContext,
  ): Promise<Record<string, string>> {
    const parts: Record<string, string> = {
      'the instruction': digestOf(JSON.stringify(definition(vertex))),
      'the file system below': snapshotOf(below),
    };
    const taken =
      vertex.kind === 'exec'
        ? vertex.mounts.flatMap(({ input, source, type, target }) =>
            // What a cache begins with does not matter once it has begun.
            input === undefined || type === 'cache'
              ? []
              : [{ input, sources: [source ?? '/'], exclude: [], what: `the mount at ${target}` }],
          )
        : vertex.actions.flatMap(action =>
            action.action === 'copy'
              ? [
                  {
                    input: action.from,
                    sources: action.sources,
                    exclude: action.exclude,
                    what: `the contents of ${action.sources.join(' ')}`,
                  },
                ]
              : [],
          );
    for (const [i, { input, sources, exclude, what }] of taken.entries()) {
      const tree = trees.get(input)!;
      parts[`${what}${taken.length > 1 ? ` (${i + 1})` : ''}`] = await this.#worker
        .contentDigest(tree, sources, exclude, context)
        .catch(err => {
          throw cacheKeyFailure(err, input);
        });
    }
    return parts;
  }
}

function refOf(tree: Tree): Ref {
  if (tree.kind === 'directory') throw new Error('a directory cannot be the base of a step');
  return tree.ref;
}

/** A source that is not there, in BuildKit's words, which clients look for. */
function cacheKeyFailure(err: unknown, input: Vertex): unknown {
  if (!isNotFound(err)) return err;
  const ref = `${vertexDigest(input).slice(7, 32)}::${crypto.randomUUID().replaceAll('-', '').slice(0, 25)}`;
  return new NotFound(
    `failed to compute cache key: failed to calculate checksum of ref ${ref}: ${(err as Error).message}`,
  );
}

/** Runs at most so many at once, in order. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
