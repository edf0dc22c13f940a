// Devices of a container: the rules of its device cgroup and the nodes in its /dev.

import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { InvalidArgument } from '../../../errdefs/index.ts';
import type { Device, DeviceRule } from '../../../oci/index.ts';

/** `--device` as the API has it. */
export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

const character = (allow: boolean, major: number, minor: number): DeviceRule => ({
  allow,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

/** moby daemon/pkg/oci/defaults.go: zero, null, urandom, random, tty, console; fuse denied by name. */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  character(true, 1, 5),
  character(true, 1, 3),
  character(true, 1, 9),
  character(true, 1, 8),
  character(true, 5, 0),
  character(true, 5, 1),
  character(false, 10, 229),
];

const everything: DeviceRule = { allow: true, access: 'rwm' };

export interface DevicePlan {
  readonly nodes: readonly Device[];
  readonly rules: readonly DeviceRule[];
}

/** Nodes and rules for the request. */
export function planDevices(options: {
  readonly privileged: boolean;
  readonly mappings: readonly DeviceMapping[];
  readonly rules: readonly string[];
}): DevicePlan {
  if (options.privileged) {
    const host = hostDevices('/dev');
    const mapped = options.mappings
      .filter(mapping => mapping.PathOnHost !== mapping.PathInContainer)
      .flatMap(mapping => mappedDevices(mapping).nodes);
    return { nodes: [...host, ...mapped], rules: [...defaultDeviceRules, everything] };
  }
  const nodes: Device[] = [];
  const rules: DeviceRule[] = [...defaultDeviceRules];
  for (const mapping of options.mappings) {
    const mapped = mappedDevices(mapping);
    nodes.push(...mapped.nodes);
    rules.push(...mapped.rules);
  }
  rules.push(...options.rules.map(parseDeviceRule));
  return { nodes, rules };
}

/** `c 1:3 rwm`, with `*` or -1 for any number. */
export function parseDeviceRule(text: string): DeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (match === null) throw new InvalidArgument(`invalid device cgroup rule format: '${text}'`);
  const number = (part: string): number => (part === '*' ? -1 : Number(part));
  return { allow: true, type: match[1]!, major: number(match[2]!), minor: number(match[3]!), access: match[4]! };
}

function mappedDevices(mapping: DeviceMapping): DevicePlan {
  const gather = (err: unknown) =>
    new InvalidArgument(
      `error gathering device information while adding custom device "${mapping.PathOnHost}": ${(err as Error).message === 'ENOENT' ? 'no such file or directory' : (err as Error).message}`,
    );
  let source: string;
  try {
    source = realpathSync(mapping.PathOnHost);
  } catch {
    throw gather(new Error('ENOENT'));
  }
  const access = mapping.CgroupPermissions === '' ? 'rwm' : mapping.CgroupPermissions;
  const target = mapping.PathInContainer === '' ? mapping.PathOnHost : mapping.PathInContainer;
  const one = nodeOf(source, target);
  const nodes = one !== undefined ? [one] : devicesBelow(source, target);
  if (nodes.length === 0) throw gather(new Error('not a device node'));
  return {
    nodes,
    rules: nodes.map(node => ({ allow: true, type: node.type, major: node.major!, minor: node.minor!, access })),
  };
}

function devicesBelow(source: string, target: string): Device[] {
  const stat = lstatSync(source);
  if (!stat.isDirectory()) return [];
  return hostDevices(source).map(node => ({ ...node, path: path.join(target, path.relative(source, node.path)) }));
}

/** Every device node below a directory, without the places that a container has of its own. */
export function hostDevices(root: string): Device[] {
  const found: Device[] = [];
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const name = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev'].includes(entry.name)) walk(name);
      } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && entry.name !== 'console') {
        const node = nodeOf(name, name);
        if (node !== undefined) found.push(node);
      }
    }
  };
  walk(root);
  return found;
}

function nodeOf(source: string, target: string): Device | undefined {
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat === undefined || !(stat.isCharacterDevice() || stat.isBlockDevice())) return undefined;
  return {
    path: target,
    type: stat.isCharacterDevice() ? 'c' : 'b',
    major: majorOf(stat.rdev),
    minor: minorOf(stat.rdev),
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

// glibc's encoding of dev_t: 12 bits of major above 8 of minor, and the rest of minor above those.
export const majorOf = (rdev: number): number => Math.floor(rdev / 256) % 4096;
export const minorOf = (rdev: number): number => (rdev % 256) + Math.floor(rdev / 2 ** 20) * 256;
