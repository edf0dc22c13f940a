// Taking a connection out of HTTP. What comes after belongs to a container: the descriptor goes to its shim, and this process only
// closes its own copy.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A connection that no longer speaks HTTP. */
export interface Hijacked {
  readonly socket: Socket;
  /** What the client has sent already after its request. */
  readonly head: Buffer;
}

interface Handle {
  readonly fd: number;
  readStop(): void;
  readStart(): void;
  /** What net.Socket goes by. */
  reading?: boolean;
}

interface Parser {
  unconsume?(): void;
}

const handleOf = (socket: Socket): Handle | undefined =>
  (socket as unknown as { _handle?: Handle | null })._handle ?? undefined;

/** The descriptor of a plain socket; undefined for TLS, whose bytes only this process can decrypt. */
export function descriptorOf(socket: Socket): number | undefined {
  if ('encrypted' in socket) return undefined;
  const handle = handleOf(socket);
  return handle !== undefined && handle.fd >= 0 ? handle.fd : undefined;
}

/** Stops node:http and Node's stream from reading the socket; the bytes that were read too far come back. */
export function takeOver(response: ServerResponse, socket: Socket, head: Buffer): Buffer {
  // What node's own upgrade does for CONNECT and Upgrade requests, here also for clients that hijack without an Upgrade header.
  for (const event of ['data', 'end', 'close', 'drain', 'error', 'timeout']) socket.removeAllListeners(event);
  const parser = (socket as unknown as { parser?: Parser | null }).parser;
  parser?.unconsume?.();
  socket.on('error', () => socket.destroy());
  if (response.socket === socket) response.detachSocket(socket);
  socket.setTimeout(0);
  socket.pause();
  const chunks = [head];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
    chunks.push(chunk);
  // Last, since read() begins to read anew.
  const handle = descriptorOf(socket) === undefined ? undefined : handleOf(socket);
  handle?.readStop();
  if (handle !== undefined) handle.reading = false;
  return Buffer.concat(chunks);
}

/** Reads on in this process a connection that was taken over. Node's stream still believes that it reads, so resume() alone does nothing. */
export function readOn(socket: Socket): void {
  const handle = descriptorOf(socket) === undefined ? undefined : handleOf(socket);
  if (handle !== undefined && handle.reading !== true) {
    handle.reading = true;
    handle.readStart();
  }
  socket.resume();
}
