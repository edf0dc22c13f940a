// The engine's side of the files worker: one thread, started when there is work, ended when it has been idle.

import { Worker } from 'node:worker_threads';
import { EngineError, type ErrorCode } from '../../errdefs/index.ts';
import type { DigestJob, FilesJob, FilesReply, FilesRequest, LayerJob } from './protocol.ts';

const idleMs = 10_000;

export class Files implements AsyncDisposable {
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;
  readonly #jobs = new Map<number, (reply: FilesReply) => void>();

  /** Digest of what `job` selects. NotFound where a source is missing. */
  digest(job: Omit<DigestJob, 'kind'>, signal: AbortSignal): Promise<string> {
    return this.#run({ kind: 'digest', ...job }, signal, (reply, resolve) => {
      if (reply.type === 'digest') resolve(reply.digest);
    });
  }

  /** Makes a layer; `take` is given its archive in order and is awaited before the next piece. */
  layer(
    job: Omit<LayerJob, 'kind'>,
    take: (bytes: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<{ entries: number; sizeBytes: number }> {
    let chain = Promise.resolve();
    return this.#run({ kind: 'layer', ...job }, signal, (reply, resolve, reject, id) => {
      if (reply.type === 'chunk') {
        const { length } = reply.bytes;
        chain = chain.then(() => take(reply.bytes)).then(() => this.#send({ type: 'taken', id, bytes: length }));
        chain.catch(err => {
          this.#send({ type: 'cancel', id });
          reject(err);
        });
      } else if (reply.type === 'done') {
        const { entries, sizeBytes } = reply;
        chain.then(() => resolve({ entries, sizeBytes }), reject);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idle);
    await this.#worker?.terminate();
  }

  #run<T>(
    job: FilesJob,
    signal: AbortSignal,
    on: (reply: FilesReply, resolve: (value: T) => void, reject: (reason: unknown) => void, id: number) => void,
  ): Promise<T> {
    signal.throwIfAborted();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const cancel = (): void => this.#send({ type: 'cancel', id });
    this.#jobs.set(id, reply => {
      if (reply.type === 'failed') reject(new EngineError(reply.code as ErrorCode, reply.message));
      else on(reply, resolve, reject, id);
    });
    signal.addEventListener('abort', cancel, { once: true });
    this.#send({ type: 'job', id, job });
    return promise.finally(() => {
      signal.removeEventListener('abort', cancel);
      this.#jobs.delete(id);
      this.#rest();
    });
  }

  #send(request: FilesRequest): void {
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const worker = this.#worker;
    worker.ref();
    worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./files-worker.ts', import.meta.url), { trackUnmanagedFds: false });
    worker.on('message', (reply: FilesReply) => this.#jobs.get(reply.id)?.(reply));
    const gone = (why: string): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const [id, receive] of [...this.#jobs])
        receive({ type: 'failed', id, code: 'Aborted', message: `files worker ended: ${why}` });
    };
    worker.on('error', err => gone(err.message));
    worker.on('exit', code => gone(`exit code ${code}`));
    return worker;
  }

  #rest(): void {
    if (this.#jobs.size > 0 || this.#worker === undefined) return;
    const worker = this.#worker;
    worker.unref();
    this.#idle = setTimeout(() => {
      if (this.#jobs.size > 0 || this.#worker !== worker) return;
      this.#worker = undefined;
      void worker.terminate();
    }, idleMs);
    this.#idle.unref();
  }
}
