// The framing of output that is not a terminal's (reference engine-api.md, section 4): an 8-byte header, then the payload.
//
//     byte 0      stream: 0 stdin, 1 stdout, 2 stderr, 3 system error
//     bytes 1..3  zero
//     bytes 4..7  payload length, big-endian

import { InvalidArgument } from '../errdefs/index.ts';

export const streamTypes = { stdin: 0, stdout: 1, stderr: 2, systemError: 3 } as const;
export type StreamType = (typeof streamTypes)[keyof typeof streamTypes];

export const frameHeaderBytes = 8;

/** Payloads from this size on are given on where they lie: moving them costs more than a call. */
const worthMovingBytes = 4096;

/** The header alone, for writers that send the payload without copying it. */
export function frameHeader(stream: StreamType, lengthBytes: number): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header[0] = stream;
  header.writeUInt32BE(lengthBytes, 4);
  return header;
}

/** One frame, header and payload in one buffer. */
export function frame(stream: StreamType, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(frameHeaderBytes + payload.length);
  out.writeUInt32BE(stream * 0x1000000, 0);
  out.writeUInt32BE(payload.length, 4);
  out.set(payload, frameHeaderBytes);
  return out;
}

/**
 * Takes frames apart as bytes arrive. Payloads are handed on in pieces as they come, never gathered, so the memory held is
 * at most one header, whatever length a hostile peer announces.
 */
export class FrameDemultiplexer {
  readonly #onData: (stream: StreamType, payload: Buffer) => void;
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerBytes = 0;
  #payloadLeft = 0;
  #stream: StreamType = streamTypes.stdout;

  constructor(onData: (stream: StreamType, payload: Buffer) => void) {
    this.#onData = onData;
  }

  /**
   * Throws InvalidArgument on a stream type that does not exist. The chunk belongs to us from now on: payloads of one stream
   * that follow each other are moved together in it and given on as one, for logs are a frame to each line.
   */
  push(chunk: Buffer): void {
    let at = 0;
    let from = 0;
    let to = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const take = Math.min(this.#payloadLeft, chunk.length - at);
        if (to !== at && take >= worthMovingBytes) {
          if (to > from) this.#onData(this.#stream, chunk.subarray(from, to));
          from = at;
          to = at;
        } else if (from === to) {
          from = at;
          to = at;
        } else if (to !== at) chunk.copyWithin(to, at, at + take);
        to += take;
        at += take;
        this.#payloadLeft -= take;
        continue;
      }
      let header = chunk;
      let start = at;
      if (this.#headerBytes > 0 || chunk.length - at < frameHeaderBytes) {
        const take = Math.min(frameHeaderBytes - this.#headerBytes, chunk.length - at);
        chunk.copy(this.#header, this.#headerBytes, at, at + take);
        this.#headerBytes += take;
        at += take;
        if (this.#headerBytes < frameHeaderBytes) break;
        this.#headerBytes = 0;
        header = this.#header;
        start = 0;
      } else at += frameHeaderBytes;
      const stream = header[start]!;
      if (stream > streamTypes.systemError) throw new InvalidArgument(`unrecognized stream: ${stream}`);
      if (stream !== this.#stream) {
        if (to > from) this.#onData(this.#stream, chunk.subarray(from, to));
        from = to;
        this.#stream = stream as StreamType;
      }
      this.#payloadLeft = header.readUInt32BE(start + 4);
    }
    if (to > from) this.#onData(this.#stream, chunk.subarray(from, to));
  }

  /** Whether the stream ended between two frames, as it must. */
  get atBoundary(): boolean {
    return this.#headerBytes === 0 && this.#payloadLeft === 0;
  }
}
