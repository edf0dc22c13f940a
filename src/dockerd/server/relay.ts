// A connection whose bytes only this process can read (TLS) on its way to a shim: the shim gets one end of a socket pair, and we copy
// between the other end and the client.

import net from 'node:net';
import { native } from '../../launcher/index.ts';
import type { ReleasedSocket } from '../../shim/index.ts';
import type { Hijacked } from './hijack.ts';

const streamSocket = 1;

/** The shim's end of a relay to the connection. */
export function relayed({ socket, head }: Hijacked): ReleasedSocket {
  const [ours, theirs] = native().socketpair(streamSocket);
  const relay = new net.Socket({ fd: ours, readable: true, writable: true, allowHalfOpen: true });
  const drop = (): void => {
    relay.destroy();
    socket.destroy();
  };
  relay.on('error', drop);
  socket.on('error', drop);
  socket.on('close', () => relay.destroy());
  socket.pipe(relay);
  relay.pipe(socket);
  return { fd: theirs, alreadyRead: head, close: () => native().close(theirs) };
}
