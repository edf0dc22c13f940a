// From the flags of `run` and `create` to the body of POST /containers/create.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Flags } from '../command/flags.ts';
import { parseBytes } from '../format/units.ts';
import { parseGpus } from './gpu-flag.ts';
import { readEnvironment, readLabels, toMap } from './key-values.ts';
import { parseMountFlag } from './mount-flag.ts';
import { readNetworks } from './network-flag.ts';
import { addExposed, parsePublished } from './port-flag.ts';
import { parseUlimit } from './ulimit-flag.ts';

type Json = Record<string, unknown>;

export interface CreateRequest {
  /** The body's Config part; attach flags are `run`'s to change. */
  readonly config: Json & { readonly Tty: boolean; readonly OpenStdin: boolean };
  readonly hostConfig: Json & { readonly AutoRemove: boolean };
  readonly endpoints: Readonly<Record<string, object>>;
}

const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);

/** Reads the flags; `args` are the image and the command. Throws Errors in Docker's words. */
export function readCreateRequest(flags: Flags, args: readonly string[]): CreateRequest {
  const [image = '', ...command] = args;
  const mac = flags.string('mac-address');
  if (mac !== '' && !/^([0-9a-fA-F]{2}([:-])){5}[0-9a-fA-F]{2}$/.test(mac))
    throw new Error(`${mac} is not a valid mac address`);
  const swappiness = flags.number('memory-swappiness');
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100)) {
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  }
  const { binds, volumes } = readVolumes(flags.list('volume'));
  const published = parsePublished(flags.list('publish'));
  addExposed(published.exposed, flags.list('expose'));
  const networks = readNetworks(flags);
  const interactive = flags.bool('interactive');
  const attach = flags.list('attach').map(stream => stream.toLowerCase());
  const attachStdin = interactive || attach.includes('stdin');
  const health = readHealthcheck(flags);
  const entrypoint = flags.string('entrypoint');
  const config = {
    Hostname: flags.string('hostname'),
    Domainname: flags.string('domainname'),
    User: flags.string('user'),
    AttachStdin: attachStdin,
    AttachStdout: attach.length === 0 || attach.includes('stdout'),
    AttachStderr: attach.length === 0 || attach.includes('stderr'),
    ...(Object.keys(published.exposed).length > 0 && { ExposedPorts: published.exposed }),
    Tty: flags.bool('tty'),
    OpenStdin: interactive,
    StdinOnce: interactive && attachStdin,
    Env: orNull(readEnvironment(flags.list('env-file'), flags.list('env'))),
    Cmd: orNull(command),
    ...(health !== undefined && { Healthcheck: health }),
    Image: image,
    Volumes: volumes,
    WorkingDir: flags.string('workdir'),
    Entrypoint: flags.changed('entrypoint') ? [entrypoint] : null,
    OnBuild: null,
    Labels: readLabels(flags.list('label-file'), flags.list('label')),
    ...(flags.string('stop-signal') !== '' && { StopSignal: flags.string('stop-signal') }),
    ...(flags.changed('stop-timeout') && { StopTimeout: flags.number('stop-timeout') }),
  };
  return {
    config,
    hostConfig: readHostConfig(flags, { binds, bindings: published.bindings, networkMode: networks.mode }),
    endpoints: networks.endpoints,
  };
}

function readHostConfig(
  flags: Flags,
  given: { binds: readonly string[]; bindings: object; networkMode: string },
): Json & { AutoRemove: boolean } {
  const driver = flags.string('log-driver');
  if (driver === 'none' && flags.list('log-opt').length > 0)
    throw new Error(`invalid logging opts for driver ${driver}`);
  const restart = readRestartPolicy(flags.string('restart'));
  const autoRemove = flags.bool('rm');
  if (autoRemove && restart.Name !== '' && restart.Name !== 'no') {
    throw new Error('conflicting options: cannot specify both --restart and --rm');
  }
  const mode = (flag: string, what: string, valid: RegExp): string => {
    const value = flags.string(flag);
    if (value !== '' && !valid.test(value)) throw new Error(`--${flag}: invalid ${what} mode`);
    return value;
  };
  const security = readSecurityOptions(flags.list('security-opt'));
  const tmpfs = Object.fromEntries(
    flags.list('tmpfs').map(value => [value.split(':')[0]!, value.split(/:(.*)/s)[1] ?? '']),
  );
  const mounts: Json[] = flags.list('mount').map(parseMountFlag);
  if (flags.bool('use-api-socket')) {
    mounts.push({ Type: 'bind', Source: '/var/run/docker.sock', Target: '/var/run/docker.sock', BindOptions: {} });
  }
  const storage = flags.list('storage-opt');
  if (storage.some(option => !option.includes('='))) throw new Error('invalid storage option');
  const devices = flags.list('device').filter(device => !isCdi(device));
  const cdi = flags.list('device').filter(isCdi);
  const requests: object[] = flags.list('gpus').map(parseGpus);
  if (cdi.length > 0) requests.push({ Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null });
  const hostConfig: Json & { AutoRemove: boolean } = {
    Binds: orNull(given.binds),
    ContainerIDFile: flags.string('cidfile'),
    LogConfig: { Type: driver, Config: toMap(flags.list('log-opt')) },
    NetworkMode: given.networkMode,
    PortBindings: given.bindings,
    RestartPolicy: restart,
    AutoRemove: autoRemove,
    VolumeDriver: flags.string('volume-driver'),
    VolumesFrom: orNull(flags.list('volumes-from')),
    ConsoleSize: [0, 0],
    ...(flags.changed('annotation') && { Annotations: toMap(flags.list('annotation')) }),
    CapAdd: orNull(readCapabilities(flags.list('cap-add'))),
    CapDrop: orNull(readCapabilities(flags.list('cap-drop'))),
    CgroupnsMode: mode('cgroupns', 'CGROUP', /^(private|host)$/),
    Dns: flags.list('dns'),
    DnsOptions: [...flags.list('dns-option'), ...flags.list('dns-opt')],
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: orNull(flags.list('add-host').map(readExtraHost)),
    GroupAdd: orNull(flags.list('group-add')),
    IpcMode: flags.string('ipc'),
    Cgroup: '',
    Links: orNull(flags.list('link')),
    OomScoreAdj: flags.number('oom-score-adj'),
    PidMode: mode('pid', 'PID', /^(host|container:.+)$/),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: security.unmasked ? security.options : orNull(security.options),
    ...(storage.length > 0 && { StorageOpt: toMap(storage) }),
    ...(Object.keys(tmpfs).length > 0 && { Tmpfs: tmpfs }),
    UTSMode: mode('uts', 'UTS', /^host$/),
    UsernsMode: mode('userns', 'USER', /^host$/),
    ShmSize: flags.number('shm-size'),
    ...(flags.changed('sysctl') && { Sysctls: toMap(flags.list('sysctl')) }),
    ...(flags.string('runtime') !== '' && { Runtime: flags.string('runtime') }),
    Isolation: flags.string('isolation'),
    ...readResources(flags, devices, requests),
    ...(mounts.length > 0 && { Mounts: mounts }),
    MaskedPaths: security.unmasked ? [] : null,
    ReadonlyPaths: security.unmasked ? [] : null,
    ...(flags.changed('init') && { Init: flags.bool('init') }),
  };
  return hostConfig;
}

function readResources(flags: Flags, devices: readonly string[], requests: readonly object[]): Json {
  const rates = (flag: string, read: (text: string) => number): object[] =>
    flags.list(flag).map(value => ({ Path: value.split(':')[0], Rate: read(value.split(/:(.*)/s)[1] ?? '') }));
  return {
    CpuShares: flags.number('cpu-shares'),
    Memory: flags.number('memory'),
    NanoCpus: flags.number('cpus'),
    CgroupParent: flags.string('cgroup-parent'),
    BlkioWeight: flags.number('blkio-weight'),
    BlkioWeightDevice: flags
      .list('blkio-weight-device')
      .map(value => ({ Path: value.split(':')[0], Weight: Number(value.split(':')[1]) })),
    BlkioDeviceReadBps: rates('device-read-bps', parseBytes),
    BlkioDeviceWriteBps: rates('device-write-bps', parseBytes),
    BlkioDeviceReadIOps: rates('device-read-iops', Number),
    BlkioDeviceWriteIOps: rates('device-write-iops', Number),
    CpuPeriod: flags.number('cpu-period'),
    CpuQuota: flags.number('cpu-quota'),
    CpuRealtimePeriod: flags.number('cpu-rt-period'),
    CpuRealtimeRuntime: flags.number('cpu-rt-runtime'),
    CpusetCpus: flags.string('cpuset-cpus'),
    CpusetMems: flags.string('cpuset-mems'),
    Devices: devices.map(readDevice),
    DeviceCgroupRules: orNull(flags.list('device-cgroup-rule')),
    DeviceRequests: orNull(requests),
    ...(flags.number('kernel-memory') !== 0 && { KernelMemory: flags.number('kernel-memory') }),
    MemoryReservation: flags.number('memory-reservation'),
    MemorySwap: flags.number('memory-swap'),
    MemorySwappiness: flags.number('memory-swappiness'),
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: flags.number('pids-limit'),
    Ulimits: flags.list('ulimit').map(parseUlimit),
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
  };
}

/** A path alone is an anonymous volume; the rest are binds, with a relative source made absolute. */
function readVolumes(values: readonly string[]): { binds: string[]; volumes: Record<string, object> } {
  const binds: string[] = [];
  const volumes: Record<string, object> = {};
  for (const value of values) {
    if (value === '') throw new Error('invalid empty volume spec');
    const at = value.indexOf(':');
    if (at < 0) volumes[value] = {};
    else if (/^\.{1,2}(\/|:)/.test(value)) binds.push(resolve(value.slice(0, at)) + value.slice(at));
    else if (value.startsWith('~/')) binds.push((process.env.HOME ?? '') + value.slice(1));
    else binds.push(value);
  }
  return { binds, volumes };
}

const isCdi = (device: string): boolean => /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+=.+$/.test(device);

function readDevice(value: string): Json {
  const [source = '', second, third] = value.split(':');
  const isMode = (text: string | undefined): boolean => text !== undefined && /^[rwm]{1,3}$/.test(text);
  const target = second === undefined || (isMode(second) && third === undefined) ? source : second;
  return {
    PathOnHost: source,
    PathInContainer: target === '' ? source : target,
    CgroupPermissions: third ?? (isMode(second) ? second : 'rwm'),
  };
}

/** "name=ip" and "name:[ip]" become "name:ip". */
function readExtraHost(value: string): string {
  const [name = '', address = ''] = value.split(/[=:](.*)/s);
  return `${name}:${address.replace(/^\[(.*)\]$/, '$1')}`;
}

/** Upper case, with CAP_ in front, sorted, each once. */
function readCapabilities(values: readonly string[]): string[] {
  const upper = values.map(value => {
    const name = value.trim().toUpperCase();
    return name === 'ALL' || name.startsWith('CAP_') ? name : `CAP_${name}`;
  });
  return upper.includes('ALL') ? ['ALL'] : [...new Set(upper)].sort();
}

export function readRestartPolicy(text: string): { Name: string; MaximumRetryCount: number } {
  if (text === '') return { Name: '', MaximumRetryCount: 0 };
  const [name = '', count = ''] = text.split(/:(.*)/s);
  if (count !== '' && !/^-?[0-9]+$/.test(count))
    throw new Error('invalid restart policy format: maximum retry count must be an integer');
  if (text.startsWith(':')) throw new Error('invalid restart policy format: no policy provided before colon');
  return { Name: name, MaximumRetryCount: Number(count || 0) };
}

function readHealthcheck(flags: Flags): Json | undefined {
  const names = [
    'health-cmd',
    'health-interval',
    'health-timeout',
    'health-start-period',
    'health-start-interval',
    'health-retries',
  ];
  const given = names.some(name => (name === 'health-cmd' ? flags.string(name) !== '' : flags.number(name) !== 0));
  if (flags.bool('no-healthcheck')) {
    if (given) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] };
  }
  if (!given) return undefined;
  for (const name of names.slice(1)) if (flags.number(name) < 0) throw new Error(`--${name} cannot be negative`);
  const set = (key: string, flag: string): Json => (flags.number(flag) === 0 ? {} : { [key]: flags.number(flag) });
  return {
    ...(flags.string('health-cmd') !== '' && { Test: ['CMD-SHELL', flags.string('health-cmd')] }),
    ...set('Interval', 'health-interval'),
    ...set('Timeout', 'health-timeout'),
    ...set('StartPeriod', 'health-start-period'),
    ...set('StartInterval', 'health-start-interval'),
    ...set('Retries', 'health-retries'),
  };
}

/** Seccomp profiles are files of the client's: their content is sent. */
function readSecurityOptions(values: readonly string[]): { options: string[]; unmasked: boolean } {
  let unmasked = false;
  const options: string[] = [];
  for (const value of values) {
    if (value === 'systempaths=unconfined') {
      unmasked = true;
      continue;
    }
    const separator = value.includes('=') ? '=' : ':';
    const [key = '', setting] = value.split(separator, 1).concat(value.slice(value.indexOf(separator) + 1));
    if (!value.includes(separator) && value !== 'no-new-privileges')
      throw new Error(`Invalid --security-opt: ${JSON.stringify(value)}`);
    if (key === 'seccomp' && setting !== 'unconfined' && setting !== 'builtin') {
      options.push(`seccomp=${JSON.stringify(readProfile(setting ?? ''))}`);
    } else options.push(value);
  }
  return { options, unmasked };
}

function readProfile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (err) {
    const reason =
      (err as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (err as Error).message;
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: ${reason}`);
  }
  try {
    return JSON.parse(text);
  } catch (err) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${(err as Error).message}`);
  }
}
