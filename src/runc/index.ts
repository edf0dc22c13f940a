// The OCI runtime as a library: what a container is, as a program for the launcher, and its cgroups while it lives.

export { type Cgroup, openCgroup } from './cgroups/cgroup.ts';
export type { CgroupPaths } from './cgroups/paths.ts';
export type { CgroupStats } from './cgroups/stats.ts';
export { type HostFacts, hostFacts } from './compilation.ts';
export {
  type CreateOptions,
  type CreatePlan,
  compileCreate,
  type NetnsPlan,
  planCreate,
  type StartGate,
} from './create.ts';
export { compileExec, type ExecOptions } from './exec.ts';
export { failureMessage } from './failure.ts';
export { type NetDeviceOps, netDeviceOps } from './net-devices.ts';
export { capabilityNames } from './process/capabilities.ts';
export { compileSeccomp, type SeccompFilter } from './seccomp/index.ts';
export type { Stdio, StreamPlan } from './stdio.ts';
