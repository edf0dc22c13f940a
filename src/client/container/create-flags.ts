// The flags that `run` and `create` share.

import { type Flag, flag } from '../command/flag.ts';
import { parseGpus } from './gpu-flag.ts';
import { parseMountFlag } from './mount-flag.ts';
import { parseUlimit } from './ulimit-flag.ts';

const ip = (text: string): void => {
  if (!/^[0-9.]+$/.test(text) && !/^[0-9a-fA-F:.%]+$/.test(text))
    throw new Error(`IP address is not correctly formatted: ${text}`);
};
const host = (text: string): void => {
  const [name = '', address = ''] = text.split(/[=:](.*)/s);
  if (name === '' || address === '') throw new Error(`bad format for add-host: ${JSON.stringify(text)}`);
};
const device = (text: string): void => {
  const [source = '', target, mode] = text.split(':');
  if (
    text.split(':').length > 3 ||
    (mode !== undefined && !/^[rwm]{1,3}$/.test(mode)) ||
    source === '' ||
    target === ''
  ) {
    throw new Error(`bad format for path: ${text}`);
  }
};
const stream = (text: string): void => {
  if (!['stdin', 'stdout', 'stderr'].includes(text.toLowerCase()))
    throw new Error('valid streams are STDIN, STDOUT and STDERR');
};
const environment = (text: string): void => {
  if (text === '' || text.startsWith('=')) throw new Error(`invalid environment variable: ${text}`);
};
const label = (text: string): void => {
  if (text.split('=')[0]!.trim() === '') throw new Error(`invalid label '${text}': empty name`);
};
const weight = (text: string): void => {
  const [path = '', value] = text.split(':');
  if (value === undefined) throw new Error(`bad format: ${text}`);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
  if (!/^[0-9]+$/.test(value) || (Number(value) > 0 && (Number(value) < 10 || Number(value) > 1000))) {
    throw new Error(`invalid weight for device: ${text}`);
  }
};
const throttle = (text: string): void => {
  const [path = '', rate] = text.split(':');
  if (rate === undefined || rate === '') throw new Error(`bad format: ${text}`);
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`);
};
const sysctls = [
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
];
const sysctl = (text: string): void => {
  const [name = '', value] = text.split('=');
  if (value === undefined || !(sysctls.includes(name) || name.startsWith('net.') || name.startsWith('fs.mqueue.'))) {
    throw new Error(`sysctl '${text}' is not allowed`);
  }
};
const deviceRule = (text: string): void => {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text))
    throw new Error(`invalid device cgroup format '${text}'`);
};
const link = (text: string): void => {
  if (text === '') throw new Error('empty string specified for links');
  if (text.split(':').length > 2) throw new Error(`bad format for links: ${text}`);
};

const checks: Readonly<Record<string, (text: string) => void>> = {
  'add-host': host,
  attach: stream,
  'blkio-weight-device': weight,
  device,
  'device-cgroup-rule': deviceRule,
  'device-read-bps': throttle,
  'device-read-iops': throttle,
  'device-write-bps': throttle,
  'device-write-iops': throttle,
  dns: ip,
  env: environment,
  gpus: parseGpus,
  label,
  link,
  mount: parseMountFlag,
  sysctl,
  ulimit: parseUlimit,
};

const table: readonly Flag[] = [
  flag.list('add-host', '', 'Add a custom host-to-IP mapping (host:ip)'),
  flag.list('annotation', '', 'Add an annotation to the container (passed through to the OCI runtime)', {
    typeName: 'map',
    shownDefault: 'map[]',
  }),
  flag.list('attach', 'a', 'Attach to STDIN, STDOUT or STDERR'),
  flag.uint('blkio-weight', '', 'Block IO (relative weight), between 10 and 1000, or 0 to disable', {
    shownDefault: '0',
  }),
  flag.list('blkio-weight-device', '', 'Block IO weight (relative device weight)', { shownDefault: '[]' }),
  flag.list('cap-add', '', 'Add Linux capabilities'),
  flag.list('cap-drop', '', 'Drop Linux capabilities'),
  flag.string('cgroup-parent', '', 'Optional parent cgroup for the container'),
  flag.string(
    'cgroupns',
    '',
    "Cgroup namespace to use (host|private)\n'host':    Run the container in the Docker host's cgroup namespace\n'private': Run the container in its own private cgroup namespace\n'':        Use the cgroup namespace as configured by the\n           default-cgroupns-mode option on the daemon (default)",
  ),
  flag.string('cidfile', '', 'Write the container ID to the file'),
  flag.int('cpu-period', '', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  flag.int('cpu-quota', '', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  flag.int('cpu-rt-period', '', 'Limit CPU real-time period in microseconds'),
  flag.int('cpu-rt-runtime', '', 'Limit CPU real-time runtime in microseconds'),
  flag.int('cpu-shares', 'c', 'CPU shares (relative weight)'),
  flag.decimal('cpus', '', 'Number of CPUs'),
  flag.string('cpuset-cpus', '', 'CPUs in which to allow execution (0-3, 0,1)'),
  flag.string('cpuset-mems', '', 'MEMs in which to allow execution (0-3, 0,1)'),
  flag.list('device', '', 'Add a host device to the container'),
  flag.list('device-cgroup-rule', '', 'Add a rule to the cgroup allowed devices list'),
  flag.list('device-read-bps', '', 'Limit read rate (bytes per second) from a device', { shownDefault: '[]' }),
  flag.list('device-read-iops', '', 'Limit read rate (IO per second) from a device', { shownDefault: '[]' }),
  flag.list('device-write-bps', '', 'Limit write rate (bytes per second) to a device', { shownDefault: '[]' }),
  flag.list('device-write-iops', '', 'Limit write rate (IO per second) to a device', { shownDefault: '[]' }),
  flag.bool('disable-content-trust', '', 'Skip image verification', { shownDefault: 'true', initial: true }),
  flag.list('dns', '', 'Set custom DNS servers'),
  flag.list('dns-option', '', 'Set DNS options'),
  flag.list('dns-search', '', 'Set custom DNS search domains'),
  flag.string('domainname', '', 'Container NIS domain name'),
  flag.string('entrypoint', '', 'Overwrite the default ENTRYPOINT of the image'),
  flag.list('env', 'e', 'Set environment variables'),
  flag.list('env-file', '', 'Read in a file of environment variables'),
  flag.list('expose', '', 'Expose a port or a range of ports'),
  flag.list('gpus', '', "GPU devices to add to the container ('all' to pass all GPUs)", { typeName: 'gpu-request' }),
  flag.list('group-add', '', 'Add additional groups to join'),
  flag.string('health-cmd', '', 'Command to run to check health'),
  flag.duration('health-interval', '', 'Time between running the check (ms|s|m|h)', { shownDefault: '0s' }),
  flag.int('health-retries', '', 'Consecutive failures needed to report unhealthy'),
  flag.duration('health-start-interval', '', 'Time between running the check during the start period (ms|s|m|h)', {
    shownDefault: '0s',
  }),
  flag.duration(
    'health-start-period',
    '',
    'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)',
    { shownDefault: '0s' },
  ),
  flag.duration('health-timeout', '', 'Maximum time to allow one check to run (ms|s|m|h)', { shownDefault: '0s' }),
  flag.string('hostname', 'h', 'Container host name'),
  flag.bool('init', '', 'Run an init inside the container that forwards signals and reaps processes'),
  flag.bool('interactive', 'i', 'Keep STDIN open even if not attached'),
  flag.string('ip', '', 'IPv4 address (e.g., 172.30.100.104)'),
  flag.string('ip6', '', 'IPv6 address (e.g., 2001:db8::33)'),
  flag.string('ipc', '', 'IPC mode to use'),
  flag.string('isolation', '', 'Container isolation technology'),
  flag.bytes('kernel-memory', '', 'Kernel memory limit'),
  flag.list('label', 'l', 'Set meta data on a container'),
  flag.list('label-file', '', 'Read in a line delimited file of labels'),
  flag.list('link', '', 'Add link to another container'),
  flag.list('link-local-ip', '', 'Container IPv4/IPv6 link-local addresses'),
  flag.string('log-driver', '', 'Logging driver for the container'),
  flag.list('log-opt', '', 'Log driver options'),
  flag.string('mac-address', '', 'Container MAC address (e.g., 92:d0:c6:0a:29:33)'),
  flag.bytes('memory', 'm', 'Memory limit'),
  flag.bytes('memory-reservation', '', 'Memory soft limit'),
  flag.bytes('memory-swap', '', "Swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
  flag.int('memory-swappiness', '', 'Tune container memory swappiness (0 to 100)', { shownDefault: '-1', initial: -1 }),
  flag.list('mount', '', 'Attach a filesystem mount to the container', { typeName: 'mount' }),
  flag.string('name', '', 'Assign a name to the container'),
  flag.list('network', '', 'Connect a container to a network', { typeName: 'network' }),
  flag.list('network-alias', '', 'Add network-scoped alias for the container'),
  flag.bool('no-healthcheck', '', 'Disable any container-specified HEALTHCHECK'),
  flag.bool('oom-kill-disable', '', 'Disable OOM Killer'),
  flag.int('oom-score-adj', '', "Tune host's OOM preferences (-1000 to 1000)"),
  flag.string('pid', '', 'PID namespace to use'),
  flag.int('pids-limit', '', 'Tune container pids limit (set -1 for unlimited)'),
  flag.string('platform', '', 'Set platform if server is multi-platform capable'),
  flag.bool('privileged', '', 'Give extended privileges to this container'),
  flag.list('publish', 'p', "Publish a container's port(s) to the host"),
  flag.bool('publish-all', 'P', 'Publish all exposed ports to random ports'),
  flag.string('pull', '', 'Pull image before creating ("always", "|missing", "never")', {
    shownDefault: '"missing"',
    initial: 'missing',
  }),
  flag.bool('quiet', 'q', 'Suppress the pull output'),
  flag.bool('read-only', '', "Mount the container's root filesystem as read only"),
  flag.string('restart', '', 'Restart policy to apply when a container exits', { shownDefault: '"no"', initial: 'no' }),
  flag.bool('rm', '', 'Automatically remove the container and its associated anonymous volumes when it exits'),
  flag.string('runtime', '', 'Runtime to use for this container'),
  flag.list('security-opt', '', 'Security Options'),
  flag.bytes('shm-size', '', 'Size of /dev/shm'),
  flag.string('stop-signal', '', 'Signal to stop the container'),
  flag.int('stop-timeout', '', 'Timeout (in seconds) to stop a container'),
  flag.list('storage-opt', '', 'Storage driver options for the container'),
  flag.list('sysctl', '', 'Sysctl options', { typeName: 'map', shownDefault: 'map[]' }),
  flag.list('tmpfs', '', 'Mount a tmpfs directory'),
  flag.bool('tty', 't', 'Allocate a pseudo-TTY'),
  flag.list('ulimit', '', 'Ulimit options', { typeName: 'ulimit', shownDefault: '[]' }),
  flag.bool('use-api-socket', '', 'Bind mount Docker API socket and required auth'),
  flag.string('user', 'u', 'Username or UID (format: <name|uid>[:<group|gid>])'),
  flag.string('userns', '', 'User namespace to use'),
  flag.string('uts', '', 'UTS namespace to use'),
  flag.list('volume', 'v', 'Bind mount a volume'),
  flag.string('volume-driver', '', 'Optional volume driver for the container'),
  flag.list('volumes-from', '', 'Mount volumes from the specified container(s)'),
  flag.string('workdir', 'w', 'Working directory inside the container'),
];

export const createFlags: readonly Flag[] = [
  ...table.map(spec => (checks[spec.name] === undefined ? spec : { ...spec, check: checks[spec.name]! })),
  // The older spellings.
  flag.list('net', '', 'Connect a container to a network', { hidden: true }),
  flag.list('net-alias', '', 'Add network-scoped alias for the container', { hidden: true }),
  flag.list('dns-opt', '', 'Set DNS options', { hidden: true }),
];
