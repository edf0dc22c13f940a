// The daemon's configuration: flags over daemon.json over defaults. What is said twice is refused, as dockerd does, since nobody could
// tell which one holds.

import { existsSync, readFileSync } from 'node:fs';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { LogLevel } from '../log.ts';
import { type OptionValue, type OptionValues, parseFlags } from './flags.ts';
import { type OptionSpec, optionOfFlag, optionOfKey } from './options.ts';

export interface AddressPool {
  /** `10.10.0.0/16`. */
  readonly base: string;
  /** Prefix length of the networks cut from it. */
  readonly size: number;
}

export interface Ulimit {
  readonly Name: string;
  readonly Hard: number;
  readonly Soft: number;
}

/** Everything that the engine is told from outside. */
export interface Config {
  readonly hosts: readonly string[];
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidfile?: string;
  readonly group: string;
  readonly debug: boolean;
  readonly logLevel: LogLevel;
  readonly bridge?: string;
  readonly bip?: string;
  readonly fixedCidr?: string;
  readonly mtu?: number;
  readonly icc: boolean;
  readonly ipv6: boolean;
  readonly hostIp?: string;
  readonly addressPools: readonly AddressPool[];
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  /** Bounds of the image store; neither: images stay until they are removed. */
  readonly imageStore: { readonly maxBytes?: number; readonly minFreeBytes?: number };
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly defaultUlimits: readonly Ulimit[];
  readonly shmSizeBytes: number;
  readonly ipcMode: 'private' | 'shareable';
  readonly cgroupnsMode?: 'private' | 'host';
  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, { readonly path: string }>>;
  readonly cgroupParent: string;
  readonly init: boolean;
  readonly initPath?: string;
  readonly noNewPrivileges: boolean;
  readonly seccompProfile?: string;
  /** Ours by default: containers outlive the daemon. */
  readonly liveRestore: boolean;
  /** How long the daemon waits for its containers to stop when it ends without live-restore. */
  readonly shutdownTimeoutSeconds: number;
  /** Options given that have no effect here, by name. */
  readonly ineffective: readonly string[];
  readonly ipForward: boolean;
  readonly ipMasquerade: boolean;
  readonly maxDownloadAttempts: number;
  readonly stopTimeoutSeconds: number;
  readonly experimental: boolean;
  readonly minApiVersion: string;
  readonly tls?: { readonly verify: boolean; readonly ca: string; readonly cert: string; readonly key: string };
}

/** What main is asked to do, when it is not "run". */
export interface Invocation {
  readonly config: Config;
  readonly validate: boolean;
  readonly version: boolean;
  readonly help: boolean;
}

const defaultFile = '/etc/docker/daemon.json';

/** Reads the command line and the configuration file it names. */
export function readInvocation(args: readonly string[]): Invocation {
  const flags = parseFlags(args);
  const said = (flag: string): OptionValue | undefined => flags.get(optionOfFlag(flag)!);
  const file = said('config-file');
  const path = typeof file === 'string' ? file : defaultFile;
  const quick = said('version') === true || said('help') === true;
  const fromFile = quick || (file === undefined && !existsSync(path)) ? new Map() : readFile(path);
  return {
    config: configFrom(merge(flags, fromFile, path)),
    validate: said('validate') === true,
    version: said('version') === true,
    help: said('help') === true,
  };
}

function readFile(path: string): OptionValues {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidArgument(`unable to configure the Docker daemon with file ${path}: cannot be read`, { cause });
  }
  return parseFile(text, path);
}

/** daemon.json as options; unknown keys are refused by name. */
export function parseFile(text: string, path: string): OptionValues {
  const fail = (why: string) => new InvalidArgument(`unable to configure the Docker daemon with file ${path}: ${why}`);
  let json: unknown;
  try {
    json = text.trim() === '' ? {} : JSON.parse(text);
  } catch (err) {
    throw fail((err as Error).message);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('want a JSON object');
  const values: OptionValues = new Map();
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(json)) {
    const option = optionOfKey(key);
    if (option === undefined) unknown.push(key);
    else if (value !== null) values.set(option, typed(option, key, value, fail));
  }
  if (unknown.length > 0) {
    throw fail(`the following directives don't match any configuration option: ${unknown.join(', ')}`);
  }
  return values;
}

function typed(option: OptionSpec, key: string, value: unknown, fail: (why: string) => Error): OptionValue {
  const want = (ok: boolean, type: string): void => {
    if (!ok) throw fail(`"${key}" must be ${type}`);
  };
  switch (option.kind) {
    case 'bool':
      want(typeof value === 'boolean', 'true or false');
      return value as boolean;
    case 'int':
      want(Number.isSafeInteger(value), 'a whole number');
      return value as number;
    case 'list':
      if (key === 'default-address-pools' || key === 'default-ulimits') return listOfObjects(key, value, fail);
      want(Array.isArray(value) && value.every(item => typeof item === 'string'), 'a list of strings');
      return value as string[];
    case 'map':
      want(typeof value === 'object' && !Array.isArray(value), 'an object');
      return Object.fromEntries(
        Object.entries(value as object).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]),
      );
    default:
      if (typeof value === 'number' && key === 'default-shm-size') return String(value);
      want(typeof value === 'string', 'a string');
      return value as string;
  }
}

/** The two lists whose items are objects in the file and `key=value` words on the command line. */
function listOfObjects(key: string, value: unknown, fail: (why: string) => Error): string[] {
  const items = Array.isArray(value) ? value : typeof value === 'object' && value !== null ? Object.values(value) : [];
  return items.map((item: unknown) => {
    if (typeof item !== 'object' || item === null) throw fail(`"${key}" must hold objects`);
    const fields = item as Record<string, unknown>;
    return key === 'default-ulimits'
      ? `${fields.Name}=${fields.Soft}:${fields.Hard}`
      : `base=${fields.base},size=${fields.size}`;
  });
}

function merge(flags: OptionValues, file: OptionValues, path: string): OptionValues {
  // Lists that add up rather than clash (moby daemon/config: allowedDuplicates are none but for these registries and labels).
  const conflicts: string[] = [];
  for (const [option, value] of file) {
    if (!flags.has(option)) continue;
    const show = (of: OptionValue): string =>
      typeof of === 'object' && !Array.isArray(of)
        ? JSON.stringify(of)
        : Array.isArray(of)
          ? `[${of.join(' ')}]`
          : String(of);
    conflicts.push(`${option.key}: (from flag: ${show(flags.get(option)!)}, from file: ${show(value)})`);
  }
  if (conflicts.length > 0) {
    throw new InvalidArgument(
      `unable to configure the Docker daemon with file ${path}: the following directives are specified both as a flag and in the configuration file: ${conflicts.join(', ')}`,
    );
  }
  return new Map([...file, ...flags]);
}

/** Option values as a whole configuration, with defaults. */
export function configFrom(values: OptionValues): Config {
  const byKey = new Map<string, OptionValue>();
  for (const [option, value] of values) byKey.set(option.key ?? option.flag!, value);
  const text = (key: string): string | undefined => byKey.get(key) as string | undefined;
  const list = (key: string): string[] => (byKey.get(key) as string[] | undefined) ?? [];
  const flag = (key: string, otherwise: boolean): boolean => (byKey.get(key) as boolean | undefined) ?? otherwise;
  const number = (key: string, otherwise: number): number => (byKey.get(key) as number | undefined) ?? otherwise;
  const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: NonNullable<V> } =>
    (value === undefined ? {} : { [key]: value }) as { [P in K]?: NonNullable<V> };

  const debug = flag('debug', false);
  const level = text('log-level') ?? (debug ? 'debug' : 'info');
  if (!['debug', 'info', 'warn', 'error', 'fatal'].includes(level)) {
    throw new InvalidArgument(`invalid logging level: ${level}`);
  }
  const driver = text('storage-driver');
  if (driver !== undefined && !['overlay2', 'overlayfs'].includes(driver)) {
    throw new InvalidArgument(`storage driver "${driver}" is not supported: the only one here is overlayfs`);
  }
  if (text('userns-remap') !== undefined && text('userns-remap') !== '') {
    throw new InvalidArgument('userns-remap is not supported yet');
  }
  const cgroupns = text('default-cgroupns-mode');
  if (cgroupns !== undefined && cgroupns !== 'private' && cgroupns !== 'host') {
    throw new InvalidArgument(`default cgroup namespace mode (${cgroupns}) is invalid; use "host" or "private"`);
  }
  const ipc = text('default-ipc-mode') ?? 'private';
  if (ipc !== 'private' && ipc !== 'shareable') {
    throw new InvalidArgument(`IPC mode "${ipc}" is not supported as default value: use "private" or "shareable"`);
  }
  const hosts = list('hosts').map(parseHost);
  const tls = flag('tls', false) || flag('tlsverify', false);
  return {
    hosts: hosts.length > 0 ? hosts : ['unix:///var/run/docker.sock'],
    dataRoot: text('data-root') ?? '/var/lib/berth',
    execRoot: text('exec-root') ?? '/run/berth',
    ...optional('pidfile', text('pidfile')),
    group: text('group') ?? 'docker',
    debug,
    logLevel: level as LogLevel,
    ...optional('bridge', text('bridge')),
    ...optional('bip', text('bip')),
    ...optional('fixedCidr', text('fixed-cidr')),
    ...optional('mtu', byKey.get('mtu') as number | undefined),
    icc: flag('icc', true),
    ipv6: flag('ipv6', false),
    ...optional('hostIp', text('ip')),
    addressPools: list('default-address-pools').map(parsePool),
    dns: list('dns'),
    dnsOptions: list('dns-opts'),
    dnsSearch: list('dns-search'),
    insecureRegistries: list('insecure-registries'),
    registryMirrors: list('registry-mirrors'),
    maxConcurrentDownloads: number('max-concurrent-downloads', 3),
    maxConcurrentUploads: number('max-concurrent-uploads', 5),
    imageStore: {
      ...optional('maxBytes', sizeOf(text('image-store-max-size'))),
      ...optional('minFreeBytes', sizeOf(text('image-store-min-free'))),
    },
    logDriver: text('log-driver') ?? 'json-file',
    logOptions: (byKey.get('log-opts') as Record<string, string> | undefined) ?? {},
    labels: list('labels'),
    defaultUlimits: list('default-ulimits').map(parseUlimit),
    shmSizeBytes: parseSize(text('default-shm-size') ?? '64m'),
    ipcMode: ipc,
    ...optional('cgroupnsMode', cgroupns as 'private' | 'host' | undefined),
    defaultRuntime: text('default-runtime') ?? 'runc',
    runtimes: parseRuntimes(list('add-runtime'), byKey.get('runtimes') as Record<string, string> | undefined),
    cgroupParent: text('cgroup-parent') ?? '',
    init: flag('init', false),
    ...optional('initPath', text('init-path')),
    noNewPrivileges: flag('no-new-privileges', false),
    ...optional('seccompProfile', text('seccomp-profile')),
    ineffective: [...values.keys()].filter(option => option.ignored).map(option => option.flag ?? option.key!),
    ipForward: flag('ip-forward', true),
    ipMasquerade: flag('ip-masq', true),
    maxDownloadAttempts: number('max-download-attempts', 5),
    liveRestore: flag('live-restore', true),
    shutdownTimeoutSeconds: number('shutdown-timeout', 15),
    stopTimeoutSeconds: number('default-stop-timeout', 10),
    experimental: flag('experimental', false),
    minApiVersion: text('min-api-version') ?? '1.24',
    ...(tls && {
      tls: {
        verify: flag('tlsverify', false),
        ca: text('tlscacert') ?? '/root/.docker/ca.pem',
        cert: text('tlscert') ?? '/root/.docker/cert.pem',
        key: text('tlskey') ?? '/root/.docker/key.pem',
      },
    }),
  };
}

const sizeOf = (value: string | undefined): number | undefined => (value === undefined ? undefined : parseSize(value));

/** `-H` as a URL: unix://PATH, tcp://HOST:PORT or fd:// (refused). */
export function parseHost(text: string): string {
  const value = text.trim();
  if (value === '' || value === 'unix://') return 'unix:///var/run/docker.sock';
  if (value.startsWith('/')) return `unix://${value}`;
  if (value.startsWith('unix:///')) return value;
  const tcp =
    /^tcp:\/\/(\[[0-9a-fA-F:.]+\]|[^:/]*)(?::(\d{1,5}))?\/?$/.exec(value) ?? /^([^:/]*):(\d{1,5})$/.exec(value);
  if (tcp === null || Number(tcp[2] ?? 2375) > 65_535) {
    throw new InvalidArgument(
      `invalid argument "${text}" for "-H, --host" flag: invalid bind address format: ${value}`,
    );
  }
  return `tcp://${tcp[1] === '' ? '127.0.0.1' : tcp[1]}:${tcp[2] ?? 2375}`;
}

function parsePool(text: string): AddressPool {
  const fields = new Map(
    text.split(',').map(part => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]),
  );
  const base = fields.get('base');
  const size = Number(fields.get('size'));
  if (base === undefined || !/^[0-9a-fA-F.:]+\/\d+$/.test(base) || !Number.isInteger(size) || size < 1 || size > 128) {
    throw new InvalidArgument(
      `invalid argument "${text}" for "--default-address-pool" flag: want base=SUBNET,size=BITS`,
    );
  }
  return { base, size };
}

/** `nofile=1024:2048` or `nofile=1024`. */
export function parseUlimit(text: string): Ulimit {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw new InvalidArgument(`invalid ulimit argument: ${text}`);
  const soft = Number(match[2]);
  return { Name: match[1]!, Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
}

/** `64m`, `1g`, `512` as bytes; powers of 1024. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text.trim());
  if (match === null) throw new InvalidArgument(`invalid size: '${text}'`);
  return Math.floor(Number(match[1]) * 1024 ** ' kmgt'.indexOf(match[2]!.toLowerCase() || ' '));
}

function parseRuntimes(
  flags: readonly string[],
  file: Record<string, string> | undefined,
): Record<string, { path: string }> {
  const runtimes: Record<string, { path: string }> = {};
  for (const text of flags) {
    const at = text.indexOf('=');
    if (at <= 0) throw new InvalidArgument(`invalid runtime argument: ${text}: want NAME=PATH`);
    runtimes[text.slice(0, at)] = { path: text.slice(at + 1) };
  }
  for (const [name, json] of Object.entries(file ?? {})) {
    const { path } = JSON.parse(json) as { path?: unknown };
    if (typeof path !== 'string') throw new InvalidArgument(`runtime "${name}" has no path`);
    runtimes[name] = { path };
  }
  return runtimes;
}
