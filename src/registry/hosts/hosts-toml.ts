// containerd's hosts.toml (docs/hosts.md): which hosts serve a registry's repositories, and how each is spoken to.

import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { TlsOptions } from '../http/transport.ts';
import { allCapabilities, type Capability, type RegistryHost } from './host.ts';
import { parseToml, type TomlTable, type TomlValue } from './toml.ts';

/** The hosts of `<directory>/hosts.toml` in their order, the server itself last; undefined without such a file. */
export async function readHostsToml(directory: string, namespace: string): Promise<RegistryHost[] | undefined> {
  const file = join(directory, 'hosts.toml');
  const text = await readFile(file, 'utf8').catch(err => {
    if (err.code === 'ENOENT' || err.code === 'ENOTDIR') return undefined;
    throw err;
  });
  if (text === undefined) return undefined;
  const root = parseToml(text, file);
  const hosts: RegistryHost[] = [];
  const tables = root.host ?? {};
  if (typeof tables !== 'object' || Array.isArray(tables)) throw new InvalidArgument(`${file}: host is not a table`);
  // The last one stands for the registry itself: it takes what is written at the top of the file.
  for (const [address, options] of Object.entries(tables)) {
    hosts.push(await readHost(address, asTable(options, file, address), { directory, file, namespace }));
  }
  const server = typeof root.server === 'string' ? root.server : undefined;
  const own = await readHost(server ?? `https://${namespace}`, root, { directory, file, namespace });
  if (hosts.some(host => host.base.href === own.base.href)) {
    return hosts.map(host => (host.base.href === own.base.href ? { ...host, authoritative: true } : host));
  }
  return [...hosts, { ...own, authoritative: true }];
}

interface Place {
  readonly directory: string;
  readonly file: string;
  readonly namespace: string;
}

async function readHost(address: string, options: TomlTable, place: Place): Promise<RegistryHost> {
  const text = /^[a-z]+:\/\//i.test(address) ? address : `https://${address}`;
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text)) {
    throw new InvalidArgument(`${place.file}: "${address}" is not a host`);
  }
  const base = new URL(text);
  const path = base.pathname.replace(/\/+$/, '');
  if (options.override_path !== true && !path.endsWith('/v2')) base.pathname = `${path}/v2`;
  const tls = await readTls(options, place);
  const headers = readHeaders(options.header, place);
  return {
    base,
    capabilities: readCapabilities(options.capabilities, place),
    ...(tls !== undefined && { tls }),
    ...(headers !== undefined && { headers }),
    authoritative: false,
    ...(base.host !== place.namespace && { namespace: place.namespace }),
  };
}

function readCapabilities(value: TomlValue | undefined, { file }: Place): ReadonlySet<Capability> {
  if (value === undefined) return allCapabilities;
  return new Set(
    list(value).map(entry => {
      if (entry !== 'pull' && entry !== 'resolve' && entry !== 'push') {
        throw new InvalidArgument(`${file}: unknown capability ${JSON.stringify(entry)}`);
      }
      return entry;
    }),
  );
}

async function readTls(options: TomlTable, place: Place): Promise<TlsOptions | undefined> {
  const read = (name: TomlValue): Promise<string> => {
    if (typeof name !== 'string') throw new InvalidArgument(`${place.file}: a file's name is not a string`);
    return readFile(isAbsolute(name) ? name : join(place.directory, name), 'utf8');
  };
  const authorities = options.ca === undefined ? [] : await Promise.all(list(options.ca).map(read));
  const client = options.client === undefined ? undefined : list(options.client)[0];
  const [certName, keyName] = Array.isArray(client) ? client : [client, client];
  const skipVerify = options.skip_verify === true;
  if (authorities.length === 0 && certName === undefined && !skipVerify) return undefined;
  return {
    ...(authorities.length > 0 && { ca: authorities }),
    ...(certName !== undefined && { cert: await read(certName), key: await read(keyName ?? certName) }),
    ...(skipVerify && { skipVerify }),
  };
}

function readHeaders(value: TomlValue | undefined, { file }: Place): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(asTable(value, file, 'header')).map(([name, entry]) => {
      const texts = list(entry);
      if (!texts.every(text => typeof text === 'string'))
        throw new InvalidArgument(`${file}: header ${name} is not text`);
      return [name.toLowerCase(), texts.join(', ')];
    }),
  );
}

const list = (value: TomlValue): TomlValue[] => (Array.isArray(value) ? value : [value]);

function asTable(value: TomlValue, file: string, name: string): TomlTable {
  if (typeof value !== 'object' || Array.isArray(value)) throw new InvalidArgument(`${file}: ${name} is not a table`);
  return value;
}
