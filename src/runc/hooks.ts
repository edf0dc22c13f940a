// runtime-spec config.md "POSIX-platform Hooks": programs that run at points of a container's life, with its state on stdin.

import { InvalidArgument } from '../errdefs/index.ts';
import type { Op } from '../launcher/index.ts';
import type { Hook, Hooks, RuntimeState, RuntimeStatus } from '../oci/index.ts';
import type { Compilation } from './compilation.ts';

/** Stands for the init's pid, which is known only when the program runs. A number nobody has: pids end at 2^22. */
export const pidToken = '987654321987';

export type HookName = keyof Hooks;

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

/** The ops that run the hooks of one kind in order; a failing one ends the program. */
export function hookOps(compilation: Compilation, name: HookName, status: RuntimeStatus): readonly Op[] {
  const hooks: readonly Hook[] = compilation.spec.hooks?.[name] ?? [];
  const stdin = JSON.stringify(hookState(compilation, status));
  return hooks.map((hook, index) => {
    if (!hook.path?.startsWith('/')) throw new InvalidArgument(`${name} hook #${index}: path must be absolute`);
    if (hook.timeout !== undefined && hook.timeout <= 0)
      throw new InvalidArgument(`${name} hook #${index}: timeout must be greater than zero`);
    return {
      op: 'run',
      path: hook.path,
      args: hook.args && hook.args.length > 0 ? hook.args : [hook.path],
      env: hook.env ?? [],
      stdin,
      pidToken,
      timeoutMs: (hook.timeout ?? 0) * 1000,
      why: `runtime-spec config.md: hooks.${name}`,
      failure: `error running ${name} hook #${index}`,
    };
  });
}
