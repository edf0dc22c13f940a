// runtime-spec config.md "POSIX-platform Hooks": programs that run at points of a container's life, with its state on stdin.

import { InvalidArgument } from '../errdefs/index.ts';
import type { Op } from '../launcher/index.ts';
import type { Hook, Hooks, RuntimeState, RuntimeStatus } from '../oci/index.ts';
import type { Compilation } from './compilation.ts';

/** Stands for the init's pid, which is known only when the program runs. A number nobody has: pids end at 2^22. */
export const pidToken = '987654321987';

export type HookName = keyof Hooks;

/** No time-out: as long as the launcher can count, 24 days. */
const forever = 2 ** 31 - 1;

/** The state that hooks get. */
export function hookState(
  compilation: Pick<Compilation, 'id' | 'spec' | 'bundle'>,
  status: RuntimeStatus,
): RuntimeState {
  return {
    ociVersion: compilation.spec.ociVersion,
    id: compilation.id,
    status,
    pid: Number(pidToken),
    bundle: compilation.bundle,
    annotations: compilation.spec.annotations ?? {},
  };
}

/** The op that runs one hook. */
export function hookOp(name: HookName, hook: Hook, index: number, stdin: string): Op {
  if (!hook.path?.startsWith('/')) throw new InvalidArgument(`${name} hook #${index}: path must be absolute`);
  if (hook.timeout !== undefined && hook.timeout <= 0) {
    throw new InvalidArgument(`${name} hook #${index}: timeout must be greater than zero`);
  }
  return {
    op: 'run',
    path: hook.path,
    args: hook.args && hook.args.length > 0 ? hook.args : [hook.path],
    env: hook.env ?? [],
    stdin,
    ...(stdin.includes(pidToken) && { pidToken }),
    timeoutMs: Math.min(hook.timeout === undefined ? forever : hook.timeout * 1000, forever),
    why: `runtime-spec config.md: hooks.${name}`,
    failure: `error running ${name} hook #${index}`,
  };
}

/** The ops that run the hooks of one kind in order; a failing one ends the program. */
export function hookOps(compilation: Compilation, name: HookName, status: RuntimeStatus): readonly Op[] {
  const stdin = JSON.stringify(hookState(compilation, status));
  return (compilation.spec.hooks?.[name] ?? []).map((hook, index) => hookOp(name, hook, index, stdin));
}
