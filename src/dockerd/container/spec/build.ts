// Gathers what a container's spec is made of: its user from the image's files, namespaces of others, the mounts of its root.

import type { SnapshotMount } from '../../../containerd/index.ts';
import { Conflict, InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import type { RuntimeSpec } from '../../../oci/index.ts';
import type { Container } from '../container.ts';
import { networkFilesOf } from '../network-files.ts';
import { statusOf } from '../record.ts';
import { type ContainerServices, layersOf } from '../services.ts';
import { makeWorkingDirectory } from '../working-directory.ts';
import { type Layers, readLayeredFiles } from './layers.ts';
import { type Joins, runtimeSpec } from './spec.ts';
import { type ResolvedUser, resolveUser } from './user.ts';

export interface BuiltSpec {
  readonly spec: RuntimeSpec;
  readonly rootfs: readonly SnapshotMount[];
}

/** The spec for the next run of a container. */
export async function buildSpec(services: ContainerServices, container: Container): Promise<BuiltSpec> {
  const { record } = container;
  const { config, hostConfig: host } = record;
  const rootfs = await services.snapshotter.mounts(record.id);
  makeWorkingDirectory(record, layersOf(rootfs));
  const user = userOf(layersOf(rootfs), config.User, host.GroupAdd ?? []);
  const wantsInit = host.Init ?? services.config.init;
  const spec = runtimeSpec({
    id: record.id,
    config,
    host,
    mounts: await withSubpaths(services, record.mounts),
    user,
    hostname: config.Hostname,
    files: networkFilesOf(services, container),
    joins: joinsOf(services, container),
    ...shmOf(services, container),
    ...(wantsInit && host.PidMode === '' && { init: services.initBinary() }),
    rootPath: 'rootfs',
    cgroupParent: services.config.cgroupParent === '' ? '/docker' : services.config.cgroupParent,
    hostCapabilities: services.facts.capabilities,
    noNewPrivileges: services.config.noNewPrivileges,
    seccomp: services.seccomp,
  });
  return { spec, rootfs };
}

/** The user of a container or an exec, from the files of its root. */
export function userOf(layers: Layers, spec: string, groupAdd: readonly string[]): ResolvedUser {
  const [passwd = '', group = ''] = readLayeredFiles(layers, ['/etc/passwd', '/etc/group']);
  return resolveUser(spec, groupAdd, passwd, group);
}

/** Namespaces of the containers that it joins. */
function joinsOf(services: ContainerServices, container: Container): Joins {
  const { hostConfig } = container.record;
  const path = (mode: string, kind: string): string | undefined => {
    const name = /^container:(.+)$/.exec(mode)?.[1];
    if (name === undefined) return undefined;
    const other = services.store.lookUp(name);
    if (other === undefined) throw new NotFound(`No such container: ${name}`);
    if (other.id === container.id)
      throw new InvalidArgument('cannot join own network namespace'.replace('network', kind));
    if (!other.state.running || other.state.pid === 0) {
      throw new Conflict(
        kind === 'net'
          ? `cannot join network namespace of a non running container: container ${other.record.name} is ${statusOf(other.state)}`
          : `failed to join ${kind.toUpperCase()} namespace: container ${other.id} is not running`,
      );
    }
    if (other.state.restarting)
      throw new Conflict(`Container ${other.id} is restarting, wait until the container is running`);
    if (kind === 'ipc' && other.record.hostConfig.IpcMode !== 'shareable') {
      throw new InvalidArgument(
        `failed to join IPC namespace: container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    }
    return `/proc/${other.state.pid}/ns/${kind}`;
  };
  const network = path(hostConfig.NetworkMode, 'net');
  const ipc = path(hostConfig.IpcMode, 'ipc');
  const pid = path(hostConfig.PidMode, 'pid');
  return {
    ...(network !== undefined && { network }),
    ...(ipc !== undefined && { ipc }),
    ...(pid !== undefined && { pid }),
  };
}

/** The host's /dev/shm, or the one that containers share. */
function shmOf(services: ContainerServices, container: Container): { shm?: string } {
  const mode = container.record.hostConfig.IpcMode;
  if (mode === 'host') return { shm: '/dev/shm' };
  const joined = /^container:(.+)$/.exec(mode)?.[1];
  if (joined !== undefined) return { shm: services.sharedShm(services.store.find(joined).id) };
  if (mode === 'shareable') return { shm: services.sharedShm(container.id, container.record.hostConfig.ShmSize) };
  return {};
}

/** A volume's subpath is looked up inside the volume only. */
async function withSubpaths(
  services: ContainerServices,
  mounts: Container['record']['mounts'],
): Promise<Container['record']['mounts']> {
  return mounts.map(mount => {
    const subpath = mount.request?.VolumeOptions?.Subpath ?? '';
    if (mount.Type !== 'volume' || subpath === '') return mount;
    return { ...mount, Source: services.resolveBelow(mount.Source, subpath) };
  });
}
