import { writev } from 'node:fs';

/** IOV_MAX is 1024. */
const mostBuffers = 512;

/** Writes to a descriptor in order without blocking the process, so that signals and input go on while a reader is slow. */
export class DescriptorWriter {
  readonly #fd: number;
  readonly #queue: Buffer[] = [];
  #writing = false;
  #waitingBytes = 0;
  #idle: (() => void)[] = [];
  #failed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Bytes accepted and not written yet; a producer pauses when there are many. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  push(data: Buffer): void {
    if (this.#failed || data.length === 0) return;
    this.#queue.push(data);
    this.#waitingBytes += data.length;
    if (!this.#writing) this.#next();
  }

  /** Resolves when all is written. */
  drained(): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise(resolve => this.#idle.push(resolve));
  }

  #next(): void {
    if (this.#queue.length === 0) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#writing = true;
    // What has gathered goes out in one call.
    this.#write(this.#queue.splice(0, mostBuffers));
  }

  #write(buffers: Buffer[]): void {
    writev(this.#fd, buffers, (err, written) => {
      if (err !== null) {
        this.#onError(err, buffers);
        return;
      }
      this.#waitingBytes -= written;
      const left = after(buffers, written);
      if (left.length > 0) this.#write(left);
      else this.#next();
    });
  }

  #onError(err: NodeJS.ErrnoException, buffers: Buffer[]): void {
    if (err.code === 'EAGAIN') {
      setTimeout(() => this.#write(buffers), 2); // someone made our descriptor non-blocking
      return;
    }
    if (err.code === 'EPIPE') process.exit(141); // as SIGPIPE would
    this.#failed = true;
    this.#queue.length = 0;
    this.#waitingBytes = 0;
    this.#next();
  }
}

/** What is left of the buffers when so many bytes of them are written. */
function after(buffers: Buffer[], written: number): Buffer[] {
  let left = written;
  for (let i = 0; i < buffers.length; i++) {
    const buffer = buffers[i]!;
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(i + 1)];
    left -= buffer.length;
  }
  return [];
}
