// Our three streams joined to those of a container or an exec, over a hijacked connection.

import type { Duplex } from 'node:stream';
import { FrameDemultiplexer, streamTypes } from '../../api/index.ts';
import type { Hijacked } from '../http/engine.ts';
import { DetachWatcher } from './detach-keys.ts';
import { RawOutputFilter } from './raw-output.ts';
import { isatty } from './window.ts';
import { DescriptorWriter } from './writer.ts';

/** Output waiting to be written above this pauses the connection. */
const highWaterBytes = 4 * 1024 * 1024;

export interface AttachOptions {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** The sequence that detaches; watched for only on a terminal. */
  readonly detachKeys: Buffer;
}

export type AttachOutcome = 'ended' | 'detached';

/** Copies until the container's output ends, or the detach keys are typed. Restores the terminal. */
export async function joinStreams(hijacked: Hijacked, options: AttachOptions): Promise<AttachOutcome> {
  const { socket } = hijacked;
  const raw = options.tty && options.stdin && isatty(0);
  const input = options.stdin ? new InputPump(socket, raw ? options.detachKeys : Buffer.alloc(0), raw) : undefined;
  try {
    const outcome = await Promise.race([
      copyOutput(hijacked, options, raw).then((): AttachOutcome => 'ended'),
      input?.detached.then((): AttachOutcome => 'detached') ?? new Promise<never>(() => {}),
    ]);
    return outcome;
  } finally {
    input?.stop();
    socket.destroy();
  }
}

async function copyOutput(hijacked: Hijacked, options: AttachOptions, raw: boolean): Promise<void> {
  const { socket, head } = hijacked;
  const stdout = new DescriptorWriter(1);
  const stderr = new DescriptorWriter(2);
  let systemError = '';
  const frames = new FrameDemultiplexer((stream, payload) => {
    if (stream === streamTypes.stderr) {
      if (options.stderr) stderr.push(payload);
    } else if (stream === streamTypes.systemError) systemError += payload.toString();
    else if (options.stdout) stdout.push(payload);
  });
  const filter = raw && isatty(1) ? new RawOutputFilter() : undefined;
  const take = (chunk: Buffer): void => {
    if (options.tty) stdout.push(filter === undefined ? chunk : filter.push(chunk));
    else frames.push(chunk);
  };
  await new Promise<void>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      try {
        take(chunk);
      } catch (err) {
        reject(err as Error);
        return;
      }
      if (stdout.waitingBytes + stderr.waitingBytes > highWaterBytes) {
        socket.pause();
        void Promise.all([stdout.drained(), stderr.drained()]).then(() => socket.resume());
      }
    };
    socket.on('data', onData);
    socket.once('end', resolve);
    socket.once('close', () => resolve());
    socket.once('error', (err: NodeJS.ErrnoException) =>
      err.code === 'ECONNRESET' || err.code === 'EPIPE' ? resolve() : reject(err),
    );
    if (head.length > 0) onData(head);
    socket.resume();
  });
  await Promise.all([stdout.drained(), stderr.drained()]);
  if (systemError !== '') throw new Error(`error from daemon in stream: ${systemError}`);
}

/** Sends our standard input; at its end the connection's writing half is closed. */
class InputPump {
  /** Resolves when the detach keys are complete. */
  readonly detached: Promise<void>;
  readonly #socket: Duplex;
  readonly #raw: boolean;
  readonly #watcher: DetachWatcher;
  #onDetached: () => void = () => {};

  constructor(socket: Duplex, keys: Buffer, raw: boolean) {
    this.#socket = socket;
    this.#raw = raw;
    this.#watcher = new DetachWatcher(keys);
    this.detached = new Promise(resolve => {
      this.#onDetached = resolve;
    });
    if (raw) process.stdin.setRawMode(true);
    process.stdin.on('data', this.#onData);
    process.stdin.once('end', this.#onEnd);
    process.stdin.on('error', this.#onEnd);
    socket.on('error', () => {}); // the output side tells
    process.stdin.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    const { send, detached } = this.#watcher.push(chunk);
    if (send.length > 0 && !this.#socket.write(send)) {
      process.stdin.pause();
      this.#socket.once('drain', () => process.stdin.resume());
    }
    if (detached) this.#onDetached();
  };

  readonly #onEnd = (): void => {
    this.#socket.end();
  };

  stop(): void {
    process.stdin.off('data', this.#onData);
    process.stdin.off('end', this.#onEnd);
    process.stdin.pause();
    if (this.#raw) process.stdin.setRawMode(false);
  }
}
