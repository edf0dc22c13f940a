// The words between the daemon and a shim as bytes: frames of "u32 size, u16 type, u16 0, u32 sequence, payload", little endian.
// native/shim/wire.h describes each payload; a test compares the numbers.

import { DataLoss } from '../errdefs/index.ts';

export const wireVersion = 1;
export const headerSize = 12;
export const frameMax = 80 * 1024;

export const requests = {
  create: 1,
  start: 2,
  kill: 3,
  resize: 4,
  closeStdin: 5,
  attach: 6,
  exec: 7,
  state: 8,
  shutdown: 9,
  compressed: 10,
  terminal: 11,
} as const;

export const events = { state: 0x4000, exit: 0x4001, oom: 0x4002, client: 0x4003, rotated: 0x4004 } as const;

export const replyBit = 0x8000;
/** The result of a request whose program stopped: a failure follows. */
export const programFailed = 1;

export const ioFlags = { terminal: 1, stdin: 2, stdinOnce: 4, external: 8 } as const;
export const attachFlags = { stdin: 1, stdout: 2, stderr: 4, framed: 8 } as const;
export const logTypes = { none: 0, 'json-file': 1, local: 2, syslog: 3 } as const;
export const clientEnds = ['ended', 'detached', 'gone', 'cut off'] as const;
export const phases = ['creating', 'created', 'running', 'stopped'] as const;

/** Builds one frame. */
export class FrameWriter {
  #bytes = Buffer.alloc(512);
  #size = headerSize;

  #room(size: number): number {
    const at = this.#size;
    this.#size += size;
    if (this.#size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value, at);
    return this;
  }

  i32(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32LE(value, at);
    return this;
  }

  u64(value: number | bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigUInt64LE(BigInt(value), at);
    return this;
  }

  string(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return this.u16(bytes.length).raw(bytes);
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  frame(type: number, sequence: number): Buffer {
    const bytes = this.#bytes.subarray(0, this.#size);
    bytes.writeUInt32LE(this.#size, 0);
    bytes.writeUInt16LE(type, 4);
    bytes.writeUInt32LE(sequence, 8);
    return bytes;
  }
}

/** Reads one payload; past its end it throws DataLoss. */
export class FrameReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  #take(size: number): number {
    const at = this.#at;
    if (at + size > this.#bytes.length) throw new DataLoss('message of the shim ends too early');
    this.#at += size;
    return at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#take(8));
  }

  string(): string {
    const size = this.u16();
    const at = this.#take(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  rest(): Buffer {
    return this.#bytes.subarray(this.#at);
  }
}

export interface Frame {
  readonly type: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Cuts a byte stream into frames. Throws DataLoss where it is none. */
export class FrameSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): Frame[] {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const frames: Frame[] = [];
    while (bytes.length >= headerSize) {
      const size = bytes.readUInt32LE(0);
      if (size < headerSize || size > frameMax) throw new DataLoss(`frame of ${size} bytes from the shim`);
      if (bytes.length < size) break;
      frames.push({
        type: bytes.readUInt16LE(4),
        sequence: bytes.readUInt32LE(8),
        payload: bytes.subarray(headerSize, size),
      });
      bytes = bytes.subarray(size);
    }
    this.#rest = bytes.length > 0 ? Buffer.from(bytes) : bytes;
    return frames;
  }
}
