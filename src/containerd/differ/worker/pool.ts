// The engine's side of the unpack workers: starts them when there is work, gives each new layer to the one with least to do, and
// lets them end when they have been idle.

import { Worker } from 'node:worker_threads';
import { Aborted, EngineError } from '../../../errdefs/index.ts';
import type { Job, JobResult, OpenSession, Reply, Request, SessionResult } from './protocol.ts';

const idleMs = 5000;
/** Bytes of one layer on their way to the worker before `write` makes the caller wait. */
const windowBytes = 1 << 20;

interface Slot {
  readonly worker: Worker;
  /** Whoever waits for replies, by id. */
  readonly clients: Map<number, (reply: Reply) => void>;
  idle: NodeJS.Timeout | undefined;
}

export class WorkerPool {
  readonly #size: number;
  readonly #slots: Slot[] = [];
  #nextId = 1;
  #closed = false;

  constructor(size: number) {
    this.#size = size;
  }

  /** Opens a session: resolves when what was on disk has been read. */
  async open(options: OpenSession): Promise<RemoteSession> {
    const slot = this.#pick();
    const session = new RemoteSession(this.#nextId++, message => this.#send(slot, message));
    this.#register(slot, session.id, reply => session.receive(reply), session.over);
    this.#send(slot, { type: 'open', id: session.id, ...options });
    await session.opened;
    return session;
  }

  async run<J extends Job>(job: J): Promise<JobResult<J['kind']>> {
    const slot = this.#pick();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<JobResult<J['kind']>>();
    const receive = (reply: Reply) => {
      if (reply.type === 'jobDone') resolve(reply.result as JobResult<J['kind']>);
      else if (reply.type === 'failed') reject(new EngineError(reply.failure.code, reply.failure.message));
    };
    this.#register(slot, id, receive, promise);
    this.#send(slot, { type: 'job', id, job });
    return promise;
  }

  /** Stops the workers; what is under way fails with Aborted. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#slots.map(slot => slot.worker.terminate()));
  }

  #pick(): Slot {
    if (this.#closed) throw new Aborted('the store is being closed');
    const free = this.#slots.find(slot => slot.clients.size === 0);
    if (free !== undefined) return free;
    if (this.#slots.length < this.#size) return this.#start();
    return this.#slots.reduce((least, slot) => (slot.clients.size < least.clients.size ? slot : least));
  }

  #start(): Slot {
    const slot: Slot = {
      worker: new Worker(new URL('./unpack-worker.ts', import.meta.url), {
        // The addon's descriptors are closed through fs.
        trackUnmanagedFds: false,
        // Buffers die young; a small nursery frees them before they add up.
        resourceLimits: { maxYoungGenerationSizeMb: 2 },
      }),
      clients: new Map(),
      idle: undefined,
    };
    // Work under way keeps the process alive through who waits for it; an idle worker must not.
    slot.worker.unref();
    this.#slots.push(slot);
    slot.worker.on('message', (reply: Reply) => slot.clients.get(reply.id)?.(reply));
    const gone = (why: string) => {
      const index = this.#slots.indexOf(slot);
      if (index >= 0) this.#slots.splice(index, 1);
      const failure = { code: 'Aborted', message: `unpack worker ended: ${why}` } as const;
      for (const [id, receive] of [...slot.clients]) receive({ type: 'failed', id, failure });
    };
    slot.worker.on('error', err => gone(err.message));
    slot.worker.on('exit', code => gone(`exit code ${code}`));
    return slot;
  }

  #register(slot: Slot, id: number, receive: (reply: Reply) => void, over: Promise<unknown>): void {
    clearTimeout(slot.idle);
    if (slot.clients.size === 0) slot.worker.ref();
    slot.clients.set(id, receive);
    const release = () => {
      slot.clients.delete(id);
      if (slot.clients.size > 0) return;
      slot.worker.unref();
      slot.idle = setTimeout(() => {
        const index = this.#slots.indexOf(slot);
        if (index < 0 || slot.clients.size > 0) return;
        this.#slots.splice(index, 1);
        void slot.worker.terminate();
      }, idleMs);
      slot.idle.unref();
    };
    over.then(release, release);
  }

  #send(slot: Slot, message: Request): void {
    if (message.type !== 'chunk') {
      slot.worker.postMessage(message);
      return;
    }
    // A chunk that owns its memory is handed over; a view of a shared pool must be copied.
    const { bytes } = message;
    const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
    const owned = whole ? bytes : new Uint8Array(bytes);
    slot.worker.postMessage({ ...message, bytes: owned }, [owned.buffer as ArrayBuffer]);
  }
}

/** A layer being worked on by a worker. Calls are not concurrent. */
export class RemoteSession {
  readonly id: number;
  readonly opened: Promise<number>;
  /** Settles when the worker is done with it. */
  readonly over: Promise<unknown>;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  offset = 0;
  unpackedBytes = 0;
  readonly #send: (message: Request) => void;
  readonly #opened = Promise.withResolvers<number>();
  readonly #result = Promise.withResolvers<SessionResult>();
  readonly #over = Promise.withResolvers<void>();
  #error: EngineError | undefined;
  #inFlight = 0;
  #wake: (() => void) | undefined;

  constructor(id: number, send: (message: Request) => void) {
    this.id = id;
    this.#send = send;
    this.opened = this.#opened.promise;
    this.over = this.#over.promise;
    this.failed = this.#result.promise.then(() => new Promise<never>(() => {}));
    // Who does not look at these must not bring the process down.
    this.failed.catch(() => {});
    this.opened.catch(() => {});
  }

  /** Why it failed, if it did. */
  get error(): Error | undefined {
    return this.#error;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const { byteLength } = bytes;
    if (byteLength === 0) return;
    this.#send({ type: 'chunk', id: this.id, bytes });
    this.offset += byteLength;
    this.#inFlight += byteLength;
    while (this.#inFlight > windowBytes && this.#error === undefined) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }

  /** No more bytes: verified digests, or why not. */
  end(): Promise<SessionResult> {
    if (this.#error === undefined) this.#send({ type: 'end', id: this.id });
    return this.#result.promise;
  }

  /** Gives up; resolves when the worker has let go of the files. */
  async close(): Promise<void> {
    if (this.#error === undefined) this.#send({ type: 'close', id: this.id });
    await this.over;
  }

  receive(reply: Reply): void {
    switch (reply.type) {
      case 'opened':
        this.offset = reply.offset;
        this.#opened.resolve(reply.offset);
        break;
      case 'taken':
        this.#inFlight -= reply.bytes;
        this.unpackedBytes = reply.unpackedBytes;
        this.#wake?.();
        break;
      case 'done':
        this.#result.resolve(reply.result);
        this.#over.resolve();
        break;
      case 'closed':
        this.#fail(new Aborted('the layer was given up'));
        break;
      case 'failed':
        this.#fail(new EngineError(reply.failure.code, reply.failure.message));
    }
  }

  #fail(err: EngineError): void {
    this.#error ??= err;
    this.#result.promise.catch(() => {});
    this.#opened.reject(err);
    this.#result.reject(err);
    this.#over.resolve();
    this.#wake?.();
  }
}
