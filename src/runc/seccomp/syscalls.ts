// System call tables and the architectures that a filter can be asked about.

import { aarch64 } from './tables/aarch64.ts';
import { arm } from './tables/arm.ts';
import { i386 } from './tables/i386.ts';
import { x32 } from './tables/x32.ts';
import { x8664 } from './tables/x86-64.ts';

/** Name → number. */
export type SyscallTable = ReadonlyMap<string, number>;

export interface Architecture {
  /** The spec's name. */
  readonly name: string;
  /** linux/audit.h: what seccomp_data.arch says. x32 shares x86_64's. */
  readonly audit: number;
  /** Added to every number of this table: x32 sets bit 30. */
  readonly base: number;
  readonly table: () => SyscallTable;
}

function parse(text: string): SyscallTable {
  const table = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (/^\d+$/.test(word)) next = Number(word);
    else table.set(word, next++);
  }
  return table;
}

const lazy = (text: string) => {
  let table: SyscallTable | undefined;
  return () => (table ??= parse(text));
};

export const X32_BIT = 0x40000000;

export const architectures: Readonly<Record<string, Architecture>> = {
  SCMP_ARCH_X86_64: { name: 'SCMP_ARCH_X86_64', audit: 0xc000003e, base: 0, table: lazy(x8664) },
  SCMP_ARCH_X86: { name: 'SCMP_ARCH_X86', audit: 0x40000003, base: 0, table: lazy(i386) },
  SCMP_ARCH_X32: { name: 'SCMP_ARCH_X32', audit: 0xc000003e, base: X32_BIT, table: lazy(x32) },
  SCMP_ARCH_AARCH64: { name: 'SCMP_ARCH_AARCH64', audit: 0xc00000b7, base: 0, table: lazy(aarch64) },
  SCMP_ARCH_ARM: { name: 'SCMP_ARCH_ARM', audit: 0x40000028, base: 0, table: lazy(arm) },
};

/** Architectures that the spec names and this runtime does not run on: their part of a filter could never be reached. */
export const foreignArchitectures: ReadonlySet<string> = new Set([
  'SCMP_ARCH_MIPS',
  'SCMP_ARCH_MIPS64',
  'SCMP_ARCH_MIPS64N32',
  'SCMP_ARCH_MIPSEL',
  'SCMP_ARCH_MIPSEL64',
  'SCMP_ARCH_MIPSEL64N32',
  'SCMP_ARCH_PPC',
  'SCMP_ARCH_PPC64',
  'SCMP_ARCH_PPC64LE',
  'SCMP_ARCH_S390',
  'SCMP_ARCH_S390X',
  'SCMP_ARCH_PARISC',
  'SCMP_ARCH_PARISC64',
  'SCMP_ARCH_RISCV64',
  'SCMP_ARCH_LOONGARCH64',
  'SCMP_ARCH_M68K',
  'SCMP_ARCH_SH',
  'SCMP_ARCH_SHEB',
]);

/** The machine we run on. */
export const nativeArchitecture = process.arch === 'arm64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';
