// The local volume driver: a directory per volume, `<data root>/volumes/NAME/_data`. With driver options something is mounted there on
// first use (type, device, o), and unmounted when the last container that uses it has ended.

import { mkdirSync, rmSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Volume, VolumeCreateRequest } from '../../api/index.ts';
import { Conflict, InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import type { RecordStore } from '../container/container-store.ts';
import { newId } from '../container/id.ts';
import type { EventSink } from '../event/event-log.ts';
import type { Log } from '../log.ts';

/** Label of volumes that nobody named. */
export const anonymousLabel = 'com.docker.volume.anonymous';

export interface VolumeRecord {
  readonly name: string;
  readonly createdAt: string;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
}

/** Mounts file systems on the host; needed for volumes with driver options only. */
export interface Mounter {
  mount(source: string, target: string, type: string, options: readonly string[]): void;
  unmount(target: string): void;
}

export interface VolumeServices {
  readonly root: string;
  readonly records: RecordStore<VolumeRecord>;
  readonly events: EventSink;
  readonly mounter: Mounter;
  readonly log: Log;
}

const validName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export class VolumeStore {
  readonly #services: VolumeServices;
  readonly #volumes = new Map<string, VolumeRecord>();
  /** Volume → ids of containers that have it in their mounts. */
  readonly #users = new Map<string, Set<string>>();
  /** Volume with options → running containers that use its mount. */
  readonly #mounted = new Map<string, Set<string>>();

  constructor(services: VolumeServices) {
    this.#services = services;
  }

  load(): void {
    mkdirSync(this.#services.root, { recursive: true, mode: 0o701 });
    for (const { value } of this.#services.records.list()) this.#volumes.set(value.name, value);
  }

  has(name: string): boolean {
    return this.#volumes.has(name);
  }

  /** Docker's error when it is not there. */
  get(name: string): VolumeRecord {
    const volume = this.#volumes.get(name);
    if (volume === undefined) throw new NotFound(`get ${name}: no such volume`);
    return volume;
  }

  list(): VolumeRecord[] {
    return [...this.#volumes.values()];
  }

  /** The volume of that name, made where it is missing. Idempotent: what is there wins over options and labels. */
  create(request: VolumeCreateRequest): VolumeRecord {
    const driver = request.Driver === '' ? 'local' : request.Driver;
    if (driver !== 'local') {
      throw new NotFound(
        `create ${request.Name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`,
      );
    }
    const anonymous = request.Name === '';
    const name = anonymous ? newId() : request.Name;
    if (!validName.test(name)) {
      throw new InvalidArgument(
        name.length === 1
          ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
          : `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
      );
    }
    const existing = this.#volumes.get(name);
    if (existing !== undefined) return existing;
    const options =
      request.DriverOpts !== null && Object.keys(request.DriverOpts).length > 0 ? request.DriverOpts : null;
    checkOptions(name, options);
    const volume: VolumeRecord = {
      name,
      createdAt: formatNs(nowNs()).replace(/\.\d+Z$/, 'Z'),
      labels: anonymous ? { ...request.Labels, [anonymousLabel]: '' } : request.Labels,
      options,
    };
    mkdirSync(this.mountpoint(name), { recursive: true, mode: 0o755 });
    this.#services.records.put(name, volume);
    this.#volumes.set(name, volume);
    this.#services.events.publish('volume', 'create', name, { driver: 'local' });
    return volume;
  }

  mountpoint(name: string): string {
    return path.join(this.#services.root, name, '_data');
  }

  /** A container has the volume among its mounts. */
  use(name: string, containerId: string): void {
    const users = this.#users.get(name) ?? new Set();
    users.add(containerId);
    this.#users.set(name, users);
  }

  /** The container is gone. */
  unuse(name: string, containerId: string): void {
    this.#users.get(name)?.delete(containerId);
  }

  users(name: string): string[] {
    return [...(this.#users.get(name) ?? [])];
  }

  /** A container that is about to run uses the volume; the directory to bind. */
  mount(name: string, containerId: string): string {
    const volume = this.get(name);
    const target = this.mountpoint(name);
    if (needsMount(volume)) {
      const holders = this.#mounted.get(name) ?? new Set();
      if (holders.size === 0) this.#mountOptions(volume, target);
      holders.add(containerId);
      this.#mounted.set(name, holders);
    }
    return target;
  }

  /** The container has ended. */
  unmount(name: string, containerId: string): void {
    const holders = this.#mounted.get(name);
    if (holders === undefined || !holders.delete(containerId) || holders.size > 0) return;
    try {
      this.#services.mounter.unmount(this.mountpoint(name));
    } catch (err) {
      this.#services.log.warn('could not unmount a volume', { volume: name, err });
    }
  }

  /** At the daemon's start: a running container had it mounted. */
  adopt(name: string, containerId: string): void {
    const volume = this.#volumes.get(name);
    if (volume === undefined || !needsMount(volume)) return;
    const holders = this.#mounted.get(name) ?? new Set();
    holders.add(containerId);
    this.#mounted.set(name, holders);
  }

  #mountOptions(volume: VolumeRecord, target: string): void {
    const options = volume.options!;
    const words = (options.o ?? '').split(',').filter(word => word !== '');
    try {
      this.#services.mounter.mount(options.device ?? '', target, options.type ?? 'none', words);
    } catch (cause) {
      throw new InvalidArgument(
        `failed to mount local volume: mount ${options.device ?? ''}:${target}, data: ${options.o ?? ''}`,
        { cause },
      );
    }
  }

  /** Removes a volume that no container uses; its data vanishes in the background. `force` hides that it is not there. */
  remove(name: string, force = false): void {
    const volume = this.#volumes.get(name);
    if (volume === undefined) {
      if (force) return;
      throw new NotFound(`get ${name}: no such volume`);
    }
    const users = this.users(name);
    if (users.length > 0) throw new Conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`);
    this.#services.records.delete(name);
    this.#volumes.delete(name);
    this.#users.delete(name);
    this.#discard(path.join(this.#services.root, name));
    this.#services.events.publish('volume', 'destroy', name, { driver: 'local' });
  }

  /** Renamed away first, so that a new volume of this name begins empty at once. */
  #discard(directory: string): void {
    const trash = `${directory}.removed-${newId().slice(0, 12)}`;
    void rename(directory, trash)
      .then(() => rm(trash, { recursive: true, force: true }))
      .catch(err => {
        if ((err as NodeJS.ErrnoException).code !== 'ENOENT') {
          this.#services.log.warn('could not remove the files of a volume', { directory, err });
          rmSync(directory, { recursive: true, force: true });
        }
      });
  }

  /** As the API shows it. */
  inspect(volume: VolumeRecord): Volume {
    return {
      CreatedAt: volume.createdAt,
      Driver: 'local',
      Labels: volume.labels,
      Mountpoint: this.mountpoint(volume.name),
      Name: volume.name,
      Options: volume.options,
      Scope: 'local',
    };
  }
}

const needsMount = (volume: VolumeRecord): boolean =>
  volume.options !== null && (volume.options.device !== undefined || volume.options.type !== undefined);

function checkOptions(name: string, options: Readonly<Record<string, string>> | null): void {
  for (const [key, value] of Object.entries(options ?? {})) {
    if (!['type', 'o', 'device', 'size'].includes(key)) {
      throw new InvalidArgument(`create ${name}: invalid option: ${JSON.stringify(key)}`);
    }
    if (value === '') throw new InvalidArgument(`create ${name}: missing required option: ${JSON.stringify(key)}`);
  }
  if (options?.size !== undefined) {
    throw new InvalidArgument(`create ${name}: quota size requested but no quota support`);
  }
  // moby volume/local/local_unix.go: what each of them needs beside it.
  if (options !== null && (options.o !== undefined || options.type !== undefined) && options.device === undefined) {
    throw new InvalidArgument(`create ${name}: missing required option: "device"`);
  }
}
