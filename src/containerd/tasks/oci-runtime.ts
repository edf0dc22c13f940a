import { codeOf, describe, EngineError, Unknown } from '../../errdefs/index.ts';
import { type Program, ProgramError } from '../../launcher/index.ts';
import { compileExec, failureMessage, openCgroup, planCreate, type Stdio } from '../../runc/index.ts';
import type { Runtime } from './runtime.ts';

/** As much as an unprivileged pipe may have; the more, the less often the container and the shim wait for each other. */
const pipeSizeBytes = 1 << 20;

/** What containerd and runc put before the reason; clients look for what follows (moby daemon/errors.go). */
const prefixes = {
  plan: 'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ',
  create:
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ',
  exec: 'OCI runtime exec failed: exec failed: unable to start container process: ',
};

/** Our own runtime: src/runc compiles, the shim executes. */
export function ociRuntime(): Runtime {
  return {
    compileCreate: ({ id, spec, bundle, rootfs, stdin, netns }) => {
      try {
        const { program, cgroups, warnings } = planCreate({
          id,
          spec,
          bundle,
          rootfs: (rootfs ?? []).map(({ type, source, options }) => ({ destination: '/', type, source, options })),
          stdio: streams(spec.process?.terminal === true, stdin),
          startGate: 'ready',
          ...(netns !== undefined && { netns }),
        });
        return { program, cgroups, warnings };
      } catch (err) {
        throw new EngineError(codeOf(err), `${prefixes.plan}${describe(err)}`, { cause: err });
      }
    },
    compileExec: ({ spec, process, initPid, cgroups, stdin }) =>
      compileExec({ spec, process, initPid, cgroups, stdio: streams(process.terminal === true, stdin) }),
    cgroup: openCgroup,
    explain,
  };
}

function streams(terminal: boolean, stdin: boolean): Stdio {
  return { terminal, stdin, pipeSizeBytes };
}

function explain(error: unknown, verb: 'create' | 'exec', program: Program): EngineError {
  if (error instanceof ProgramError) {
    // Without the cause: its words are in the message already, in another order.
    return new Unknown(prefixes[verb] + failureMessage(program, error.failure));
  }
  if (error instanceof EngineError) return error;
  return new Unknown(error instanceof Error ? error.message : String(error), { cause: error });
}
