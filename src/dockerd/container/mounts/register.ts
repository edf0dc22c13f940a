// The mounts of a new container, from all the places that ask for some: image volumes < --volumes-from < binds < mounts, each target once.

import { statSync } from 'node:fs';
import type { ContainerConfig, HostConfig, MountRequest } from '../../../api/index.ts';
import { InvalidArgument } from '../../../errdefs/index.ts';
import type { VolumeStore } from '../../volume/volume.ts';
import type { ContainerMount } from '../record.ts';
import { asRequest, cleanPath, parseBind, propagations } from './bind.ts';

/** Finds the mounts of another container (`--volumes-from`). */
export type MountsOf = (container: string) => readonly ContainerMount[];

/** What a container gets mounted, without making anything yet. The tmpfs of `--tmpfs` are not among them, as in Docker. */
export function planMounts(config: ContainerConfig, host: HostConfig, mountsOf: MountsOf): ContainerMount[] {
  const byTarget = new Map<string, ContainerMount>();
  for (const source of host.VolumesFrom ?? []) {
    const [name = '', mode = 'rw', ...rest] = source.split(':');
    if (name === '' || rest.length > 0) throw new InvalidArgument(`invalid volumes-from specification: '${source}'`);
    if (!/^(ro|rw|z|Z)(,(ro|rw|z|Z))*$/.test(mode)) throw new InvalidArgument(`invalid mode: ${mode}`);
    for (const mount of mountsOf(name)) {
      byTarget.set(mount.Destination, {
        ...mount,
        Mode: source.includes(':') ? mode : '',
        RW: mount.RW && !mode.split(',').includes('ro'),
        copy: false,
        anonymous: false,
      });
    }
  }
  const seen = new Set<string>();
  const once = (target: string): void => {
    if (seen.has(target)) throw new InvalidArgument(`Duplicate mount point: ${target}`);
    seen.add(target);
  };
  for (const target of Object.keys(host.Tmpfs ?? {})) {
    const clean = cleanPath(target);
    if (!target.startsWith('/')) {
      throw new InvalidArgument(`invalid mount path: '${target}' mount path must be absolute`);
    }
    once(clean);
    checkTmpfs(host.Tmpfs?.[target] ?? '');
    byTarget.delete(clean);
  }
  for (const text of host.Binds ?? []) {
    const bind = parseBind(text);
    once(bind.target);
    byTarget.set(bind.target, planOne(asRequest(bind), host.VolumeDriver, bind.mode));
  }
  for (const request of host.Mounts ?? []) {
    validateRequest(request);
    const target = cleanPath(request.Target);
    once(target);
    byTarget.set(target, planOne({ ...request, Target: target }, '', ''));
  }
  for (const target of Object.keys(config.Volumes ?? {})) {
    const clean = cleanPath(target);
    if (clean === '/') throw new InvalidArgument("invalid volume specification: destination can't be '/'");
    if (byTarget.has(clean) || seen.has(clean)) continue;
    byTarget.set(clean, {
      Type: 'volume',
      Name: '',
      Source: '',
      Destination: clean,
      Driver: host.VolumeDriver === '' ? 'local' : host.VolumeDriver,
      Mode: '',
      RW: true,
      Propagation: '',
      anonymous: true,
      copy: true,
    });
  }
  return [...byTarget.values()];
}

const tmpfsFlags = new Set([
  ...['async', 'atime', 'bind', 'defaults', 'dev', 'diratime', 'dirsync', 'exec', 'mand', 'noatime', 'nodev'],
  ...['nodiratime', 'noexec', 'nomand', 'norelatime', 'nostrictatime', 'nosuid', 'rbind', 'relatime', 'remount'],
  ...['ro', 'rw', 'strictatime', 'suid', 'sync', 'private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'],
  ...['unbindable', 'runbindable'],
]);
const tmpfsData = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/** moby/sys mount, MergeTmpfsOptions. */
function checkTmpfs(options: string): void {
  for (const option of options.split(',').filter(word => word !== '')) {
    const [key = '', value] = option.split('=', 2);
    if (tmpfsFlags.has(option)) continue;
    if (value === undefined) throw new InvalidArgument(`invalid tmpfs option "${option}"`);
    if (!tmpfsData.has(key)) throw new InvalidArgument(`invalid tmpfs option "${option}"`);
  }
}

function planOne(request: MountRequest, volumeDriver: string, mode: string): ContainerMount {
  const common = { Destination: request.Target, Mode: mode, RW: !request.ReadOnly, request };
  switch (request.Type) {
    case 'bind': {
      const propagation = request.BindOptions?.Propagation ?? '';
      return {
        Type: 'bind',
        Source: cleanPath(request.Source),
        ...common,
        Propagation: propagation === '' ? 'rprivate' : propagation,
      };
    }
    case 'volume': {
      const driver = request.VolumeOptions?.DriverConfig?.Name ?? '';
      return {
        Type: 'volume',
        Name: request.Source,
        Source: '',
        ...common,
        Mode: mode === '' ? 'z' : mode,
        Driver: driver !== '' ? driver : volumeDriver !== '' ? volumeDriver : 'local',
        Propagation: '',
        anonymous: request.Source === '',
        copy: request.VolumeOptions?.NoCopy !== true,
      };
    }
    default:
      return { Type: 'tmpfs', Source: '', ...common, Propagation: '' };
  }
}

function validateRequest(request: MountRequest): void {
  const fail = (why: string) => new InvalidArgument(`invalid mount config for type "${request.Type}": ${why}`);
  if (request.Target === '') throw fail('field Target must not be empty');
  if (!request.Target.startsWith('/'))
    throw fail(`invalid mount path: '${request.Target}' mount path must be absolute`);
  if (cleanPath(request.Target) === '/') throw fail(`invalid specification: destination can't be '/'`);
  switch (request.Type) {
    case 'bind': {
      if (request.Source === '') throw fail('field Source must not be empty');
      if (!request.Source.startsWith('/')) {
        throw fail(`invalid mount path: '${request.Source}' mount path must be absolute`);
      }
      if (request.VolumeOptions !== undefined) throw fail('field VolumeOptions must not be specified');
      const propagation = request.BindOptions?.Propagation ?? '';
      if (propagation !== '' && !(propagations as readonly string[]).includes(propagation)) {
        throw fail(`invalid propagation mode: ${propagation}`);
      }
      if (
        request.BindOptions?.CreateMountpoint !== true &&
        statSync(request.Source, { throwIfNoEntry: false }) === undefined
      ) {
        throw fail(`bind source path does not exist: ${request.Source}`);
      }
      return;
    }
    case 'volume':
      if (request.BindOptions !== undefined) throw fail('field BindOptions must not be specified');
      if (request.Source === '' && (request.VolumeOptions?.Subpath ?? '') !== '') {
        throw fail('must not set Subpath when using anonymous volumes');
      }
      if (/^\/|(^|\/)\.\.(\/|$)/.test(request.VolumeOptions?.Subpath ?? '')) {
        throw fail('subpath must be a relative path within the volume');
      }
      return;
    case 'tmpfs':
      if (request.Source !== '') throw fail('field Source must not be specified');
      if (request.BindOptions !== undefined) throw fail('field BindOptions must not be specified');
      return;
    case '':
      throw new InvalidArgument('invalid mount config: type must not be empty');
    default:
      throw fail('mount type unknown');
  }
}

/** Makes the volumes of a plan; the answer has their names and paths. */
export function makeVolumes(plan: readonly ContainerMount[], volumes: VolumeStore): ContainerMount[] {
  return plan.map(mount => {
    if (mount.Type !== 'volume' || mount.Source !== '') return mount;
    const options = mount.request?.VolumeOptions;
    const volume = volumes.create({
      Name: mount.Name ?? '',
      Driver: mount.Driver ?? 'local',
      DriverOpts: options?.DriverConfig?.Options ?? null,
      Labels: options?.Labels ?? null,
      ClusterVolumeSpec: undefined,
    });
    return { ...mount, Name: volume.name, Source: volumes.mountpoint(volume.name) };
  });
}
