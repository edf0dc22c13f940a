// Sockets to listen on: unix sockets with mode 0660 and the group's owner, TCP with or without TLS.

import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { FailedPrecondition, InvalidArgument } from '../../errdefs/index.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import type { ApiServer } from './server.ts';

/** Something that listens. */
export interface Listener {
  readonly host: string;
  /** Takes no more connections, ends the idle ones and, after `graceMs`, all. */
  close(graceMs: number): Promise<void>;
}

/** Bytes of headers that a request may have; X-Registry-Config of many registries is long. */
const maxHeaderBytes = 256 << 10;

const serverOptions = {
  maxHeaderSize: maxHeaderBytes,
  // A client that dribbles its headers is cut off; a body may take as long as a build context takes.
  headersTimeout: 60_000,
  requestTimeout: 0,
  keepAliveTimeout: 0,
  noDelay: true,
  // stdin ends by a half close while output goes on.
  allowHalfOpen: true,
} as const;

/** Listens on one `-H` value. */
export async function listen(host: string, api: ApiServer, config: Config, log: Log): Promise<Listener> {
  if (host.startsWith('unix://')) return listenUnix(host, api, config, log);
  if (host.startsWith('tcp://')) return listenTcp(host, api, config, log);
  throw new InvalidArgument(`unsupported host ${host}: want unix:// or tcp://`);
}

function httpServer(api: ApiServer): http.Server {
  const server = http.createServer(
    { ...serverOptions, shouldUpgradeCallback: api.shouldUpgrade } as http.ServerOptions,
    api.onRequest,
  );
  server.on('upgrade', (request, socket, head) => api.onUpgrade(request, socket as net.Socket, head));
  server.on('clientError', onClientError);
  return server;
}

/** What is no HTTP gets Go's answer. */
function onClientError(
  err: NodeJS.ErrnoException,
  socket: { writable: boolean; end(text: string): void; destroy(): void },
): void {
  if (!socket.writable || err.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    err.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : err.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`);
}

async function listenUnix(host: string, api: ApiServer, config: Config, log: Log): Promise<Listener> {
  const file = host.slice('unix://'.length);
  if (Buffer.byteLength(file) > 107) throw new InvalidArgument(`unix socket path is longer than 107 bytes: ${file}`);
  mkdirSync(path.dirname(file), { recursive: true });
  await removeStale(file);
  const server = httpServer(api);
  // The socket must never be there with a wider mode, not for an instant.
  const umask = process.umask(0o117);
  try {
    await started(server, () => server.listen(file));
  } finally {
    process.umask(umask);
  }
  const gid = groupId(config.group);
  if (gid !== undefined) chownSync(file, 0, gid);
  else if (config.group !== 'docker') log.warn(`could not change group ${host} to ${config.group}: no such group`);
  chmodSync(file, 0o660);
  return closing(host, server, () => rmSync(file, { force: true }));
}

/** A socket file that nobody listens on is left over from a daemon that was killed. */
async function removeStale(file: string): Promise<void> {
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket())
    throw new FailedPrecondition(`can't create unix socket ${file}: the file exists and is no socket`);
  const alive = await new Promise<boolean>(resolve => {
    const probe = net.connect(file);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new FailedPrecondition(`can't create unix socket ${file}: another process listens on it`);
  rmSync(file, { force: true });
}

function groupId(name: string): number | undefined {
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find(text => text.startsWith(`${name}:`));
  return line === undefined ? undefined : Number(line.split(':')[2]);
}

async function listenTcp(host: string, api: ApiServer, config: Config, log: Log): Promise<Listener> {
  const url = new URL(host.replace('tcp://', 'http://'));
  const port = Number(/:(\d+)$/.exec(host)![1]);
  const { tls } = config;
  let server: http.Server | https.Server;
  if (tls === undefined) {
    log.warn(
      `Binding to IP address ${url.hostname} without --tlsverify is insecure and gives root access on this machine to everyone who has access to your network.`,
      { host },
    );
    server = httpServer(api);
  } else {
    server = https.createServer(
      {
        ...serverOptions,
        shouldUpgradeCallback: api.shouldUpgrade,
        minVersion: 'TLSv1.2',
        cert: readFileSync(tls.cert),
        key: readFileSync(tls.key),
        ...(tls.verify && { ca: readFileSync(tls.ca), requestCert: true, rejectUnauthorized: true }),
      } as https.ServerOptions,
      api.onRequest,
    );
    server.on('upgrade', (request, socket, head) => api.onUpgrade(request, socket as net.Socket, head));
    server.on('clientError', onClientError);
    server.on('tlsClientError', err => log.debug(`TLS handshake failed: ${err.message}`));
  }
  await started(server, () => server.listen(port, url.hostname.replace(/^\[|\]$/g, '')));
  return closing(host, server, () => {});
}

async function started(server: net.Server, start: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

function closing(host: string, server: http.Server | https.Server, after: () => void): Listener {
  return {
    host,
    async close(graceMs) {
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      server.closeIdleConnections();
      // A connection that has left HTTP is not among those that the server can close; it does not hold up the end.
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        server.closeAllConnections();
        resolve();
      }, graceMs);
      await Promise.race([closed, late]);
      clearTimeout(timer);
      after();
    },
  };
}
