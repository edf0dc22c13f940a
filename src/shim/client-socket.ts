import type { Socket } from 'node:net';
import { FailedPrecondition } from '../errdefs/index.ts';

/** A client's connection on its way out of Node. */
export interface ReleasedSocket {
  /** Valid until `close`. */
  readonly fd: number;
  /** What Node had read already. */
  readonly alreadyRead: Buffer;
  /** Closes our copy without shutting the connection down: to be called once the shim has its own. */
  close(): void;
}

/**
 * Stops reading a hijacked connection and takes out what Node had buffered, so that its descriptor can be handed to a shim. `head` is
 * what an upgrade event gave. Null when the connection has no descriptor of its own (TLS): then the caller must copy.
 */
export function releaseSocket(socket: Socket, head: Uint8Array = Buffer.alloc(0)): ReleasedSocket | null {
  const handle = (socket as unknown as { _handle?: { fd?: number; readStop?: () => void } | null })._handle;
  if (handle === null || handle === undefined) throw new FailedPrecondition('the client has gone');
  if (handle.fd === undefined || handle.fd < 0 || 'encrypted' in socket) return null;
  handle.readStop?.();
  socket.pause();
  const chunks: Uint8Array[] = head.length > 0 ? [head] : [];
  for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
    chunks.push(chunk);
  handle.readStop?.(); // read() may have started it again
  return {
    fd: handle.fd,
    alreadyRead: Buffer.concat(chunks),
    close: () => {
      socket.destroy();
    },
  };
}
