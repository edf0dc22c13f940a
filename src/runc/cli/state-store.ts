// What the command line remembers of containers: <root>/<id>/state.json, config.json and exec.fifo. No process holds them: status is
// asked of the kernel each time.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AlreadyExists, DataLoss, InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { AT_FDCWD, native } from '../../launcher/index.ts';
import { parseRuntimeSpec, type RuntimeSpec, type RuntimeStatus, stringifyRuntimeSpec } from '../../oci/index.ts';
import { openCgroup } from '../cgroups/cgroup.ts';
import type { CgroupPaths } from '../cgroups/paths.ts';
import { S_IFIFO } from '../numbers.ts';

export interface ContainerState {
  readonly id: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: with it a pid means one process for ever. */
  readonly startTime: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  readonly cgroups: CgroupPaths;
  readonly ownerUid: number;
}

/** A stored container, read. */
export interface StoredContainer {
  readonly state: ContainerState;
  readonly spec: RuntimeSpec;
  readonly directory: string;
}

export class StateStore {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  directory(id: string): string {
    // runc's rule for ids.
    if (!/^[\w+.-]+$/.test(id) || id === '.' || id === '..')
      throw new InvalidArgument(`invalid container ID format: ${id}`);
    return join(this.root, id);
  }

  /** Takes the id. Whoever fails after this removes it again. */
  reserve(id: string): string {
    const directory = this.directory(id);
    mkdirSync(this.root, { recursive: true, mode: 0o711 });
    try {
      mkdirSync(directory, { mode: 0o711 });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST')
        throw new AlreadyExists('container with given ID already exists', { cause });
      throw cause;
    }
    return directory;
  }

  makeFifo(directory: string): string {
    const path = join(directory, 'exec.fifo');
    native().mknodat(AT_FDCWD, path, S_IFIFO | 0o622, 0, 0);
    return path;
  }

  write(state: ContainerState, spec: RuntimeSpec): void {
    const directory = this.directory(state.id);
    writeFileSync(join(directory, 'config.json'), stringifyRuntimeSpec(spec), { mode: 0o600 });
    const path = join(directory, 'state.json');
    writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  read(id: string): StoredContainer {
    const directory = this.directory(id);
    let state: string;
    let spec: string;
    try {
      state = readFileSync(join(directory, 'state.json'), 'utf8');
      spec = readFileSync(join(directory, 'config.json'), 'utf8');
    } catch (cause) {
      throw new NotFound('container does not exist', { cause });
    }
    try {
      return { state: JSON.parse(state) as ContainerState, spec: parseRuntimeSpec(spec), directory };
    } catch (cause) {
      throw new DataLoss(`state of container ${id} is not readable: ${(cause as Error).message}`, { cause });
    }
  }

  list(): readonly StoredContainer[] {
    if (!existsSync(this.root)) return [];
    return readdirSync(this.root)
      .sort()
      .flatMap(id => {
        try {
          return [this.read(id)];
        } catch {
          return [];
        }
      });
  }

  remove(id: string): void {
    rmSync(this.directory(id), { recursive: true, force: true });
  }
}

/** State letter and start time of a process; undefined when there is none. */
export function processStat(pid: number): { readonly letter: string; readonly startTime: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { letter: fields[0]!, startTime: fields[19]! };
  } catch {
    return undefined;
  }
}

/** What the kernel says of a container now. */
export function containerStatus({ state, directory }: StoredContainer): RuntimeStatus {
  const stat = processStat(state.pid);
  if (stat === undefined || stat.startTime !== state.startTime || 'ZX'.includes(stat.letter)) return 'stopped';
  try {
    if (openCgroup(state.cgroups).frozen()) return 'paused';
  } catch {
    // No freezer, never paused.
  }
  return existsSync(join(directory, 'exec.fifo')) ? 'created' : 'running';
}
