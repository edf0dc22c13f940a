// What a task leaves in the exec root, tasks/<id>/: config.json (the spec), state.json (written before the shim starts and never
// again), and the shim's own `shim.sock` and `exit`. It lies in memory and is gone with the boot, as the tasks are.

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AlreadyExists, DataLoss, InvalidArgument } from '../../errdefs/index.ts';
import { parseSeccompJson, type RuntimeSpec, stringifyRuntimeSpec } from '../../oci/index.ts';
import type { CgroupPaths } from '../../runc/index.ts';
import type { TaskIo } from './task-service.ts';

const version = 1;
const trashPrefix = '.trash-';

export interface TaskState {
  readonly id: string;
  readonly io: TaskIo;
  readonly cgroups: CgroupPaths;
  readonly runtime: string;
}

export class StateDirectory {
  readonly #root: string;
  #trashed = 0;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o711 });
  }

  path(id: string): string {
    return join(this.#root, checkedId(id));
  }

  create(state: TaskState, spec: RuntimeSpec): string {
    const directory = this.path(state.id);
    try {
      mkdirSync(directory, { mode: 0o711 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new AlreadyExists(`task ${state.id} already exists`, { cause: error });
    }
    writeFileSync(join(directory, 'config.json'), stringifyRuntimeSpec(spec), { mode: 0o600 });
    writeFileSync(join(directory, 'state.json'), JSON.stringify({ version, ...state }), { mode: 0o600 });
    return directory;
  }

  readState(id: string): TaskState {
    const value = JSON.parse(readFileSync(join(this.path(id), 'state.json'), 'utf8')) as TaskState & {
      version: number;
    };
    if (value.version !== version) throw new DataLoss(`task ${id} has the state of another version, ${value.version}`);
    return value;
  }

  readSpec(id: string): RuntimeSpec {
    return parseSeccompJson(readFileSync(join(this.path(id), 'config.json'), 'utf8')) as RuntimeSpec;
  }

  writeExit(id: string, exit: { code: number; signal: number; timeNs: bigint; oom: boolean }): void {
    const directory = this.path(id);
    const { code, signal, timeNs, oom } = exit;
    writeFileSync(join(directory, 'exit.new'), `${JSON.stringify({ code, signal, time: String(timeNs), oom })}\n`);
    renameSync(join(directory, 'exit.new'), join(directory, 'exit'));
  }

  list(): string[] {
    return readdirSync(this.#root).filter(name => !name.startsWith('.'));
  }

  /** Takes the directory away at once, so that the id is free, and removes it later. */
  async remove(id: string): Promise<void> {
    const trash = join(this.#root, `${trashPrefix}${process.pid}-${++this.#trashed}`);
    try {
      renameSync(this.path(id), trash);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await rm(trash, { recursive: true, force: true });
  }

  /** What an earlier daemon did not get to remove. */
  async emptyTrash(): Promise<void> {
    const names = readdirSync(this.#root).filter(name => name.startsWith(trashPrefix));
    for (const name of names) await rm(join(this.#root, name), { recursive: true, force: true });
  }
}

function checkedId(id: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/.test(id))
    throw new InvalidArgument(`invalid task id ${JSON.stringify(id)}`);
  return id;
}
