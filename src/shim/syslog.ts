// Options of Docker's syslog driver → what the shim needs to speak to the server by itself (native/shim/syslog.c).

import { lookup } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { InvalidArgument, NotImplemented } from '../errdefs/index.ts';

export interface SyslogConfig {
  readonly type: 'syslog';
  /** `udp://host:514`, `tcp://host`, `unix:///path` (a stream), `unixgram:///path`; '' is the machine's own. */
  readonly address: string;
  /** By name or number; default daemon. */
  readonly facility?: string;
  readonly format?: string;
  readonly tag: string;
}

const facilities = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['', '', '', '', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const formats: readonly string[] = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'];
const ownSockets = ['/dev/log', '/var/run/syslog', '/var/run/log'];
const defaultPort = 514;
const maxPath = 107;

interface Target {
  readonly stream: boolean;
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
}

/** Throws InvalidArgument, in Docker's words, for what cannot be meant. */
export function validateSyslog(config: Omit<SyslogConfig, 'type' | 'tag'>): void {
  parseAddress(config.address);
  facilityOf(config.facility ?? '');
  formatOf(config.format ?? '');
}

/** u8 stream, u8 format, u16 facility, i32 zone, string host, string tag, sockaddr. */
export async function syslogBytes(config: SyslogConfig): Promise<Buffer> {
  const target = parseAddress(config.address);
  const head = Buffer.alloc(8);
  head.writeUInt8(target.stream ? 1 : 0, 0);
  head.writeUInt8(formatOf(config.format ?? ''), 1);
  head.writeUInt16LE(facilityOf(config.facility ?? '') * 8, 2);
  head.writeInt32LE(-new Date().getTimezoneOffset() * 60, 4);
  return Buffer.concat([head, text(hostname()), text(config.tag), await sockaddr(target)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value).subarray(0, 255);
  const size = Buffer.alloc(2);
  size.writeUInt16LE(bytes.length);
  return Buffer.concat([size, bytes]);
}

function parseAddress(address: string): Target {
  if (address === '') {
    const path = ownSockets.find(existsSync);
    if (path === undefined) throw new InvalidArgument('Unix syslog delivery error');
    return { stream: false, path };
  }
  const match = /^([a-z+]+):\/\/(.*)$/.exec(address);
  const [, scheme, rest = ''] = match ?? [];
  switch (scheme) {
    case 'unix':
    case 'unixgram':
      if (!existsSync(rest)) throw new InvalidArgument(`stat ${rest}: no such file or directory`);
      if (Buffer.byteLength(rest) > maxPath) throw new InvalidArgument(`syslog socket path is too long: ${rest}`);
      return { stream: scheme === 'unix', path: rest };
    case 'udp':
    case 'tcp': {
      const parts = /^(?:\[([^\]]+)\]|([^:/]*))(?::(\d+))?$/.exec(rest);
      const host = parts?.[1] ?? parts?.[2];
      const port = Number(parts?.[3] ?? defaultPort);
      if (parts === null || host === undefined || port > 65535)
        throw new InvalidArgument(`invalid syslog-address ${address}`);
      return { stream: scheme === 'tcp', host: host === '' ? 'localhost' : host, port };
    }
    case 'tcp+tls':
      throw new NotImplemented('syslog over TLS is not implemented');
    default:
      throw new InvalidArgument(`syslog-address should be in form proto://address, got ${address}`);
  }
}

function facilityOf(facility: string): number {
  if (facility === '') return facilities.indexOf('daemon');
  const number = /^\d+$/.test(facility) ? Number(facility) : facilities.indexOf(facility);
  if (number < 0 || number > 23) throw new InvalidArgument('invalid syslog facility');
  return number;
}

function formatOf(format: string): number {
  const index = formats.indexOf(format);
  if (index < 0) throw new InvalidArgument(`Invalid syslog format`);
  return index;
}

async function sockaddr({ path, host, port }: Target): Promise<Buffer> {
  if (path !== undefined) return Buffer.concat([Buffer.from([1, 0]), Buffer.from(path), Buffer.from([0])]);
  const { address } = await lookup(host!);
  if (isIPv6(address)) {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt16LE(10, 0);
    bytes.writeUInt16BE(port!, 2);
    ipv6Words(address).forEach((word, i) => void bytes.writeUInt16BE(word, 8 + 2 * i));
    return bytes;
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(2, 0);
  bytes.writeUInt16BE(port!, 2);
  address.split('.').forEach((part, i) => void bytes.writeUInt8(Number(part), 4 + i));
  return bytes;
}

function ipv6Words(address: string): number[] {
  const words = (part: string): number[] => (part === '' ? [] : part.split(':').map(word => Number.parseInt(word, 16)));
  const [before = '', after] = address.split('::');
  if (after === undefined) return words(before);
  const [left, right] = [words(before), words(after)];
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}
