import type { RuntimeSpec, RuntimeState } from '../../oci/index.ts';
import { type HookName, hookOp } from '../hooks.ts';
import { launch } from './launch.ts';

/** Runs the hooks of one kind on their own, outside of any container's program. A failure goes to `warn`; the others still run. */
export function runHooks(
  spec: RuntimeSpec,
  name: HookName,
  state: Pick<RuntimeState, 'id' | 'bundle' | 'status' | 'pid'>,
  warn: (message: string) => void,
): void {
  const stdin = JSON.stringify({ ociVersion: spec.ociVersion, ...state, annotations: spec.annotations ?? {} });
  for (const [index, hook] of (spec.hooks?.[name] ?? []).entries()) {
    try {
      launch([hookOp(name, hook, index, stdin)]);
    } catch (error) {
      warn((error as Error).message.replace('unable to start container process: ', ''));
    }
  }
}
