// What the engine tells about itself and the machine; read once.

import { existsSync, readFileSync, statfsSync } from 'node:fs';
import os from 'node:os';
import type { Platform } from '../../oci/index.ts';
import type { MachineFacts } from '../container/services.ts';
import { capabilitiesOfMask } from '../container/spec/capabilities.ts';

/** The Docker version whose behaviour this engine follows; clients compare it. */
export const engineVersion = '28.5.2';

export interface SystemFacts extends MachineFacts {
  /** Stable for a data root. */
  readonly engineId: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  readonly uname: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of berth itself. */
  readonly berthVersion: string;
}

export function readFacts(engineId: string, berthVersion: string): SystemFacts {
  const status = readFileSync('/proc/self/status', 'utf8');
  const mask = BigInt(`0x${/^CapBnd:\s+([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const capabilities = capabilitiesOfMask(mask);
  const release = osRelease();
  return {
    engineId,
    berthVersion,
    cgroupVersion: isCgroup2() ? 2 : 1,
    hostname: os.hostname(),
    capabilities,
    canRaiseLimits: capabilities.includes('CAP_SYS_RESOURCE'),
    hardLimits: hardLimits(),
    platform: hostPlatform(),
    kernelVersion: os.release(),
    operatingSystem: release.PRETTY_NAME ?? 'Linux',
    osVersion: release.VERSION_ID ?? '',
    uname: os.machine(),
    cpus: os.cpus().length,
    memoryBytes: os.totalmem(),
  };
}

/** Go's words for this machine. */
export function hostPlatform(): Platform {
  const architecture = os.machine() === 'aarch64' ? 'arm64' : 'amd64';
  return { os: 'linux', architecture, ...(architecture === 'arm64' && { variant: 'v8' }) };
}

const cgroup2Magic = 0x63677270;

function isCgroup2(): boolean {
  try {
    return statfsSync('/sys/fs/cgroup').type === cgroup2Magic;
  } catch {
    return false;
  }
}

function osRelease(): Record<string, string> {
  const file = ['/etc/os-release', '/usr/lib/os-release'].find(existsSync);
  if (file === undefined) return {};
  const fields: Record<string, string> = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const match = /^(\w+)=(?:"(.*)"|(.*))$/.exec(line.trim());
    if (match !== null) fields[match[1]!] = match[2] ?? match[3] ?? '';
  }
  return fields;
}

/** Names of /proc/PID/limits (proc_pid_limits(5)) as Docker's --ulimit calls them. */
const limitNames: Readonly<Record<string, string>> = {
  'Max cpu time': 'cpu',
  'Max file size': 'fsize',
  'Max data size': 'data',
  'Max stack size': 'stack',
  'Max core file size': 'core',
  'Max resident set': 'rss',
  'Max processes': 'nproc',
  'Max open files': 'nofile',
  'Max locked memory': 'memlock',
  'Max file locks': 'locks',
  'Max pending signals': 'sigpending',
  'Max msgqueue size': 'msgqueue',
  'Max nice priority': 'nice',
  'Max realtime priority': 'rtprio',
  'Max realtime timeout': 'rttime',
};

function hardLimits(): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const line of readFileSync('/proc/self/limits', 'utf8').split('\n')) {
    const [label = '', , hard = ''] = line.split(/\s{2,}/);
    const name = limitNames[label];
    if (name !== undefined && /^\d+$/.test(hard)) limits[name] = Number(hard);
  }
  return limits;
}
