// A WebSocket (RFC 6455) as a plain connection: what the client's messages hold goes into one end of a socket pair, and what comes out of it
// goes to the client as binary messages. The other end is what a shim is given.

import { createHash } from 'node:crypto';
import net from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import type { Call } from './call.ts';
import { type Hijacked, readOn } from './hijack.ts';

const acceptMagic = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const streamSocket = 1;
/** Of a control frame (RFC 6455, 5.5). */
const maxControlBytes = 125;

/** Answers the handshake; the connection that is left carries raw bytes. */
export function webSocket(call: Call): Hijacked {
  const key = call.header('sec-websocket-key');
  if (call.header('upgrade').toLowerCase() !== 'websocket' || !/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    throw new InvalidArgument('not a WebSocket handshake');
  }
  const accept = createHash('sha1').update(`${key}${acceptMagic}`).digest('base64');
  const client = call.takeOver(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  const [near, far] = native().socketpair(streamSocket);
  bridge(client, new net.Socket({ fd: near, readable: true, writable: true, allowHalfOpen: true }));
  return {
    socket: new net.Socket({ fd: far, readable: true, writable: true, allowHalfOpen: true }),
    head: Buffer.alloc(0),
  };
}

function bridge({ socket, head }: Hijacked, near: net.Socket): void {
  const drop = (): void => {
    near.destroy();
    socket.destroy();
  };
  const reader = new FrameReader({
    data: bytes => {
      if (near.writable && !near.write(bytes)) socket.pause();
    },
    ping: bytes => socket.write(encodeFrame(opcodes.pong, bytes)),
    close: () => {
      near.end();
      if (socket.writable) socket.end(encodeFrame(opcodes.close, Buffer.alloc(0)));
    },
  });
  const take = (chunk: Buffer): void => {
    try {
      reader.push(chunk);
    } catch {
      drop();
    }
  };
  near.on('drain', () => socket.resume());
  near.on('data', (bytes: Buffer) => {
    if (!socket.write(encodeFrame(opcodes.binary, bytes))) near.pause();
  });
  socket.on('drain', () => near.resume());
  near.on('end', () => {
    if (socket.writable) socket.end(encodeFrame(opcodes.close, Buffer.from([0x03, 0xe8])));
  });
  near.on('error', drop);
  socket.on('error', drop);
  socket.on('close', () => near.destroy());
  socket.on('end', () => near.end());
  socket.on('data', take);
  if (head.length > 0) take(head);
  readOn(socket);
}

/** A frame of a server, which is not masked. */
export function encodeFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  if (length < 126) header[1] = length;
  else if (length < 65_536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}

interface FrameSink {
  data(bytes: Buffer): void;
  ping(bytes: Buffer): void;
  close(): void;
}

/** Takes a client's frames apart; data is handed on as it comes, whatever the frame's length says. */
export class FrameReader {
  readonly #sink: FrameSink;
  #held: Buffer = Buffer.alloc(0);
  #opcode = -1;
  #left = 0n;
  #mask: Buffer = Buffer.alloc(4);
  #maskAt = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** InvalidArgument for what is no frame of a client. */
  push(chunk: Buffer): void {
    let input = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#opcode < 0) {
        const size = this.#header(input);
        if (size === 0) break;
        input = input.subarray(size);
      }
      const control = this.#opcode >= 8;
      if (control && BigInt(input.length) < this.#left) break;
      const take = Number(this.#left < BigInt(input.length) ? this.#left : BigInt(input.length));
      const payload = this.#unmasked(input.subarray(0, take));
      input = input.subarray(take);
      this.#left -= BigInt(take);
      this.#deliver(payload);
      if (this.#left > 0n) break;
      this.#opcode = -1;
    }
    this.#held = Buffer.from(input);
  }

  /** Bytes of the header, 0 when it is not all there yet. */
  #header(input: Buffer): number {
    if (input.length < 2) return 0;
    const short = input[1]! & 127;
    const size = (short === 126 ? 4 : short === 127 ? 10 : 2) + 4;
    if ((input[1]! & 128) === 0) throw new InvalidArgument('a client must mask its frames');
    if (input.length < size) return 0;
    this.#opcode = input[0]! & 15;
    this.#left =
      short === 126 ? BigInt(input.readUInt16BE(2)) : short === 127 ? input.readBigUInt64BE(2) : BigInt(short);
    if (this.#opcode >= 8 && this.#left > maxControlBytes) throw new InvalidArgument('a control frame is too long');
    this.#mask = Buffer.from(input.subarray(size - 4, size));
    this.#maskAt = 0;
    return size;
  }

  #unmasked(bytes: Buffer): Buffer {
    const out = Buffer.allocUnsafe(bytes.length);
    for (let i = 0; i < bytes.length; i++) out[i] = bytes[i]! ^ this.#mask[this.#maskAt++ & 3]!;
    return out;
  }

  #deliver(payload: Buffer): void {
    switch (this.#opcode) {
      case opcodes.continuation:
      case opcodes.text:
      case opcodes.binary:
        if (payload.length > 0) this.#sink.data(payload);
        return;
      case opcodes.ping:
        this.#sink.ping(payload);
        return;
      case opcodes.close:
        this.#sink.close();
        return;
      case opcodes.pong:
        return;
      default:
        throw new InvalidArgument(`unknown WebSocket opcode ${this.#opcode}`);
    }
  }
}
