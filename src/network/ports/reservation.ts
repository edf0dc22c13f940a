// Holding a host port, so that nobody else on the machine takes it, and so that somebody else's port is noticed.
//
// The socket is a real one that listens. As long as our table is in force it never sees a packet: the kernel has sent them to the
// container before. What does arrive (a call to ::1 or to [::] for a container without IPv6, which the kernel cannot
// rewrite) is copied to the container by us.

import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import type { PortProtocol } from '../endpoint.ts';

export interface Reservation {
  release(): void;
}

/** Where a held port leads to. */
export interface ReservationTarget {
  readonly address: string;
  readonly port: number;
}

/** Takes a host port; rejects with the system error (EADDRINUSE, EADDRNOTAVAIL, EACCES) when it is not to be had. */
export type ReservePort = (
  protocol: PortProtocol,
  hostIp: string,
  hostPort: number,
  target: ReservationTarget,
) => Promise<Reservation>;

export const reservePort: ReservePort = async (protocol, hostIp, hostPort, target) => {
  if (protocol === 'tcp') return reserveTcp(hostIp, hostPort, target);
  if (protocol === 'udp') return reserveUdp(hostIp, hostPort, target);
  return { release: () => {} }; // SCTP: Node has no sockets for it; our own table of ports must do
};

/** Per port: the daemon's descriptors are not for strangers to use up. */
const mostConnections = 4096;
const mostUdpClients = 1024;

function reserveTcp(host: string, port: number, target: ReservationTarget): Promise<Reservation> {
  const connections = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, client => {
    const upstream = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    for (const socket of [client, upstream]) {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    }
    upstream.once('connect', () => {
      client.pipe(upstream);
      upstream.pipe(client);
      client.resume();
    });
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.resetAndDestroy());
    client.once('close', () => upstream.destroy());
  });
  server.maxConnections = mostConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, ipv6Only: isIPv6(host), exclusive: true, backlog: 511 }, () => {
      server.off('error', reject);
      server.on('error', () => {}); // out of descriptors while accepting: the client sees its connection refused
      server.unref();
      resolve({
        release: () => {
          server.close();
          for (const socket of connections) socket.destroy();
        },
      });
    });
  });
}

/** How long a UDP client is remembered after its last packet; what the kernel's own tracking does by default. */
const udpIdleMs = 120_000;

function reserveUdp(host: string, port: number, target: ReservationTarget): Promise<Reservation> {
  const server = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', ipv6Only: isIPv6(host) });
  const clients = new Map<string, { upstream: DatagramSocket; timer: NodeJS.Timeout }>();
  const forget = (key: string): void => {
    const client = clients.get(key);
    if (client === undefined) return;
    clients.delete(key);
    clearTimeout(client.timer);
    client.upstream.close();
  };
  server.on('message', (message, from) => {
    const key = `${from.address} ${from.port}`;
    let client = clients.get(key);
    if (client === undefined) {
      const [oldest] = clients.keys();
      if (clients.size >= mostUdpClients && oldest !== undefined) forget(oldest);
      const upstream = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
      upstream.on('message', answer => server.send(answer, from.port, from.address, () => {}));
      upstream.on('error', () => forget(key));
      upstream.unref();
      client = { upstream, timer: setTimeout(forget, udpIdleMs, key).unref() };
      clients.set(key, client);
    }
    client.timer.refresh();
    client.upstream.send(message, target.port, target.address, () => {});
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.bind({ address: host, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => {});
      server.unref();
      resolve({
        release: () => {
          server.close();
          for (const key of [...clients.keys()]) forget(key);
        },
      });
    });
  });
}
