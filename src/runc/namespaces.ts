// runtime-spec config-linux.md "Namespaces": which are new, which are joined, and in what order the kernel lets us.

import { InvalidArgument, NotImplemented } from '../errdefs/index.ts';
import type { Linux, Namespace, NamespaceType } from '../oci/index.ts';
import * as n from './numbers.ts';

export const cloneFlags: Readonly<Record<NamespaceType, number>> = {
  user: n.CLONE_NEWUSER,
  mount: n.CLONE_NEWNS,
  pid: n.CLONE_NEWPID,
  network: n.CLONE_NEWNET,
  ipc: n.CLONE_NEWIPC,
  uts: n.CLONE_NEWUTS,
  cgroup: n.CLONE_NEWCGROUP,
  time: n.CLONE_NEWTIME,
};

export interface NamespacePlan {
  /** New ones that the clone makes at once. */
  readonly clone: number;
  /** The cgroup namespace is made by the process itself, after it joined its cgroups: its root is where it is at that moment. */
  readonly unshareCgroup: boolean;
  /** New, with offsets: unshared by the process outside before the clone, since offsets must be written while it is empty. */
  readonly unshareTime: boolean;
  /** Existing ones to join, in an order that works: user first, for its rights; mount last, for the paths of the others. */
  readonly join: readonly (Namespace & { readonly path: string })[];
  readonly has: (type: NamespaceType) => boolean;
}

const joinOrder: readonly NamespaceType[] = ['user', 'pid', 'time', 'ipc', 'uts', 'network', 'cgroup', 'mount'];

export function planNamespaces(linux: Linux): NamespacePlan {
  const seen = new Map<NamespaceType, Namespace>();
  for (const namespace of linux.namespaces ?? []) {
    if (!Object.hasOwn(cloneFlags, namespace.type))
      throw new InvalidArgument(`namespace "${namespace.type}" does not exist`);
    if (seen.has(namespace.type)) throw new InvalidArgument(`duplicated namespace "${namespace.type}"`);
    seen.set(namespace.type, namespace);
  }
  const joined = (type: NamespaceType): string | undefined => seen.get(type)?.path || undefined;
  if (!seen.has('mount')) throw new NotImplemented('a container without a mount namespace is not supported');
  if (joined('mount'))
    throw new NotImplemented('joining a mount namespace is not supported: the container needs a root of its own');
  const offsets = linux.timeOffsets !== undefined && Object.keys(linux.timeOffsets).length > 0;
  if (offsets && (!seen.has('time') || joined('time')))
    throw new InvalidArgument('time namespace offsets need a new time namespace');
  let clone = 0;
  for (const [type, { path }] of seen) if (!path && type !== 'cgroup') clone |= cloneFlags[type];
  if (offsets) clone &= ~n.CLONE_NEWTIME;
  return {
    clone: clone >>> 0,
    unshareCgroup: seen.has('cgroup') && !joined('cgroup'),
    unshareTime: offsets,
    join: joinOrder.flatMap(type => {
      const path = joined(type);
      return path === undefined ? [] : [{ type, path }];
    }),
    has: type => seen.has(type),
  };
}

/** What is written to timens_offsets. */
export const formatTimeOffsets = (offsets: NonNullable<Linux['timeOffsets']>): string =>
  Object.entries(offsets)
    .map(([clock, { secs = 0, nanosecs = 0 }]) => {
      if (clock !== 'monotonic' && clock !== 'boottime')
        throw new InvalidArgument(`time namespace has no clock "${clock}"`);
      return `${clock} ${secs} ${nanosecs}\n`;
    })
    .join('');
