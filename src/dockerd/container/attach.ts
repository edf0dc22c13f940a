// POST /containers/{id}/attach: a client's connection goes to the shim, which serves it from then on, also when this daemon dies.

import { Conflict, InvalidArgument } from '../../errdefs/index.ts';
import { type AttachClient, parseDetachKeys, releaseSocket } from '../../shim/index.ts';
import type { Call } from '../server/call.ts';
import type { Hijacked } from '../server/hijack.ts';
import { relayed } from '../server/relay.ts';
import { webSocket } from '../server/web-socket.ts';
import type { AttachRequest, Container, PendingAttach } from './container.ts';
import { readLog } from './logs/log-reader.ts';
import { containerPaths } from './paths.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

export const rawStream = 'application/vnd.docker.raw-stream';
export const multiplexedStream = 'application/vnd.docker.multiplexed-stream';

/** Content types of a hijacked answer: the multiplexed one is announced on a 101 only. */
export function streamTypes(call: Call, tty: boolean): { upgraded: string; plain: string } {
  const upgraded = tty || call.below('1.42') ? rawStream : multiplexedStream;
  return { upgraded, plain: rawStream };
}

/** Whether the attach keys are Docker's default; '' in the query means that. */
export function detachKeysOf(text: string): Uint8Array | undefined {
  if (text === '') return parseDetachKeys('ctrl-p,ctrl-q');
  try {
    return parseDetachKeys(text);
  } catch (cause) {
    throw new InvalidArgument(`invalid escape keys (${text}) provided`, { cause });
  }
}

/** POST /containers/{id}/attach: attaches the caller's connection, at once to a running container, or later to one that starts. */
export async function attachContainer(services: ContainerServices, container: Container, call: Call): Promise<void> {
  const request = requestOf(container, call);
  const connection = call.hijack(streamTypes(call, container.record.config.Tty));
  await serve(services, container, call, request, connection);
}

/** GET /containers/{id}/attach/ws: the same over a WebSocket, whose messages are raw bytes. */
export async function attachWebSocket(services: ContainerServices, container: Container, call: Call): Promise<void> {
  const asked = requestOf(container, call);
  // Clients before 1.42 get all streams, whatever they ask for.
  const all = call.below('1.42');
  const request: AttachRequest = {
    ...asked,
    stdin: (all || asked.stdin) && container.record.config.OpenStdin,
    stdout: all || asked.stdout,
    stderr: all || asked.stderr,
    framed: false,
  };
  await serve(services, container, call, request, webSocket(call));
}

function requestOf(container: Container, { query }: Call): AttachRequest {
  const { state, record } = container;
  if (state.paused) throw new Conflict(`container ${record.id} is paused, unpause the container before attach`);
  if (state.restarting) {
    throw new Conflict(`container ${record.id} is restarting, wait until the container is running`);
  }
  detachKeysOf(query.text('detachKeys'));
  return {
    stdin: query.bool('stdin') && record.config.OpenStdin,
    stdout: query.bool('stdout'),
    stderr: query.bool('stderr'),
    framed: !record.config.Tty,
    detachKeys: query.text('detachKeys'),
  };
}

async function serve(
  services: ContainerServices,
  container: Container,
  { query }: Call,
  request: AttachRequest,
  connection: Hijacked,
): Promise<void> {
  const { state, record } = container;
  services.events.publish('container', 'attach', record.id, eventAttributes(container));
  if (query.bool('logs')) await replay(services, container, connection, request);
  if (!query.bool('stream')) {
    connection.socket.destroySoon();
    return;
  }
  if (state.running) {
    await attachClient(services, container, { ...request, connection, done: () => {} });
    return;
  }
  // A stopped container that is never started holds no more than this connection; it goes when the client does.
  await new Promise<void>(resolve => {
    const pending: PendingAttach = { ...request, connection, done: resolve };
    container.pendingAttach.push(pending);
    connection.socket.once('close', () => {
      const at = container.pendingAttach.indexOf(pending);
      if (at >= 0) container.pendingAttach.splice(at, 1);
      resolve();
    });
  });
}

/** Gives the connection to the shim. */
export async function attachClient(
  services: ContainerServices,
  container: Container,
  pending: PendingAttach,
): Promise<void> {
  const { connection } = pending;
  if (connection.socket.destroyed) return;
  const client = await clientOf(connection, {
    stdin: pending.stdin,
    stdout: pending.stdout,
    stderr: pending.stderr,
    framed: pending.framed,
    detachKeys: container.record.config.Tty ? detachKeysOf(pending.detachKeys) : undefined,
  });
  try {
    await services.tasks.attach(container.id, undefined, client.attach);
  } finally {
    client.close();
  }
}

/** A connection as the shim takes it. Of TLS the shim gets one end of a socket pair, and we copy. */
export async function clientOf(
  connection: Hijacked,
  want: { stdin: boolean; stdout: boolean; stderr: boolean; framed: boolean; detachKeys: Uint8Array | undefined },
): Promise<{ attach: AttachClient; close: () => void }> {
  const released = releaseSocket(connection.socket, connection.head) ?? relayed(connection);
  const { detachKeys, ...rest } = want;
  return {
    attach: {
      fd: released.fd,
      alreadyRead: released.alreadyRead,
      ...rest,
      ...(detachKeys !== undefined && { detachKeys }),
    },
    close: () => released.close(),
  };
}

/** `logs=1`: what was there before. */
async function replay(
  services: ContainerServices,
  container: Container,
  { socket }: Hijacked,
  request: AttachRequest,
): Promise<void> {
  const { record } = container;
  const format = record.hostConfig.LogConfig.Type;
  if (format !== 'json-file' && format !== 'local') return;
  await readLog(
    containerPaths(services.config.dataRoot, record.id).log,
    {
      stdout: request.stdout,
      stderr: request.stderr,
      timestamps: false,
      details: false,
      framed: request.framed,
      format,
    },
    bytes => {
      socket.write(bytes);
    },
  );
}
