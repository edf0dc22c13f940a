// One build from a Dockerfile to results: convert, solve, and write the images.

import { statfsSync } from 'node:fs';
import { endOfArchive } from '../containerd/index.ts';
import { type Descriptor, type Digest, digestOf, type ImageConfig, type Platform } from '../oci/index.ts';
import { IgnoreRules } from '../patternmatcher/index.ts';
import type { BuildBackend, BuildClient, RunOptions } from './backend.ts';
import { type Dockerfile, parseDockerfile } from './dockerfile/parse.ts';
import { DockerfileError, type Range, rangeOf } from './dockerfile/source.ts';
import { ResultFiles } from './exporter/files.ts';
import { writeImage, writeIndex } from './exporter/image.ts';
import { Chunks } from './files/chunks.ts';
import { Files } from './files/files.ts';
import type { CopyAction } from './files/protocol.ts';
import type { ConvertOptions, NamedContext, Warning } from './graph/context.ts';
import { convert, type Step } from './graph/convert.ts';
import { vertexDigest } from './graph/vertex.ts';
import { lintFile, lintStage } from './lint/lint.ts';
import { CheckOptions } from './lint/rules.ts';
import { BuildCache, type CachePolicy, type CacheRecord } from './solver/cache.ts';
import { importInlineCache, inlineCacheOf } from './solver/inline-cache.ts';
import type { ProgressSink, StepProgress } from './solver/progress.ts';
import { emptyRef, type Ref, snapshotOf } from './solver/ref.ts';
import { Solver } from './solver/solver.ts';
import { cacheMountsOf } from './worker/cache-mounts.ts';
import { sweepRuns } from './worker/run-id.ts';
import { BuildWorker, layersOf } from './worker/worker.ts';

export interface BuildOptions {
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** Text of the ignore file that applies. */
  readonly ignoreFile?: string;
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  /** At least one. */
  readonly platforms: readonly Platform[];
  readonly buildPlatform: Platform;
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  readonly network: 'default' | 'none' | 'host';
  readonly insecureAllowed: boolean;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly explainCache: boolean;
  /** Images whose inline cache is taken in first. */
  readonly cacheFrom: readonly string[];
  readonly run: RunOptions;
}

export interface PlatformResult {
  readonly platform: Platform;
  readonly ref: Ref;
  readonly config: Omit<ImageConfig, 'rootfs'>;
}

/** What a build came to. Kept by its lease until `release`: what is wanted of it is named or exported before. */
export interface BuildResult extends Disposable {
  readonly platforms: readonly PlatformResult[];
  readonly warnings: readonly Warning[];
  /** SOURCE_DATE_EPOCH, where it was given. */
  readonly epoch?: Date;
  readonly lease: string;
}

/** The cache may have a tenth of the disk, and this much on any. */
const minKeptBytes = 2 * 2 ** 30;

/** What the checks found; `error` is what makes the file unusable. */
export interface Checked {
  readonly warnings: readonly Warning[];
  readonly error?: Error;
}

/** The builder of one engine: any number of builds at once, over one cache. */
export class Builder implements AsyncDisposable {
  readonly #backend: BuildBackend;
  readonly cache: BuildCache;
  readonly #files = new Files();
  /** Until what a killed engine left is gone. */
  readonly #ready: Promise<void>;

  constructor(backend: BuildBackend) {
    this.#backend = backend;
    this.#ready = sweepRuns(backend.snapshotter);
    this.#ready.catch(() => {}); // told to the first build
    this.cache = new BuildCache(
      backend.metadata.collection<CacheRecord>('build-cache'),
      backend.leases,
      async chain => (await backend.snapshotter.stat(chain)) !== undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]();
  }

  /** Builds. Throws DockerfileError, what images and steps throw, and the signal's reason. */
  async build(
    options: BuildOptions,
    client: BuildClient,
    progress: ProgressSink,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    await this.#ready;
    const dockerfile = parseDockerfile(options.dockerfile.text);
    const epochText = options.buildArgs.get('SOURCE_DATE_EPOCH');
    const epoch = epochText !== undefined && /^\d+$/.test(epochText) ? Number(epochText) : undefined;
    using cleanup = new DisposableStack();
    const lease = cleanup.use(this.#backend.leases.create());
    using worker = new BuildWorker({
      backend: this.#backend,
      files: this.#files,
      client,
      lease: lease.id,
      cache: this.cache,
      runOptions: options.run,
      ...(epoch !== undefined && { sourceDateEpoch: epoch }),
    });
    const solver = new Solver(worker, this.cache);
    const imported = new Map<string, Ref>();
    for (const reference of options.cacheFrom) {
      await this.#importCache(reference, options.platforms[0]!, lease.id, imported, client, progress, signal);
    }
    let warnings: readonly Warning[] = [];
    const platforms: PlatformResult[] = [];
    for (const platform of options.platforms) {
      const converting = this.#convertOptions(options, platform, client, progress, signal);
      const converted = await convert(dockerfile, converting);
      if (platforms.length === 0) {
        const reached = new Set(converted.steps.map(step => step.stage));
        warnings = checked(dockerfile, options, converting.warnings, stage => reached.has(stage));
        for (const warning of warnings) progress.warning({ vertex: '', ...warning });
        progress.steps?.(converted.steps.map(stepProgress));
      }
      const ref =
        converted.result === undefined
          ? emptyRef
          : await solver.solve(converted.result, {
              signal,
              progress,
              noCache: options.noCache,
              explainCache: options.explainCache,
              imported,
            });
      platforms.push({ platform, ref, config: converted.config });
    }
    this.#keepBounds();
    const kept = cleanup.move();
    return {
      platforms,
      warnings,
      ...(epoch !== undefined && { epoch: new Date(epoch * 1000) }),
      lease: lease.id,
      [Symbol.dispose]: () => kept.dispose(),
    };
  }

  /** The build checks alone (`--check`): all stages are looked at, nothing is run. */
  async check(
    options: BuildOptions,
    client: BuildClient,
    progress: ProgressSink,
    signal: AbortSignal,
  ): Promise<Checked> {
    let dockerfile: Dockerfile;
    try {
      dockerfile = parseDockerfile(options.dockerfile.text);
    } catch (error) {
      return { warnings: [], error: error as Error };
    }
    const converting = this.#convertOptions(options, options.platforms[0]!, client, progress, signal);
    let error: Error | undefined;
    try {
      await convert(dockerfile, { ...converting, everyStage: true });
    } catch (err) {
      if (rangeOf(err) === undefined) throw err;
      error = err as Error;
    }
    const warnings = checked(dockerfile, options, converting.warnings, () => error === undefined, false);
    return { warnings, ...(error !== undefined && { error }) };
  }

  /** Takes in what an image's builder knew about its layers. An image that cannot be had is told and passed over. */
  async #importCache(
    reference: string,
    platform: Platform,
    lease: string,
    imported: Map<string, Ref>,
    client: BuildClient,
    progress: ProgressSink,
    signal: AbortSignal,
  ): Promise<void> {
    const { bases } = this.#backend;
    try {
      await shown(progress, `importing cache manifest from ${reference}`, async () => {
        const range = { start: 1, end: 1 };
        const image = await bases.resolve(reference, platform, { pull: false, range, client, signal });
        const onProgress = (): void => {};
        const layers = await bases.layers(image, platform, { client, lease, signal, onProgress });
        for (const [key, ref] of importInlineCache(image.config, layers)) imported.set(key, ref);
      });
    } catch {
      signal.throwIfAborted(); // the vertex says why
    }
  }

  #convertOptions(
    options: BuildOptions,
    platform: Platform,
    client: BuildClient,
    progress: ProgressSink,
    signal: AbortSignal,
  ): ConvertOptions {
    return {
      buildArgs: options.buildArgs,
      labels: options.labels,
      buildPlatform: options.buildPlatform,
      targetPlatform: platform,
      namedContexts: options.namedContexts,
      network: options.network,
      insecureAllowed: options.insecureAllowed,
      warnings: [],
      ...(options.target !== undefined && { target: options.target }),
      ...(options.ignoreFile !== undefined && { ignore: IgnoreRules.parse(options.ignoreFile) }),
      resolveImage: (reference, wanted, range) =>
        shown(progress, `[internal] load metadata for ${this.#nameOf(reference, range)}`, () =>
          this.#backend.bases.resolve(reference, wanted, { pull: options.pull, range, client, signal }),
        ),
    };
  }

  /** Writes the result as an image: its target is the manifest, or an index where there are several platforms. */
  async writeImage(
    result: BuildResult,
    options: { readonly inlineCache?: boolean } = {},
  ): Promise<{ target: Descriptor; configDigest: Digest }> {
    const { content } = this.#backend.stores(result.lease);
    const written = [];
    for (const platform of result.platforms) {
      const cache = options.inlineCache === true ? inlineCacheOf(this.cache, platform.ref) : undefined;
      written.push(await writeImage(content, platform, result.epoch, cache));
    }
    const [first] = written;
    if (written.length === 1) return { target: first!.manifest, configDigest: first!.configDigest };
    const target = await writeIndex(
      content,
      written.map(image => image.manifest),
    );
    return { target, configDigest: first!.configDigest };
  }

  /** The files of the first platform's result; the caller's to dispose of. */
  async files(result: BuildResult): Promise<ResultFiles> {
    return new ResultFiles(await this.#layers(result));
  }

  /** The same as a tar. */
  async *filesTar(result: BuildResult, signal = new AbortController().signal): AsyncGenerator<Uint8Array> {
    const layers = await this.#layers(result);
    if (layers.length === 0) {
      yield endOfArchive;
      return;
    }
    const from = { layers, context: false };
    const all = { action: 'copy', from, sources: ['/'], exclude: [], destination: '/', parents: false, unpack: false };
    const queue = new Chunks();
    const made = this.#files.layer(
      {
        base: { layers: [], context: false },
        actions: [all as CopyAction],
        nowSec: Math.floor((result.epoch ?? new Date()).getTime() / 1000),
      },
      chunk => queue.put(chunk),
      signal,
    );
    made.then(
      () => queue.end(),
      err => queue.fail(err),
    );
    yield* queue;
  }

  /** Drops what was used longest ago where the cache has grown beyond its share of the disk. */
  #keepBounds(): void {
    const { blocks, bsize } = statfsSync(this.#backend.root);
    this.cache.prune({ keepBytes: Math.max(minKeptBytes, (blocks * bsize) / 10) });
  }

  #nameOf(reference: string, range: Range): string {
    try {
      return this.#backend.bases.name(reference);
    } catch (err) {
      throw new DockerfileError(`failed to parse stage name "${reference}": ${(err as Error).message}`, range);
    }
  }

  async #layers(result: BuildResult): Promise<string[]> {
    const snapshot = snapshotOf(result.platforms[0]!.ref);
    return snapshot === '' ? [] : await layersOf(this.#backend, snapshot);
  }

  /** Drops what the policy says, cache mounts included; gives what went. */
  prune(policy: CachePolicy): { id: string; sizeBytes: number }[] {
    const dropped = this.cache.prune(policy).map(({ key, sizeBytes }) => ({ id: key, sizeBytes }));
    const mounts = cacheMountsOf(this.#backend);
    for (const mount of mounts.list()) {
      const old = policy.until === undefined || mount.lastUsedAt < policy.until.toISOString();
      if (policy.keepBytes === undefined && old && mounts.remove(mount.directory))
        dropped.push({ id: mount.directory, sizeBytes: 0 });
    }
    return dropped;
  }

  /** Cache mounts, for `buildx du`. */
  cacheMounts() {
    return cacheMountsOf(this.#backend).list();
  }
}

function stepProgress({ text, vertex }: Step): StepProgress {
  if (vertex === undefined) return { text };
  const kind = vertex.kind === 'image' || vertex.kind === 'exec' ? vertex.kind : 'other';
  return { text, vertex: vertexDigest(vertex), kind };
}

/** What the checks find, without what the file or the caller wants passed over. Throws where warnings are to be errors. */
function checked(
  dockerfile: Dockerfile,
  options: BuildOptions,
  fromValues: readonly Warning[],
  inStage: (stage: number) => boolean,
  mayFail = true,
): Warning[] {
  const wanted = new CheckOptions(options.buildArgs.get('BUILDKIT_DOCKERFILE_CHECK') ?? dockerfile.directives.check);
  const inStages = dockerfile.stages.flatMap((stage, i) => (inStage(i) ? lintStage(stage) : []));
  const ofStages = [...inStages, ...fromValues].toSorted((a, b) => a.range.start - b.range.start);
  const found = [...lintFile(dockerfile), ...ofStages].filter(({ rule }) => wanted.applies(rule));
  if (mayFail && wanted.failOnWarning && found.length > 0) {
    const names = [...new Set(found.map(({ rule }) => rule))].toSorted();
    throw new DockerfileError(`lint violation found for rules: ${names.join(', ')}`, found[0]!.range);
  }
  return found;
}

/** Work that is no part of the graph, told as a vertex of its own. */
async function shown<T>(progress: ProgressSink, name: string, work: () => Promise<T>): Promise<T> {
  const vertex = { digest: digestOf(`${name} ${crypto.randomUUID()}`), name, inputs: [] };
  const started = new Date();
  progress.vertex({ ...vertex, started });
  try {
    const result = await work();
    progress.vertex({ ...vertex, started, completed: new Date() });
    return result;
  } catch (err) {
    const error = err instanceof Error ? err.message : String(err);
    progress.vertex({ ...vertex, started, completed: new Date(), error });
    throw err;
  }
}
