// Platforms as github.com/containerd/platforms understands them: spelling, and which ones a machine can run, best first.

import { readFileSync } from 'node:fs';
import { InvalidArgument } from '../errdefs/index.ts';
import type { Platform } from './image.ts';

const knownOs = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
);
const knownArchitectures = new Set(
  '386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x wasm x86_64 x86-64 aarch64 i386 armhf armel'.split(
    ' ',
  ),
);

/** Parses `linux/arm64/v8`, `arm64` or `linux`; what is not said is the host's. */
export function parsePlatform(text: string, host: Platform = hostPlatform()): Platform {
  const parts = text.split('/');
  if (parts.length > 3) throw new InvalidArgument(`"${text}": cannot parse platform specifier: invalid argument`);
  for (const part of parts) {
    if (!/^[A-Za-z0-9_.-]+$/.test(part)) {
      throw new InvalidArgument(
        `"${part}" is an invalid component of "${text}": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
      );
    }
  }
  const [first, second, third] = parts.map(part => part.toLowerCase()) as [string, string?, string?];
  if (second === undefined) {
    const os = first === 'macos' ? 'darwin' : first;
    if (knownOs.has(os)) return normalizePlatform({ ...host, os });
    if (!knownArchitectures.has(first)) {
      throw new InvalidArgument(`"${text}": unknown operating system or architecture: invalid argument`);
    }
    return normalizePlatform({ os: host.os, architecture: first });
  }
  return normalizePlatform({ os: first, architecture: second, ...(third !== undefined && { variant: third }) });
}

/** One spelling per platform: `x86_64` is amd64, `arm64/v8` is arm64, `arm` is arm/v7. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const [architecture, variant] = normalizeArchitecture(platform.architecture, platform.variant ?? '');
  const { variant: _, ...rest } = platform;
  return { ...rest, os, architecture, ...(variant !== '' && { variant }) };
}

function normalizeArchitecture(name: string, variantText: string): [architecture: string, variant: string] {
  const variant = variantText.toLowerCase();
  switch (name.toLowerCase()) {
    case 'i386':
      return ['386', ''];
    case 'x86_64':
    case 'x86-64':
    case 'amd64':
      return ['amd64', variant === 'v1' ? '' : variant];
    case 'aarch64':
    case 'arm64':
      return ['arm64', variant === '8' || variant === 'v8' || variant === 'v8.0' ? '' : variant];
    case 'armhf':
      return ['arm', 'v7'];
    case 'armel':
      return ['arm', 'v6'];
    case 'arm':
      return ['arm', variant === '' ? 'v7' : /^[5-8]$/.test(variant) ? `v${variant}` : variant];
    default:
      return [name.toLowerCase(), variant];
  }
}

/** `linux/arm64/v9`; the parts that are there. */
export const formatPlatform = (platform: Platform): string =>
  [platform.os || 'unknown', platform.architecture, platform.variant]
    .filter(part => part !== undefined && part !== '')
    .join('/');

/** The spelling with the variant that Docker's messages give (`linux/arm64/v8`). */
export function formatPlatformFully(platform: Platform): string {
  const { architecture, variant } = normalizePlatform(platform);
  return formatPlatform(platform) + (architecture === 'arm64' && variant === undefined ? '/v8' : '');
}

/** What runs where `platform` runs, best first: lower variants, and the 32-bit relatives. */
export function runnablePlatforms(platform: Platform): Platform[] {
  const { os, architecture, variant } = normalizePlatform(platform);
  const level = Number.parseInt((variant ?? '').replace(/^v/, ''), 10);
  const arm = (from: number): Platform[] => range(from, 5).map(v => ({ os, architecture: 'arm', variant: `v${v}` }));
  if (architecture === 'amd64') {
    const levels = Number.isNaN(level) ? [] : range(level, 2).map(v => ({ os, architecture, variant: `v${v}` }));
    return [...levels, { os, architecture }, { os, architecture: '386' }];
  }
  if (architecture === 'arm') return arm(Number.isNaN(level) ? 7 : level);
  if (architecture === 'arm64') {
    const newer = Number.isNaN(level) ? [] : range(level, 9).map(v => ({ os, architecture, variant: `v${v}` }));
    return [...newer, { os, architecture }, ...arm(8)];
  }
  return [{ os, architecture, ...(variant !== undefined && { variant }) }];
}

const range = (from: number, to: number): number[] =>
  from < to ? [] : Array.from({ length: Math.min(from - to + 1, 16) }, (_, i) => from - i);

/** How well something made for `offered` runs on `wanted`: 0 is best, undefined is not at all. */
export function platformRank(wanted: Platform, offered: Platform): number | undefined {
  const have = normalizePlatform(offered);
  const rank = runnablePlatforms(wanted).findIndex(
    can => can.os === have.os && can.architecture === have.architecture && can.variant === have.variant,
  );
  return rank < 0 ? undefined : rank;
}

/** The best of `offers` for `wanted`; the first one among equals. Offers without a platform fit nothing. */
export function choosePlatform<T extends { readonly platform?: Platform }>(
  offers: readonly T[],
  wanted: Platform,
): T | undefined {
  let best: T | undefined;
  let bestRank = Number.POSITIVE_INFINITY;
  for (const offer of offers) {
    const rank = offer.platform === undefined ? undefined : platformRank(wanted, offer.platform);
    if (rank !== undefined && rank < bestRank) [best, bestRank] = [offer, rank];
  }
  return best;
}

let host: Platform | undefined;

/** This machine's platform, with the x86-64 level that its CPU has. */
export function hostPlatform(): Platform {
  host ??= readHostPlatform();
  return host;
}

function readHostPlatform(): Platform {
  const architecture =
    { x64: 'amd64', ia32: '386', arm64: 'arm64', arm: 'arm' }[process.arch as string] ?? process.arch;
  if (architecture !== 'amd64') return normalizePlatform({ os: 'linux', architecture });
  const level = amd64Level(readCpuFlags());
  return { os: 'linux', architecture, ...(level > 1 && { variant: `v${level}` }) };
}

function readCpuFlags(): ReadonlySet<string> {
  try {
    const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'));
    return new Set(line?.[1]?.trim().split(/\s+/));
  } catch {
    return new Set();
  }
}

// System V psABI for x86-64, "Micro-Architecture Levels", in the kernel's names for the features.
const amd64Levels: readonly (readonly string[])[] = [
  ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3'],
  ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'],
  ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl'],
];

function amd64Level(flags: ReadonlySet<string>): number {
  const missing = amd64Levels.findIndex(features => !features.every(feature => flags.has(feature)));
  return 1 + (missing < 0 ? amd64Levels.length : missing);
}
