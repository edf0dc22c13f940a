// Reads a config.json that somebody else wrote: every property that the runtime looks at has the type the spec gives it, or the error
// names the property. What the spec does not know is passed over, as it demands ("Extensibility").

import { InvalidArgument } from '../errdefs/index.ts';
import type { Process, RuntimeSpec } from './runtime.ts';

type Check = (value: unknown, path: string) => void;

const fail = (path: string, wanted: string): never => {
  throw new InvalidArgument(`invalid config.json: ${path || 'document'} must be ${wanted}`);
};

const string: Check = (value, path) => {
  if (typeof value !== 'string') return fail(path, 'a string');
  // The kernel would read it as the end.
  if (value.includes('\0')) fail(path, 'without a zero byte');
};
const boolean: Check = (value, path) => {
  if (typeof value !== 'boolean') fail(path, 'true or false');
};
const integer: Check = (value, path) => {
  if (typeof value === 'bigint') return;
  if (typeof value !== 'number' || !Number.isInteger(value)) fail(path, 'a whole number');
};
const unsigned: Check = (value, path) => {
  integer(value, path);
  if ((value as number) < 0) fail(path, 'zero or more');
};
/** An id of a user or group, a device number. */
const id: Check = (value, path) => {
  unsigned(value, path);
  if ((value as number) > 0xffffffff) fail(path, 'a number of 32 bits');
};

const list =
  (item: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) fail(path, 'a list');
    for (const [index, one] of (value as unknown[]).entries()) item(one, `${path}[${index}]`);
  };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const map =
  (item: Check): Check =>
  (value, path) => {
    if (!isObject(value)) return fail(path, 'an object');
    for (const [key, one] of Object.entries(value)) item(one, `${path}.${key}`);
  };

/** Properties by name; a name that ends in "!" is required. null counts as missing, since Go writes it for an empty list. */
function object(properties: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(properties).map(
    ([key, check]) => [key.replace('!', ''), check, key.endsWith('!')] as const,
  );
  return (value, path) => {
    if (!isObject(value)) return fail(path, 'an object');
    for (const [name, check, required] of entries) {
      const member = value[name];
      const where = path ? `${path}.${name}` : name;
      if (member !== undefined && member !== null) check(member, where);
      else if (required) throw new InvalidArgument(`invalid config.json: ${where} is missing`);
    }
  };
}

const strings = list(string);
const idMappings = list(object({ 'containerID!': id, 'hostID!': id, 'size!': id }));

const processProperties = {
  terminal: boolean,
  consoleSize: object({ 'height!': unsigned, 'width!': unsigned }),
  'user!': object({ uid: id, gid: id, umask: unsigned, additionalGids: list(id) }),
  args: strings,
  env: strings,
  'cwd!': string,
  capabilities: object({
    bounding: strings,
    effective: strings,
    inheritable: strings,
    permitted: strings,
    ambient: strings,
  }),
  rlimits: list(object({ 'type!': string, 'soft!': integer, 'hard!': integer })),
  noNewPrivileges: boolean,
  apparmorProfile: string,
  selinuxLabel: string,
  oomScoreAdj: integer,
  scheduler: object({
    'policy!': string,
    nice: integer,
    priority: integer,
    flags: strings,
    runtime: unsigned,
    deadline: unsigned,
    period: unsigned,
  }),
  ioPriority: object({ 'class!': string, 'priority!': integer }),
  execCPUAffinity: object({ initial: string, final: string }),
};

const hooks = list(object({ 'path!': string, args: strings, env: strings, timeout: integer }));
const throttle = list(object({ 'major!': integer, 'minor!': integer, 'rate!': unsigned }));

const resources = object({
  devices: list(object({ 'allow!': boolean, type: string, major: integer, minor: integer, access: string })),
  memory: object({
    limit: integer,
    reservation: integer,
    swap: integer,
    kernel: integer,
    kernelTCP: integer,
    swappiness: integer,
    disableOOMKiller: boolean,
    useHierarchy: boolean,
    checkBeforeUpdate: boolean,
  }),
  cpu: object({
    shares: unsigned,
    quota: integer,
    burst: unsigned,
    period: unsigned,
    realtimeRuntime: integer,
    realtimePeriod: unsigned,
    cpus: string,
    mems: string,
    idle: integer,
  }),
  pids: object({ limit: integer }),
  blockIO: object({
    weight: unsigned,
    leafWeight: unsigned,
    weightDevice: list(object({ 'major!': integer, 'minor!': integer, weight: unsigned, leafWeight: unsigned })),
    throttleReadBpsDevice: throttle,
    throttleWriteBpsDevice: throttle,
    throttleReadIOPSDevice: throttle,
    throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: list(object({ 'pageSize!': string, 'limit!': unsigned })),
  network: object({ classID: unsigned, priorities: list(object({ 'name!': string, 'priority!': unsigned })) }),
  rdma: map(object({ hcaHandles: unsigned, hcaObjects: unsigned })),
  unified: map(string),
});

const seccomp = object({
  'defaultAction!': string,
  defaultErrnoRet: unsigned,
  architectures: strings,
  flags: strings,
  listenerPath: string,
  listenerMetadata: string,
  syscalls: list(
    object({
      'names!': strings,
      'action!': string,
      errnoRet: unsigned,
      args: list(object({ 'index!': unsigned, 'value!': unsigned, valueTwo: unsigned, 'op!': string })),
    }),
  ),
});

const linux = object({
  namespaces: list(object({ 'type!': string, path: string })),
  uidMappings: idMappings,
  gidMappings: idMappings,
  timeOffsets: map(object({ secs: integer, nanosecs: unsigned })),
  devices: list(
    object({ 'path!': string, 'type!': string, major: integer, minor: integer, fileMode: unsigned, uid: id, gid: id }),
  ),
  netDevices: map(object({ name: string })),
  cgroupsPath: string,
  resources,
  memoryPolicy: object({ 'mode!': string, nodes: string, flags: strings }),
  sysctl: map(string),
  seccomp,
  rootfsPropagation: string,
  maskedPaths: strings,
  readonlyPaths: strings,
  mountLabel: string,
  personality: object({ 'domain!': string, flags: strings }),
});

const document = object({
  'ociVersion!': string,
  root: object({ 'path!': string, readonly: boolean }),
  mounts: list(
    object({
      'destination!': string,
      type: string,
      source: string,
      options: strings,
      uidMappings: idMappings,
      gidMappings: idMappings,
    }),
  ),
  process: object(processProperties),
  hostname: string,
  domainname: string,
  hooks: object({
    prestart: hooks,
    createRuntime: hooks,
    createContainer: hooks,
    startContainer: hooks,
    poststart: hooks,
    poststop: hooks,
  }),
  annotations: map(string),
  linux,
});

/** seccomp compares 64 bits, of which a JavaScript number has 53: larger ones stay exact as bigints. */
function exact(key: string, value: unknown, context?: { source?: string }): unknown {
  if ((key !== 'value' && key !== 'valueTwo') || typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^\d+$/.test(source) ? BigInt(source) : value;
}

/** null is what Go writes for an absent list or object. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

/** JSON whose seccomp values keep all their 64 bits. Throws SyntaxError. */
export const parseSeccompJson = (json: string): unknown =>
  JSON.parse(json, exact as (key: string, value: unknown) => unknown);

/** A spec as config.json, bigints as the numbers they are. */
export function stringifyRuntimeSpec(spec: RuntimeSpec): string {
  const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };
  return JSON.stringify(spec, (_, value: unknown) => (typeof value === 'bigint' ? rawJSON(String(value)) : value));
}

function parse(json: string): unknown {
  try {
    return withoutNulls(parseSeccompJson(json));
  } catch (cause) {
    throw new InvalidArgument(`invalid config.json: ${(cause as Error).message}`, { cause });
  }
}

/** A config.json. Throws InvalidArgument that names what is wrong. */
export function parseRuntimeSpec(json: string): RuntimeSpec {
  const value = parse(json);
  document(value, '');
  const { ociVersion } = value as RuntimeSpec;
  // runtime-spec spec.md: the version of the spec that the document follows; ours understands all of 1.x.
  if (!/^1\.\d+\.\d+/.test(ociVersion)) throw new InvalidArgument(`unsupported ociVersion "${ociVersion}": want 1.x`);
  const spec = value as RuntimeSpec;
  return spec.process === undefined ? spec : { ...spec, process: withUser(spec.process) };
}

/** A process alone, as `runc exec --process` takes it. */
export function parseProcess(json: string): Process {
  const value = parse(json);
  object(processProperties)(value, 'process');
  return withUser(value as Process);
}

/** An empty user is root. */
const withUser = (process: Process): Process => ({
  ...process,
  user: { ...process.user, uid: process.user.uid ?? 0, gid: process.user.gid ?? 0 },
});
