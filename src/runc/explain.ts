// What the bytes inside of ops mean, for readers of a disassembly.

import type { Op } from '../launcher/index.ts';

const names: Readonly<Record<number, string>> = {
  32: 'load',
  5: 'jump',
  21: 'if ==',
  37: 'if >',
  53: 'if >=',
  84: 'and',
  6: 'return',
};

/** struct seccomp_data by offset. */
const fields: Readonly<Record<number, string>> = { 0: 'number', 4: 'architecture' };

const hex = (value: number) => `0x${value.toString(16)}`;

/** A seccomp filter, one instruction a line. */
export function disassembleFilter(filter: Uint8Array): readonly string[] {
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  return Array.from({ length: filter.length / 8 }, (_, index) => {
    const code = view.getUint16(index * 8, true);
    const yes = index + 1 + view.getUint8(index * 8 + 2);
    const no = index + 1 + view.getUint8(index * 8 + 3);
    const k = view.getUint32(index * 8 + 4, true);
    const name = names[code] ?? hex(code);
    if (code === 0x20) return `${index} load ${fields[k] ?? `argument ${(k - 16) >> 3} ${k & 4 ? 'high' : 'low'}`}`;
    if (code === 0x05) return `${index} jump ${index + 1 + k}`;
    if (code === 0x06 || code === 0x54) return `${index} ${name} ${hex(k)}`;
    return `${index} ${name} ${code === 0x35 || code === 0x25 ? k : hex(k)} then ${yes} else ${no}`;
  });
}

/** Lines below an op whose bytes say more; undefined for the others. */
export function explainOp(op: Op): readonly string[] | undefined {
  if (op.op === 'seccomp') {
    const lines = disassembleFilter(op.filter);
    return lines.length <= 24 ? lines : [`${lines.length} instructions`];
  }
  if (op.op === 'deviceFilter') return [`${op.program.length / 8} instructions of eBPF`];
  return undefined;
}
