// Which requests are refused, in Docker's words, and which only earn a warning (moby daemon/container.go, daemon_unix.go).

import { cpus } from 'node:os';
import type { ContainerConfig, HostConfig, RestartPolicy } from '../../api/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';
import { validateSyslog } from '../../shim/index.ts';
import { parseSignal } from './signals.ts';
import { normalise } from './spec/capabilities.ts';

const mib = 1 << 20;
const minMemory = 6 * mib;

/** Checks a configuration of the container. */
export function validateConfig(config: ContainerConfig): void {
  if (config.WorkingDir !== '' && !config.WorkingDir.startsWith('/')) {
    throw new InvalidArgument(
      `the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  if (config.StopSignal !== undefined && config.StopSignal !== '') parseSignal(config.StopSignal);
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw new InvalidArgument(`invalid environment variable: ${entry}`);
  }
  if (Buffer.byteLength(config.Hostname) > 64) {
    throw new InvalidArgument(`invalid hostname: ${config.Hostname}: longer than 64 bytes`);
  }
  for (const port of Object.keys(config.ExposedPorts ?? {})) parsePort(port);
  const check = config.Healthcheck;
  if (check !== undefined) {
    const durations = [
      ['Interval', check.Interval],
      ['Timeout', check.Timeout],
      ['StartPeriod', check.StartPeriod],
      ['StartInterval', check.StartInterval],
    ] as const;
    for (const [name, value] of durations) {
      if (value !== undefined && value !== 0 && value < 1e6) {
        throw new InvalidArgument(`${name} in Healthcheck cannot be less than 1ms`);
      }
    }
    if ((check.Retries ?? 0) < 0) throw new InvalidArgument('Retries in Healthcheck cannot be negative');
  }
}

/** `80`, `80/tcp`, `53/udp` → number and protocol. */
export function parsePort(text: string): { readonly port: number; readonly protocol: string } {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text);
  if (match === null || Number(match[1]) > 65_535) throw new InvalidArgument(`invalid port specification: "${text}"`);
  return { port: Number(match[1]), protocol: (match[2] ?? 'tcp').toLowerCase() };
}

export function validateRestartPolicy(policy: RestartPolicy): void {
  const known = ['', 'no', 'always', 'on-failure', 'unless-stopped'];
  if (!known.includes(policy.Name)) {
    throw new InvalidArgument(
      `invalid restart policy: unknown policy '${policy.Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (policy.MaximumRetryCount === 0) return;
  if (policy.Name !== 'on-failure') {
    throw new InvalidArgument("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (policy.MaximumRetryCount < 0) {
    throw new InvalidArgument('invalid restart policy: maximum retry count cannot be negative');
  }
}

export interface ValidationFacts {
  readonly runtimes: readonly string[];
  readonly logDrivers: readonly string[];
  readonly cgroupVersion: 1 | 2;
  /** Of the whole process, in RLIMIT names without the prefix: hard limits that cannot be raised. */
  readonly canRaiseLimits: boolean;
  /** The daemon's own hard limits by Docker's names (`nofile`); what is missing is unlimited. */
  readonly hardLimits: Readonly<Record<string, number>>;
}

/** Checks a completed HostConfig; the answer are warnings for the client. */
export function validateHostConfig(host: HostConfig, config: ContainerConfig, facts: ValidationFacts): string[] {
  validateRestartPolicy(host.RestartPolicy);
  if (host.AutoRemove && host.RestartPolicy.Name !== 'no') {
    throw new InvalidArgument("can't create 'AutoRemove' container with restart policy");
  }
  validateModes(host, config);
  for (const entry of host.ExtraHosts ?? []) {
    const at = entry.search(/[:=]/);
    if (at <= 0) throw new InvalidArgument(`bad format for add-host: "${entry}"`);
    const address = entry.slice(at + 1).replace(/^\[|\]$/g, '');
    if (address !== 'host-gateway' && !/^[0-9a-fA-F.:]+$/.test(address)) {
      throw new InvalidArgument(`invalid IP address in add-host: "${address}"`);
    }
  }
  validatePorts(host);
  normalise(host.CapAdd ?? [], 'CapAdd');
  normalise(host.CapDrop ?? [], 'CapDrop');
  if (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000) {
    throw new InvalidArgument(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (host.ShmSize < 0) throw new InvalidArgument('SHM size can not be less than 0');
  if (!facts.runtimes.includes(host.Runtime))
    throw new InvalidArgument(`unknown or invalid runtime name: ${host.Runtime}`);
  if (host.Isolation !== '' && host.Isolation !== 'default') {
    throw new InvalidArgument(`invalid isolation (${host.Isolation}): linux only supports 'default'`);
  }
  if (host.StorageOpt !== undefined && host.StorageOpt !== null && Object.keys(host.StorageOpt).length > 0) {
    throw new InvalidArgument("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
  if ((host.DeviceRequests ?? []).length > 0) {
    const request = host.DeviceRequests![0]!;
    const capabilities = (request.Capabilities ?? []).map(list => `[${(list ?? []).join(' ')}]`).join(' ');
    throw new InvalidArgument(
      `could not select device driver "${request.Driver}" with capabilities: [${capabilities}]`,
    );
  }
  validateLog(host, facts);
  for (const option of host.SecurityOpt ?? []) validateSecurityOption(option);
  return [...validateResources(host, facts), ...limitWarnings(host, facts)];
}

function validateModes(host: HostConfig, config: ContainerConfig): void {
  const joins = host.NetworkMode.startsWith('container:');
  if (joins) {
    if (config.Hostname !== '') throw new InvalidArgument('conflicting options: hostname and the network mode');
    if ((host.Links ?? []).length > 0) {
      throw new InvalidArgument(
        "conflicting options: container type network can't be used with links. This would result in undefined behavior",
      );
    }
    if ((host.Dns ?? []).length > 0) throw new InvalidArgument('conflicting options: dns and the network mode');
    if ((host.ExtraHosts ?? []).length > 0) {
      throw new InvalidArgument('conflicting options: custom host-to-IP mapping and the network mode');
    }
    if (Object.keys(host.PortBindings ?? {}).length > 0 || host.PublishAllPorts) {
      throw new InvalidArgument('conflicting options: port publishing and the container type network mode');
    }
  }
  if (host.UTSMode === 'host' && config.Hostname !== '') {
    throw new InvalidArgument('conflicting options: hostname and the UTS mode');
  }
  if (host.UTSMode !== '' && host.UTSMode !== 'host') throw new InvalidArgument(`invalid UTS mode: ${host.UTSMode}`);
  if (host.UsernsMode !== '' && host.UsernsMode !== 'host') {
    throw new InvalidArgument(`invalid USER mode: ${host.UsernsMode}`);
  }
  if (host.PidMode !== '' && host.PidMode !== 'host' && !/^container:.+/.test(host.PidMode)) {
    throw new InvalidArgument(`invalid PID mode: ${host.PidMode}`);
  }
  if (!/^(none|private|shareable|host|container:.+)$/.test(host.IpcMode)) {
    throw new InvalidArgument(`invalid IPC mode: ${host.IpcMode}`);
  }
  if (host.CgroupnsMode !== 'private' && host.CgroupnsMode !== 'host') {
    throw new InvalidArgument(`invalid cgroup namespace mode: ${host.CgroupnsMode}`);
  }
}

function validatePorts(host: HostConfig): void {
  for (const [port, bindings] of Object.entries(host.PortBindings ?? {})) {
    parsePort(port);
    for (const binding of bindings ?? []) {
      if (binding.HostPort !== '' && !/^\d{1,5}(-\d{1,5})?$/.test(binding.HostPort)) {
        throw new InvalidArgument(`invalid port specification: "${binding.HostPort}"`);
      }
      if (binding.HostIp !== '' && !/^[0-9a-fA-F.:]+$/.test(binding.HostIp)) {
        throw new InvalidArgument(`invalid IP address: ${binding.HostIp}`);
      }
    }
  }
}

const logOptions: Readonly<Record<string, readonly string[]>> = {
  'json-file': ['max-file', 'max-size', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
  local: ['max-file', 'max-size', 'compress'],
  none: [],
  syslog: [
    ...['syslog-address', 'syslog-facility', 'syslog-format', 'tag', 'labels', 'labels-regex', 'env', 'env-regex'],
    ...['syslog-tls-ca-cert', 'syslog-tls-cert', 'syslog-tls-key', 'syslog-tls-skip-verify'],
  ],
};
const commonLogOptions = ['mode', 'max-buffer-size'];

function validateLog(host: HostConfig, facts: ValidationFacts): void {
  const { Type, Config } = host.LogConfig;
  if (!facts.logDrivers.includes(Type)) {
    throw new InvalidArgument(`error looking up logging plugin ${Type}: plugin "${Type}" not found`);
  }
  const options = Config ?? {};
  const mode = options.mode;
  if (mode !== undefined && mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') {
    throw new InvalidArgument(`logger: logging mode not supported: ${mode}`);
  }
  if (options['max-buffer-size'] !== undefined && mode !== 'non-blocking') {
    throw new InvalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  for (const key of Object.keys(options)) {
    if (Type !== 'none' && !commonLogOptions.includes(key) && !(logOptions[Type] ?? []).includes(key)) {
      throw new InvalidArgument(`unknown log opt '${key}' for ${Type} log driver`);
    }
  }
  if (Type === 'syslog') {
    validateSyslog({
      address: options['syslog-address'] ?? '',
      facility: options['syslog-facility'] ?? '',
      format: options['syslog-format'] ?? '',
    });
  }
  const files = options['max-file'];
  if (files !== undefined && !/^[1-9]\d*$/.test(files)) throw new InvalidArgument('max-file cannot be less than 1');
}

/** The forms that are known; their contents are read when the spec is made. */
function validateSecurityOption(option: string): void {
  if (option === 'no-new-privileges' || option === 'systempaths=unconfined') return;
  const match = /^([^=:]+)[=:](.*)$/s.exec(option);
  if (match === null) throw new InvalidArgument(`invalid --security-opt 1: "${option}"`);
  const [, key, value] = match;
  switch (key) {
    case 'label':
    case 'apparmor':
    case 'seccomp':
      return;
    case 'no-new-privileges':
    case 'writable-cgroups':
      if (!/^(1|t|true|0|f|false)$/i.test(value!)) throw new InvalidArgument(`invalid --security-opt 2: "${option}"`);
      return;
    default:
      throw new InvalidArgument(`invalid --security-opt 2: "${option}"`);
  }
}

/** Memory, CPU, block I/O. */
export function validateResources(host: HostConfig, facts: Pick<ValidationFacts, 'cgroupVersion'>): string[] {
  const warnings: string[] = [];
  if (host.Memory !== 0 && host.Memory < minMemory) throw new InvalidArgument('Minimum memory limit allowed is 6MB');
  if (host.Memory > 0 && host.MemorySwap > 0 && host.MemorySwap < host.Memory) {
    throw new InvalidArgument('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (host.Memory === 0 && host.MemorySwap > 0) {
    throw new InvalidArgument('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (host.MemorySwappiness !== null && host.MemorySwappiness !== -1) {
    if (host.MemorySwappiness < -1 || host.MemorySwappiness > 100) {
      throw new InvalidArgument(`Invalid value: ${host.MemorySwappiness}, valid memory swappiness range is 0-100`);
    }
    if (facts.cgroupVersion === 2) {
      warnings.push(
        'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
      );
    }
  }
  if (host.MemoryReservation !== 0 && host.MemoryReservation < minMemory) {
    throw new InvalidArgument('Minimum memory reservation allowed is 6MB');
  }
  if (host.Memory > 0 && host.MemoryReservation > host.Memory) {
    throw new InvalidArgument('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  if (host.OomKillDisable === true && facts.cgroupVersion === 2) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
  } else if (host.OomKillDisable === true && host.Memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  if (host.NanoCpus > 0 && host.CpuPeriod > 0) {
    throw new InvalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  }
  if (host.NanoCpus > 0 && host.CpuQuota > 0) {
    throw new InvalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  }
  const available = cpus().length;
  if (host.NanoCpus < 0 || host.NanoCpus > available * 1e9) {
    throw new InvalidArgument(
      `range of CPUs is from 0.01 to ${available}.00, as there are only ${available} CPUs available`,
    );
  }
  if (host.CpuPeriod !== 0 && (host.CpuPeriod < 1000 || host.CpuPeriod > 1_000_000)) {
    throw new InvalidArgument('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (host.CpuQuota > 0 && host.CpuQuota < 1000) {
    throw new InvalidArgument('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
  validateCpuset(host.CpusetCpus, available);
  if (host.BlkioWeight !== 0 && (host.BlkioWeight < 10 || host.BlkioWeight > 1000)) {
    throw new InvalidArgument('Range of blkio weight is from 10 to 1000');
  }
  return warnings;
}

function validateCpuset(text: string, available: number): void {
  if (text === '') return;
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) throw new InvalidArgument(`Invalid value ${text} for cpuset cpus`);
  const highest = Math.max(...text.split(/[,-]/).map(Number));
  if (highest >= available) {
    throw new InvalidArgument(
      `Requested CPUs are not available - requested ${text}, available: 0-${available - 1}`.replace('0-0', '0'),
    );
  }
}

function limitWarnings(host: HostConfig, facts: ValidationFacts): string[] {
  const above = (host.Ulimits ?? []).some(
    limit => limit.Hard < 0 || limit.Hard > (facts.hardLimits[limit.Name] ?? Number.POSITIVE_INFINITY),
  );
  if (facts.canRaiseLimits || !above) return [];
  return [
    'This engine may not raise resource limits (it lacks CAP_SYS_RESOURCE); ulimits above its own are set as far as they go.',
  ];
}
