import type { Runtime } from '../containerd/tasks/runtime.ts';
import { EngineError, Unknown } from '../errdefs/index.ts';
import { ProgramError } from '../launcher/index.ts';
import { openCgroup } from '../runc/cgroups/cgroup.ts';
import { compileExec, failureMessage, planCreate } from '../runc/index.ts';

const pipeSizeBytes = 1 << 20;
export const ociRuntime = (): Runtime => ({
  compileCreate: o => {
    const plan = planCreate({
      id: o.id,
      spec: o.spec,
      bundle: o.bundle,
      rootfs: (o.rootfs ?? []).map(m => ({ destination: '/', type: m.type, source: m.source, options: m.options })),
      stdio: { terminal: o.spec.process?.terminal === true, stdin: o.stdin, pipeSizeBytes },
      ...(o.netns && { netns: o.netns }),
      startGate: 'ready',
    });
    return { program: plan.program, cgroups: plan.cgroups };
  },
  compileExec: o =>
    compileExec({
      spec: o.spec,
      process: o.process,
      initPid: o.initPid,
      cgroups: o.cgroups,
      stdio: { terminal: o.process.terminal === true, stdin: o.stdin, pipeSizeBytes },
    }),
  cgroup: paths => openCgroup(paths),
  explain: err => {
    if (err instanceof ProgramError)
      return new Unknown(
        `OCI runtime create failed: runc create failed: unable to start container process: ${failureMessage(err.program, err.failure)}`,
        { cause: undefined },
      );
    return err instanceof EngineError ? err : new Unknown((err as Error).message, { cause: err });
  },
});
