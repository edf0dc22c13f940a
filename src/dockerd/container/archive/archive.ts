// Files in and out of containers (docker cp, export), running or not; the work is done in a worker thread per call.

import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { PathStat } from '../../../api/index.ts';
import { EngineError, NotFound, PermissionDenied, Unavailable } from '../../../errdefs/index.ts';
import type { Container } from '../container.ts';
import { cleanPath } from '../mounts/bind.ts';
import { type ContainerServices, layersOf } from '../services.ts';
import type { ArchiveJob, FromWorker, RootSource, ToWorker, WorkerInput } from './job.ts';

/** The container's own path of a request: absolute, `/x/.` and `/x/` kept apart by `asDirectory`. */
export function containerPath(text: string): {
  readonly path: string;
  readonly asDirectory: boolean;
  readonly base: string;
} {
  const absolute = `/${text}`;
  const clean = cleanPath(absolute);
  return { path: clean, asDirectory: /\/\.?$/.test(absolute), base: goBase(absolute) };
}

/** Go's filepath.Base: trailing slashes fall away, "." stays. */
function goBase(text: string): string {
  const trimmed = text.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** HEAD: lstat of a path. */
export async function statPath(services: ContainerServices, container: Container, text: string): Promise<PathStat> {
  await using session = await Session.open(
    services,
    container,
    { kind: 'stat', path: containerPath(text).path },
    'read',
  );
  const answer = await session.next(text);
  if (answer.type !== 'stat') throw new Unavailable('the archive worker gave no answer');
  return answer.stat;
}

/** GET: an archive of what is at a path. */
export async function* readPath(
  services: ContainerServices,
  container: Container,
  text: string,
): AsyncGenerator<Uint8Array> {
  const { path: own, base } = containerPath(text);
  const name = base === '/' ? '' : base;
  yield* pieces(services, container, { kind: 'read', path: own, name: name === '.' ? './' : name }, text);
}

/** The whole root, without volumes. */
export async function* exportRoot(services: ContainerServices, container: Container): AsyncGenerator<Uint8Array> {
  yield* pieces(services, container, { kind: 'export' }, '/');
}

async function* pieces(
  services: ContainerServices,
  container: Container,
  job: ArchiveJob,
  text: string,
): AsyncGenerator<Uint8Array> {
  await using session = await Session.open(services, container, job, job.kind === 'export' ? 'layers' : 'read');
  for (;;) {
    session.send({ type: 'more' });
    const answer = await session.next(text);
    if (answer.type !== 'bytes') return;
    yield answer.bytes;
  }
}

export interface WritePathOptions {
  readonly noOverwriteDirNonDir: boolean;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** PUT: unpacks an archive (uncompressed) in a directory. */
export async function writePath(
  services: ContainerServices,
  container: Container,
  text: string,
  archive: AsyncIterable<Uint8Array>,
  options: WritePathOptions,
): Promise<void> {
  const { path: own } = containerPath(text);
  refuseReadOnly(container, own);
  await using session = await Session.open(services, container, { kind: 'write', path: own, ...options }, 'write');
  await session.next(text);
  for await (const chunk of archive) {
    session.send({ type: 'bytes', bytes: chunk });
    await session.next(text);
  }
  session.send({ type: 'end' });
  await session.next(text);
}

function refuseReadOnly(container: Container, own: string): void {
  const { mounts, hostConfig } = container.record;
  const within = (target: string): boolean => own === target || own.startsWith(`${target}/`);
  const mount = mounts
    .filter(({ Destination }) => within(Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length)[0];
  if (mount !== undefined) {
    if (!mount.RW) throw new PermissionDenied('mounted volume is marked read-only');
    return;
  }
  if (hostConfig.ReadonlyRootfs) throw new PermissionDenied('container rootfs is marked read-only');
}

/** How a root is seen: with its volumes to read or write, or its own layers only. */
type Access = 'read' | 'write' | 'layers';

async function rootSource(services: ContainerServices, container: Container, access: Access): Promise<RootSource> {
  const { state, record } = container;
  if (access !== 'layers' && state.running && state.pid > 0) return { kind: 'process', pid: state.pid };
  const mounts = await services.snapshotter.mounts(record.id);
  const place = path.join(services.config.dataRoot, 'tmp', 'root');
  mkdirSync(place, { recursive: true });
  const overlay = mounts[0]?.overlay;
  const writable = access === 'write' && overlay?.upperdir !== undefined;
  return {
    kind: 'mounts',
    place,
    // Reading needs no upper directory of its own, and so never meets the container's mount.
    overlay: writable
      ? {
          lowerdirs: overlay.lowerdirs,
          upperdir: overlay.upperdir,
          ...(overlay.workdir !== undefined && { workdir: overlay.workdir }),
        }
      : { lowerdirs: layersOf(mounts) },
    binds:
      access === 'layers'
        ? []
        : record.mounts
            .filter(mount => mount.Source !== '')
            .map(mount => ({ source: mount.Source, target: mount.Destination }))
            .sort((a, b) => a.target.length - b.target.length),
  };
}

/** How long a worker may take to let go. */
const patienceMs = 5000;

/** A worker with one job. */
class Session implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #name: string;
  readonly #answers: FromWorker[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  private constructor(input: WorkerInput, name: string) {
    this.#name = name;
    this.#worker = new Worker(new URL('./archive-worker.ts', import.meta.url), {
      workerData: input,
      trackUnmanagedFds: false,
    });
    const take = (answer: FromWorker): void => {
      this.#answers.push(answer);
      this.#wake?.();
    };
    this.#worker.on('message', take);
    this.#worker.on('error', err => take({ type: 'error', code: 'Unknown', message: err.message }));
    this.#worker.on('exit', () => {
      this.#ended = true;
      take({ type: 'error', code: 'Unavailable', message: 'the archive worker has ended' });
    });
  }

  static async open(
    services: ContainerServices,
    container: Container,
    job: ArchiveJob,
    access: Access,
  ): Promise<Session> {
    return new Session({ root: await rootSource(services, container, access), job }, container.record.name);
  }

  send(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /** The next answer; errors are thrown, `text` is the path that the client meant. */
  async next(text: string): Promise<FromWorker> {
    while (this.#answers.length === 0) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    const answer = this.#answers.shift()!;
    if (answer.type !== 'error') return answer;
    if (answer.code === 'NotFound') throw new NotFound(`Could not find the file ${text} in container ${this.#name}`);
    throw new EngineError(answer.code, answer.message);
  }

  /** The worker closes what it has open: a thread that is terminated would leave its descriptors to us. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.send({ type: 'abort' });
    if (!this.#ended) await Promise.race([once(this.#worker, 'exit'), sleep(patienceMs, undefined, { ref: false })]);
    await this.#worker.terminate();
  }
}
