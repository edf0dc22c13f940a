// The mounts of a container in the runtime spec: Docker's own, then the user's, shallow ones first (moby daemon/oci_linux.go, withMounts).

import type { HostConfig } from '../../../api/index.ts';
import type { Mount } from '../../../oci/index.ts';
import { cleanPath } from '../mounts/bind.ts';
import type { ContainerMount } from '../record.ts';

/** Files of the engine that every container sees as its own. */
export interface NetworkFiles {
  readonly resolvConf: string;
  readonly hostname: string;
  readonly hosts: string;
}

export interface MountInputs {
  readonly host: HostConfig;
  readonly mounts: readonly ContainerMount[];
  readonly files: NetworkFiles;
  /** A shared /dev/shm of the host's side, when ipc is the host's, another container's or shareable. */
  readonly shm?: string;
  /** No /dev/shm at all (`--ipc none`). */
  readonly noShm: boolean;
  /** Host path of the init program with `--init`. */
  readonly init?: string;
  readonly writableCgroups: boolean;
}

export const initPath = '/sbin/docker-init';

/** moby daemon/pkg/oci/defaults.go. */
const defaults: readonly Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  {
    destination: '/dev',
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
  },
  {
    destination: '/dev/pts',
    type: 'devpts',
    source: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
  { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
];

/** All mounts in the order in which they are made. */
export function specMounts(inputs: MountInputs): Mount[] {
  const { host } = inputs;
  const own = defaults.map(mount => adaptDefault(mount, inputs));
  if (inputs.shm === undefined && !inputs.noShm) {
    const options = ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${host.ShmSize}`];
    own.push({ destination: '/dev/shm', type: 'tmpfs', source: 'shm', options });
  }
  const asked = userMounts(inputs);
  const targets = new Set(asked.map(mount => mount.destination));
  const devIsReplaced = targets.has('/dev');
  const kept = own.filter(
    mount => !targets.has(mount.destination) && !(devIsReplaced && mount.destination.startsWith('/dev/')),
  );
  const init: Mount[] =
    inputs.init === undefined
      ? []
      : [{ destination: initPath, type: 'bind', source: inputs.init, options: ['bind', 'ro'] }];
  return [...kept, ...init, ...asked];
}

function adaptDefault(mount: Mount, { host, writableCgroups }: MountInputs): Mount {
  const writable =
    (host.Privileged && (mount.destination === '/sys' || mount.destination === '/sys/fs/cgroup')) ||
    (writableCgroups && mount.destination === '/sys/fs/cgroup');
  if (writable) return { ...mount, options: (mount.options ?? []).filter(option => option !== 'ro') };
  return mount;
}

const depth = (path: string): number => path.split('/').length;

function userMounts(inputs: MountInputs): Mount[] {
  const { host } = inputs;
  const list: Mount[] = [];
  for (const [target, options] of Object.entries(host.Tmpfs ?? {})) {
    list.push({ destination: cleanPath(target), type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(options) });
  }
  for (const mount of inputs.mounts) list.push(userMount(mount));
  if (inputs.shm !== undefined && !list.some(mount => mount.destination === '/dev/shm')) {
    list.push({ destination: '/dev/shm', type: 'bind', source: inputs.shm, options: ['rbind', 'rprivate'] });
  }
  const sorted = list
    .map((mount, index) => ({ mount, index }))
    .sort((a, b) => depth(a.mount.destination) - depth(b.mount.destination) || a.index - b.index)
    .map(({ mount }) => mount);
  // The engine's files come last; a mount of the user's at their place wins.
  const files = [
    ['/etc/resolv.conf', inputs.files.resolvConf],
    ['/etc/hostname', inputs.files.hostname],
    ['/etc/hosts', inputs.files.hosts],
  ] as const;
  for (const [destination, source] of files) {
    if (list.some(mount => mount.destination === destination)) continue;
    const options = host.ReadonlyRootfs ? ['rbind', 'rro', 'rprivate'] : ['rbind', 'rprivate'];
    sorted.push({ destination, type: 'bind', source, options });
  }
  return sorted;
}

function userMount(mount: ContainerMount): Mount {
  const { request } = mount;
  if (mount.Type === 'tmpfs') {
    const asked = request?.TmpfsOptions;
    const words = ['noexec', 'nosuid', 'nodev', 'rprivate'];
    if (!mount.RW) words.push('ro');
    if ((asked?.Mode ?? 0) !== 0) words.push(`mode=${asked!.Mode.toString(8)}`);
    if ((asked?.SizeBytes ?? 0) !== 0) words.push(`size=${asked!.SizeBytes}`);
    const extra = (asked?.Options ?? []).map(pair => (pair ?? []).join('='));
    return {
      destination: mount.Destination,
      type: 'tmpfs',
      source: 'tmpfs',
      options: withoutOpposites([...words, ...extra]),
    };
  }
  const bind = request?.BindOptions;
  const options = [bind?.NonRecursive === true ? 'bind' : 'rbind'];
  // Read-only binds are so with everything below them, unless asked otherwise.
  if (!mount.RW) options.push(bind?.ReadOnlyNonRecursive === true || bind?.NonRecursive === true ? 'ro' : 'rro');
  if (mount.Propagation !== '') options.push(mount.Propagation);
  return { destination: mount.Destination, type: 'bind', source: mount.Source, options };
}

function tmpfsOptions(text: string): string[] {
  return withoutOpposites(['noexec', 'nosuid', 'nodev', 'rprivate', ...text.split(',').filter(word => word !== '')]);
}

/** Later words take back earlier ones: `exec` after `noexec`, a second `size=`. */
function withoutOpposites(words: readonly string[]): string[] {
  const subject = (word: string): string => {
    const name = word.split('=', 1)[0]!;
    if (name === 'rw') return 'ro';
    if (/^r?(private|slave|shared|unbindable)$/.test(name)) return 'propagation';
    return name.replace(/^no(?=exec|suid|dev|atime|diratime)/, '');
  };
  return words.filter((word, i) => !words.slice(i + 1).some(later => subject(later) === subject(word)));
}

/** The propagation that the root needs so that a mount's own can work. */
export function rootPropagation(mounts: readonly ContainerMount[]): string | undefined {
  const wanted = mounts.filter(mount => mount.Type === 'bind').map(mount => mount.Propagation);
  if (wanted.some(propagation => /^r?shared$/.test(propagation))) return 'shared';
  if (wanted.some(propagation => /^r?slave$/.test(propagation))) return 'rslave';
  return undefined;
}
