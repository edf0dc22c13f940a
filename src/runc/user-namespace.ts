// User namespaces: the maps of a new one, and a namespace that exists only for its maps (id-mapped mounts).

import { InvalidArgument } from '../errdefs/index.ts';
import type { Op, Slot } from '../launcher/index.ts';
import type { IdMapping, Linux } from '../oci/index.ts';
import type { Compilation, HostFacts } from './compilation.ts';
import { pidToken } from './hooks.ts';
import { CLONE_NEWUSER, O_CLOEXEC, O_RDONLY } from './numbers.ts';

/** A map as /proc/PID/uid_map takes it. */
export const formatIdMap = (mappings: readonly IdMapping[]): string =>
  mappings.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}\n`).join('');

/** What the host calls `id` of the container; undefined where nothing maps it. No mappings: the same. */
export function hostId(mappings: readonly IdMapping[] | undefined, id: number): number | undefined {
  if (mappings === undefined || mappings.length === 0) return id;
  const found = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return found && found.hostID + (id - found.containerID);
}

/** Ops that write the maps of the latest child, whose first process waits. */
export function writeMaps(
  uids: readonly IdMapping[],
  gids: readonly IdMapping[],
  denySetgroups: boolean,
): readonly Op[] {
  if (uids.length === 0 || gids.length === 0) {
    throw new InvalidArgument('user namespaces enabled, but no uid or gid mappings found');
  }
  const words = { why: 'runtime-spec config-linux.md: user namespace mappings' };
  return [
    ...(denySetgroups
      ? [{ op: 'writeIdMap', file: 'setgroups', data: 'deny', ...words, failure: 'unable to deny setgroups' } as const]
      : []),
    { op: 'writeIdMap', file: 'gid_map', data: formatIdMap(gids), ...words, failure: 'failed to write the gid map' },
    { op: 'writeIdMap', file: 'uid_map', data: formatIdMap(uids), ...words, failure: 'failed to write the uid map' },
  ];
}

/** The same by the set-uid helpers newuidmap and newgidmap, for an unprivileged user with ranges in /etc/subuid and /etc/subgid. They take the pid as an argument, which a shell reads for them. */
export function writeMapsByHelpers(
  helpers: { readonly uid: string; readonly gid: string },
  uids: readonly IdMapping[],
  gids: readonly IdMapping[],
): readonly Op[] {
  const run = (helper: string, mappings: readonly IdMapping[]): Op => ({
    op: 'run',
    path: '/bin/sh',
    args: [
      'sh',
      '-c',
      'read pid; exec "$0" "$pid" "$@"',
      helper,
      ...mappings.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size].map(String)),
    ],
    env: ['PATH=/usr/bin:/bin'],
    stdin: `${pidToken}\n`,
    pidToken,
    timeoutMs: 10_000,
    why: 'rootless: ids beyond our own are mapped by set-uid helpers',
    failure: `${helper} failed`,
  });
  return [run(helpers.gid, gids), run(helpers.uid, uids)];
}

/** A user who maps only itself must deny setgroups. */
export function deniesSetgroups(facts: HostFacts, linux: Linux): boolean {
  const isNew = (linux.namespaces ?? []).some(({ type }) => type === 'user');
  const { gidMappings = [] } = linux;
  return isNew && !facts.privileged && gidMappings.length === 1 && gidMappings[0]!.size === 1;
}

/** Makes a user namespace that is only a pair of maps, held by the descriptor that is returned: a child opens its own, sends it, and leaves. */
export function openUserNamespace(
  compilation: Compilation,
  uids: readonly IdMapping[],
  gids: readonly IdMapping[],
): Slot {
  const inner = 0;
  const slot = compilation.slots.takeInherited();
  compilation.host.push(
    {
      op: 'clone',
      flags: CLONE_NEWUSER,
      why: 'a user namespace for an id-mapped mount',
      program: [
        { op: 'open', slot: inner, path: '/proc/self/ns/user', flags: O_RDONLY | O_CLOEXEC, why: 'the namespace' },
        { op: 'sendFd', slot: inner, why: 'the namespace' },
        { op: 'await', peer: 'parent' },
        { op: 'exit', code: 0 },
      ],
    },
    ...writeMaps(uids, gids, false),
    { op: 'receiveFd', slot, why: 'what the child made' },
    { op: 'notify', peer: 'child' },
  );
  return slot;
}
