import { InvalidArgument } from '../../../errdefs/index.ts';
import type { Seccomp, SeccompRule } from '../../../oci/index.ts';
import type { ProfileFilter, ProfileRule, SeccompProfile } from './profile.ts';

/** What a profile is resolved for. */
export interface ProfileTarget {
  /** The bounding set, with `CAP_`. */
  readonly capabilities: readonly string[];
  /** As Go spells it. */
  readonly architecture: string;
  /** `uname -r` */
  readonly kernel: string;
}

/** Go's name of a machine → seccomp's. */
const native: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  '386': 'SCMP_ARCH_X86',
  arm: 'SCMP_ARCH_ARM',
  s390x: 'SCMP_ARCH_S390X',
  riscv64: 'SCMP_ARCH_RISCV64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
  mips64: 'SCMP_ARCH_MIPS64',
  mips64le: 'SCMP_ARCH_MIPSEL64',
};

/** `6.18.44-x` ≥ `4.8`, by the first two numbers. */
export function kernelAtLeast(kernel: string, minimum: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantMajor, wantMinor] = minimum.split('.').map(Number);
  if (wantMajor === undefined || wantMinor === undefined || Number.isNaN(wantMajor) || Number.isNaN(wantMinor)) {
    throw new InvalidArgument(`invalid minKernel "${minimum}" in seccomp profile`);
  }
  return major > wantMajor || (major === wantMajor && minor >= wantMinor);
}

function applies({ includes = {}, excludes = {} }: ProfileRule, target: ProfileTarget): boolean {
  const capabilities = new Set(target.capabilities);
  const has = (list: ProfileFilter['caps']) => list ?? [];
  if (has(excludes.arches).includes(target.architecture)) return false;
  if (has(excludes.caps).some(capability => capabilities.has(capability))) return false;
  if (excludes.minKernel && kernelAtLeast(target.kernel, excludes.minKernel)) return false;
  if (has(includes.arches).length > 0 && !has(includes.arches).includes(target.architecture)) return false;
  if (!has(includes.caps).every(capability => capabilities.has(capability))) return false;
  return !includes.minKernel || kernelAtLeast(target.kernel, includes.minKernel);
}

/** Leaves of a profile what holds for this container on this machine, in the form of the runtime spec. */
export function resolveProfile(profile: SeccompProfile, target: ProfileTarget): Seccomp {
  const explicit = profile.architectures ?? [];
  const map = profile.archMap ?? [];
  if (explicit.length > 0 && map.length > 0) {
    throw new InvalidArgument(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  }
  const own = map.find(entry => entry.architecture === native[target.architecture]);
  const architectures = own ? [own.architecture, ...(own.subArchitectures ?? [])] : explicit;
  const syscalls: SeccompRule[] = [];
  for (const rule of profile.syscalls ?? []) {
    if (!applies(rule, target)) continue;
    const names = rule.names ?? (rule.name ? [rule.name] : []);
    syscalls.push({
      names,
      action: rule.action,
      ...(rule.errnoRet !== undefined && { errnoRet: rule.errnoRet }),
      ...(rule.args && rule.args.length > 0 && { args: rule.args }),
    });
  }
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length > 0 && { architectures }),
    ...(profile.flags && { flags: profile.flags }),
    ...(profile.listenerPath && { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata && { listenerMetadata: profile.listenerMetadata }),
    syscalls,
  };
}
