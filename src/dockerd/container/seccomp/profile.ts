// The form of a Docker seccomp profile: the OCI one, with rules that count only for certain capabilities, machines and kernels.

import { InvalidArgument } from '../../../errdefs/index.ts';
import { parseSeccompJson, type SeccompAction, type SeccompArg } from '../../../oci/index.ts';

export interface ProfileFilter {
  /** `CAP_SYS_ADMIN`: all must be there (includes); any that is there rules out (excludes). */
  readonly caps?: readonly string[] | null;
  /** As Go spells them: `amd64`, `arm64`. */
  readonly arches?: readonly string[] | null;
  /** `4.8` */
  readonly minKernel?: string;
}

export interface ProfileRule {
  readonly names?: readonly string[] | null;
  /** The old form: one name. */
  readonly name?: string;
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args?: readonly SeccompArg[] | null;
  readonly comment?: string;
  readonly includes?: ProfileFilter;
  readonly excludes?: ProfileFilter;
}

export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[] | null;
  readonly archMap?:
    | readonly { readonly architecture: string; readonly subArchitectures?: readonly string[] | null }[]
    | null;
  readonly flags?: readonly string[] | null;
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly ProfileRule[] | null;
}

const actions: ReadonlySet<unknown> = new Set<SeccompAction>([
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
]);

const bad = (detail: string) => new InvalidArgument(`decoding seccomp profile failed: ${detail}`);

/** Reads a profile that a client sent as the value of `--security-opt seccomp=`. */
export function parseProfile(json: string): SeccompProfile {
  let value: unknown;
  try {
    value = parseSeccompJson(json);
  } catch (cause) {
    throw new InvalidArgument(`decoding seccomp profile failed: ${(cause as Error).message}`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('not an object');
  const profile = value as SeccompProfile;
  if (!actions.has(profile.defaultAction)) throw bad(`invalid defaultAction ${JSON.stringify(profile.defaultAction)}`);
  for (const list of [profile.architectures, profile.archMap, profile.syscalls, profile.flags]) {
    if (list !== undefined && list !== null && !Array.isArray(list)) throw bad('a list is expected');
  }
  for (const rule of profile.syscalls ?? []) {
    if (typeof rule !== 'object' || rule === null) throw bad('a rule is no object');
    if (!actions.has(rule.action)) throw bad(`invalid action ${JSON.stringify(rule.action)}`);
    if (rule.name !== undefined && rule.name !== '' && (rule.names?.length ?? 0) > 0) {
      throw bad("both 'name' and 'names' are specified in a rule");
    }
  }
  return profile;
}
