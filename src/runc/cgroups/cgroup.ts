// The cgroups of a container that lives: what the engine and the command line do to all of its processes at once.

import { existsSync, readdirSync, readFileSync, rmdir as rmdirWithCallback, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { FailedPrecondition, Internal, NotFound, NotImplemented } from '../../errdefs/index.ts';
import type { Resources } from '../../oci/index.ts';
import { devicePolicy, v1DeviceWrites } from './devices.ts';
import { type CgroupPaths, v1Directories } from './paths.ts';
import { type CgroupStats, readStats } from './stats.ts';
import { type CgroupValue, v1Values, v2Values } from './values.ts';

/** Without node:fs/promises, which the command line would load for this alone. */
const rmdir = promisify(rmdirWithCallback);

const SIGKILL = 9;
/** How long freezing and removing may take. The kernel needs microseconds, a process in an uninterruptible sleep may need seconds. */
const patienceMs = 10_000;

/** A container's cgroups. Methods may be called at any time: a cgroup that is gone has no processes and nothing to remove. */
export interface Cgroup {
  readonly paths: CgroupPaths;
  /** The memory cgroup, to notice kills for want of memory: memory.oom_control with an eventfd, or memory.events. */
  readonly oom?: { readonly version: 1 | 2; readonly directory: string };
  stats(): CgroupStats;
  /** All processes, nested cgroups included. */
  pids(): readonly number[];
  exists(): boolean;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  frozen(): boolean;
  /** Sets what is given and leaves the rest. */
  update(resources: Resources): void;
  /** To every process, also those that appear meanwhile. */
  killAll(signal: number): Promise<void>;
  /** Once empty; waits a moment for processes on their way out. */
  remove(): Promise<void>;
}

/** The cgroups at these paths. Nothing is opened and nothing held. */
export function openCgroup(paths: CgroupPaths): Cgroup {
  return new HostCgroup(paths);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

const isGone = (error: unknown): boolean => ['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '');

class HostCgroup implements Cgroup {
  readonly paths: CgroupPaths;
  readonly oom?: { readonly version: 1 | 2; readonly directory: string };
  /** v2 decides alone, or v1 does. */
  readonly #unified: boolean;
  readonly #directories: readonly string[];

  constructor(paths: CgroupPaths) {
    this.paths = paths;
    const v1 = v1Directories(paths);
    this.#unified = v1.length === 0;
    this.#directories = paths.v2 === undefined ? v1 : [...v1, paths.v2];
    if (paths.v1.memory !== undefined) this.oom = { version: 1, directory: paths.v1.memory };
    else if (this.#unified && paths.v2 !== undefined) this.oom = { version: 2, directory: paths.v2 };
  }

  stats(): CgroupStats {
    return readStats(this.paths);
  }

  exists(): boolean {
    return this.#directories.some(directory => existsSync(directory));
  }

  pids(): readonly number[] {
    // Processes may be told apart only in v1, where a container may have moved some: devices holds all, since it can't be left.
    const directory = this.paths.v1.devices ?? this.paths.v2 ?? this.#directories[0];
    return directory === undefined ? [] : processesBelow(directory);
  }

  /** The directory whose freezer we use: v2's own where there is one, in hybrid mode too. */
  #freezer(): { readonly file: string; readonly v2: boolean; readonly directory: string } {
    if (this.paths.v2 !== undefined && existsSync(`${this.paths.v2}/cgroup.freeze`)) {
      return { file: `${this.paths.v2}/cgroup.freeze`, v2: true, directory: this.paths.v2 };
    }
    const directory = this.paths.v1.freezer;
    if (directory === undefined) throw new NotImplemented('this machine has no freezer cgroup');
    return { file: `${directory}/freezer.state`, v2: false, directory };
  }

  async freeze(): Promise<void> {
    await this.#setFrozen(true);
  }

  async thaw(): Promise<void> {
    await this.#setFrozen(false);
  }

  async #setFrozen(frozen: boolean): Promise<void> {
    const { file, v2 } = this.#freezer();
    const deadline = Date.now() + patienceMs;
    const word = v2 ? (frozen ? '1' : '0') : frozen ? 'FROZEN' : 'THAWED';
    for (let wait = 0; ; wait = Math.min(50, wait + 1)) {
      try {
        writeFileSync(file, word);
      } catch (cause) {
        if (isGone(cause)) throw new NotFound('container is not running', { cause });
        throw cause;
      }
      if (this.frozen() === frozen) return;
      if (Date.now() > deadline) {
        if (frozen) writeFileSync(file, v2 ? '0' : 'THAWED');
        throw new FailedPrecondition(`unable to ${frozen ? 'freeze' : 'thaw'} the container within ${patienceMs} ms`);
      }
      await delay(wait);
    }
  }

  frozen(): boolean {
    const { file, v2, directory } = this.#freezer();
    return v2 ? /^frozen 1$/m.test(read(`${directory}/cgroup.events`) ?? '') : read(file) === 'FROZEN';
  }

  update(resources: Resources): void {
    if (resources.devices !== undefined) this.#updateDevices(resources);
    if (this.#unified) {
      for (const value of v2Values(this.#withCurrentQuota(resources))) this.#write(this.paths.v2!, value);
      return;
    }
    for (const value of this.#inOrder(v1Values(resources))) {
      const directory = this.paths.v1[value.controller];
      if (directory === undefined) {
        if (!value.optional)
          throw new NotImplemented(`this machine has no ${value.controller} cgroup, needed for ${value.property}`);
      } else this.#write(directory, value);
    }
  }

  #write(directory: string, { file, value, property, optional }: CgroupValue): void {
    try {
      writeFileSync(`${directory}/${file}`, value);
    } catch (cause) {
      if (optional) return;
      throw new Internal(
        `failed to write "${value}" to "${directory}/${file}" for ${property}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /** memory.limit_in_bytes may never be above memsw: which goes first depends on which way they move. */
  #inOrder(values: readonly CgroupValue[]): readonly CgroupValue[] {
    const swap = values.findIndex(({ file }) => file === 'memory.memsw.limit_in_bytes');
    const limit = values.findIndex(({ file }) => file === 'memory.limit_in_bytes');
    if (swap < 0 || limit < 0) return values;
    const current = Number(read(`${this.paths.v1.memory}/memory.memsw.limit_in_bytes`) ?? 0);
    const wanted = Number(values[swap]!.value);
    if (wanted !== -1 && wanted <= current) return values;
    return [values[swap]!, ...values.filter((_, index) => index !== swap)];
  }

  /** cpu.max holds quota and period in one file: the one that is not given stays. */
  #withCurrentQuota(resources: Resources): Resources {
    const { cpu } = resources;
    if (cpu === undefined || (!cpu.quota && !cpu.period) || (cpu.quota && cpu.period)) return resources;
    const [quota = 'max', period = '100000'] = (read(`${this.paths.v2}/cpu.max`) ?? '').split(' ');
    return {
      ...resources,
      cpu: { ...cpu, quota: cpu.quota || (quota === 'max' ? -1 : Number(quota)), period: cpu.period || Number(period) },
    };
  }

  #updateDevices(resources: Resources): void {
    const directory = this.paths.v1.devices;
    if (directory === undefined)
      throw new NotImplemented('the device rules of a running container cannot be changed with cgroup v2');
    for (const { file, value } of v1DeviceWrites(devicePolicy(resources.devices ?? []))) {
      writeFileSync(`${directory}/${file}`, value);
    }
  }

  async killAll(signal: number): Promise<void> {
    if (signal === SIGKILL && this.paths.v2 !== undefined) {
      try {
        // One write that nothing can outrun (kernel 5.14).
        writeFileSync(`${this.paths.v2}/cgroup.kill`, '1');
        if (this.#unified || (await this.#isEmptySoon())) return;
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    const freezes = this.paths.v1.freezer !== undefined || this.paths.v2 !== undefined;
    // Frozen, they cannot fork away from under us; a signal reaches them when they thaw.
    const mustThaw = freezes && this.exists() && !this.#isFrozenQuietly();
    if (mustThaw) await this.freeze().catch(() => undefined);
    try {
      for (const pid of this.pids()) {
        try {
          process.kill(pid, signal);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
        }
      }
    } finally {
      if (mustThaw || signal === SIGKILL) await this.thaw().catch(() => undefined);
    }
  }

  /** In a hybrid machine some process may have been moved out of the cgroup2 that was just killed, and be left in v1. */
  async #isEmptySoon(): Promise<boolean> {
    for (let i = 0; i < 25; i++) {
      if (this.pids().length === 0) return true;
      await delay(2);
    }
    return false;
  }

  #isFrozenQuietly(): boolean {
    try {
      return this.frozen();
    } catch {
      return false;
    }
  }

  async remove(): Promise<void> {
    await Promise.all(this.#directories.map(removeWhenEmpty));
  }
}

/** Processes on their way out keep a cgroup busy for a moment. */
async function removeWhenEmpty(directory: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (let wait = 1; ; wait = Math.min(100, wait * 2)) {
    try {
      return await removeTree(directory);
    } catch (error) {
      if (isGone(error)) return;
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || Date.now() > deadline) {
        throw new Internal(`unable to remove the cgroup ${directory}: ${(error as Error).message}`, { cause: error });
      }
      await delay(wait);
    }
  }
}

/** Directories of a cgroup; none where it is gone. */
function children(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => `${directory}/${entry.name}`);
  } catch {
    return [];
  }
}

function processesBelow(directory: string): readonly number[] {
  const own = (read(`${directory}/cgroup.procs`) ?? '').split('\n').filter(Boolean).map(Number);
  return [...own, ...children(directory).flatMap(processesBelow)];
}

/** Deepest first: containers may have made cgroups of their own. */
async function removeTree(directory: string): Promise<void> {
  try {
    // Nearly always there is nothing below.
    await rmdir(directory);
    return;
  } catch (error) {
    if (isGone(error)) return;
    const below = children(directory);
    if (below.length === 0) throw error;
    for (const child of below) await removeTree(child);
  }
  await rmdir(directory);
}
