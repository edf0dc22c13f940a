import { Socket } from 'node:net';
import { DataLoss, EngineError, FailedPrecondition, NotFound, Unavailable } from '../errdefs/index.ts';
import { decodeFailure, errnoName, native, type ProgramFailure } from '../launcher/index.ts';
import { type Frame, FrameSplitter, FrameWriter, programFailed, replyBit } from './wire.ts';

/** A request's program stopped. Whoever has the program makes a ProgramError of it. */
export class ProgramStopped extends Error {
  readonly failure: ProgramFailure;

  constructor(failure: ProgramFailure) {
    super('program stopped');
    this.failure = failure;
  }
}

interface Pending {
  readonly resolve: (payload: Buffer) => void;
  readonly reject: (error: Error) => void;
}

interface Outgoing {
  bytes: Uint8Array;
  fds: readonly number[];
}

/** Frames to and from one shim. Reads through Node's socket; writes by itself, since Node cannot send descriptors. */
export class ShimConnection {
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #splitter = new FrameSplitter();
  readonly #pending = new Map<number, Pending>();
  readonly #outgoing: Outgoing[] = [];
  readonly #onEvent: (frame: Frame) => void;
  readonly #onLost: () => void;
  #sequence = 0;
  #lost = false;
  #lostTold = false;
  #answered = false;
  readonly #delayed: Frame[] = [];

  /** Takes the descriptor over. */
  constructor(fd: number, onEvent: (frame: Frame) => void, onLost: () => void) {
    this.#fd = fd;
    this.#onEvent = onEvent;
    this.#onLost = onLost;
    this.#socket = new Socket({ fd, readable: true, writable: true });
    this.#socket.on('data', chunk => this.#receive(chunk));
    this.#socket.on('error', () => {}); // `close` follows
    this.#socket.on('close', () => this.#lose());
  }

  /** Sends a request and answers the reply's payload. The descriptors may be closed as soon as this has returned its promise, unless `sent` is awaited: they are kept by duplicate where they cannot be sent at once. */
  request(type: number, payload: FrameWriter = new FrameWriter(), fds: readonly number[] = []): Promise<Buffer> {
    if (this.#lost) return Promise.reject(new Unavailable('the connection to the shim is closed'));
    const sequence = ++this.#sequence;
    const answer = new Promise<Buffer>((resolve, reject) => this.#pending.set(sequence, { resolve, reject }));
    const first = this.#outgoing.length === 0;
    this.#outgoing.push({ bytes: payload.frame(type, sequence), fds });
    if (first) this.#send();
    if (this.#outgoing.length > 0 && fds.length > 0) this.#keep(fds);
    return answer;
  }

  /** Closes our end; events no longer come. */
  close(): void {
    this.#socket.destroy();
    this.#lose();
  }

  /** A descriptor that waits to be sent must outlive the caller's. */
  #keep(fds: readonly number[]): void {
    const last = this.#outgoing.at(-1);
    if (last === undefined || last.fds !== fds) return;
    const copies = fds.map(fd => native().dup(fd));
    last.fds = copies;
  }

  #send(): void {
    for (let first = this.#outgoing[0]; first !== undefined && !this.#lost; first = this.#outgoing[0]) {
      let sent: number;
      try {
        sent = native().sendFds(this.#fd, first.bytes, first.fds);
      } catch (error) {
        if ((error as { code?: string }).code === 'EAGAIN') {
          setTimeout(() => this.#send(), 1); // the shim reads at once; this is as good as never
          return;
        }
        this.#socket.destroy();
        return;
      }
      first.fds = [];
      if (sent < first.bytes.length) first.bytes = first.bytes.subarray(sent);
      else this.#outgoing.shift();
    }
  }

  #receive(chunk: Buffer): void {
    let frames: Frame[];
    try {
      frames = this.#splitter.push(chunk);
    } catch {
      this.#socket.destroy();
      return;
    }
    for (const frame of frames) {
      if ((frame.type & replyBit) === 0) {
        if (this.#answered || this.#delayed.length > 0) this.#delayed.push(frame);
        else this.#onEvent(frame);
        continue;
      }
      this.#answered = true;
      const pending = this.#pending.get(frame.sequence);
      if (pending === undefined) continue;
      this.#pending.delete(frame.sequence);
      answer(pending, frame.payload);
    }
    // Whoever awaits an answer goes on before the events behind it are told: "started" comes before "exit".
    // All of that happens within this turn of the loop: what clients see of the end comes in a later one.
    if (this.#answered || this.#delayed.length > 0) queueMicrotask(() => process.nextTick(() => this.#tellDelayed()));
  }

  #tellDelayed(): void {
    this.#answered = false;
    for (const frame of this.#delayed.splice(0)) this.#onEvent(frame);
    if (this.#lost) this.#tellLost();
  }

  #tellLost(): void {
    if (this.#lostTold) return;
    this.#lostTold = true;
    this.#onLost();
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const one of pending) one.reject(new Unavailable('the shim has gone'));
    if (this.#delayed.length === 0) this.#tellLost();
  }
}

function answer(pending: Pending, payload: Buffer): void {
  if (payload.length < 4) {
    pending.reject(new DataLoss('reply of the shim ends too early'));
    return;
  }
  const result = payload.readInt32LE(0);
  if (result === 0) pending.resolve(payload.subarray(4));
  else if (result === programFailed) pending.reject(new ProgramStopped(decodeFailure(payload.subarray(4))));
  else pending.reject(shimError(errnoName(-result)));
}

function shimError(errno: string): Error {
  if (errno === 'ESRCH') return new NotFound('process already finished');
  if (errno === 'EBUSY') return new FailedPrecondition('the container is running');
  return new EngineError('Unknown', `the shim answered ${errno}`);
}
