// Which devices a container may make, read and write: the spec's list of rules → v1's device.allow list, or a BPF program for v2.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { DeviceRule } from '../../oci/index.ts';

/** One allowed kind of access; -1 is any number. */
export interface AllowedDevice {
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Some of `rwm`, in that order. */
  readonly access: string;
}

export interface DevicePolicy {
  /** What is not named: allowed only for privileged containers. */
  readonly allowAll: boolean;
  /** With allowAll: what is denied nevertheless. Else: what is allowed. */
  readonly exceptions: readonly AllowedDevice[];
}

/** What the runtime allows on top, as runc does: making any device node (reading and writing it is another matter), the default devices, and ptys. */
const defaults: readonly AllowedDevice[] = [
  { type: 'c', major: -1, minor: -1, access: 'm' },
  { type: 'b', major: -1, minor: -1, access: 'm' },
  { type: 'c', major: 1, minor: 3, access: 'rwm' },
  { type: 'c', major: 1, minor: 8, access: 'rwm' },
  { type: 'c', major: 1, minor: 7, access: 'rwm' },
  { type: 'c', major: 5, minor: 0, access: 'rwm' },
  { type: 'c', major: 1, minor: 5, access: 'rwm' },
  { type: 'c', major: 1, minor: 9, access: 'rwm' },
  { type: 'c', major: 136, minor: -1, access: 'rwm' },
  { type: 'c', major: 5, minor: 2, access: 'rwm' },
];

const letters = ['r', 'w', 'm'] as const;

function apply(exceptions: Map<string, AllowedDevice>, device: AllowedDevice, add: boolean): void {
  const key = `${device.type} ${device.major}:${device.minor}`;
  const before = exceptions.get(key)?.access ?? '';
  const access = letters
    .filter(
      letter =>
        (add && device.access.includes(letter)) ||
        (before.includes(letter) && (add || !device.access.includes(letter))),
    )
    .join('');
  if (access === '') exceptions.delete(key);
  else exceptions.set(key, { ...device, access });
}

/** Works the rules off in order, as the v1 controller would, so that one list without contradictions is left. */
export function devicePolicy(rules: readonly DeviceRule[]): DevicePolicy {
  let allowAll = false;
  const exceptions = new Map<string, AllowedDevice>();
  for (const rule of rules) {
    const type = rule.type ?? 'a';
    const major = rule.major ?? -1;
    const minor = rule.minor ?? -1;
    const access = rule.access === undefined || rule.access === '' ? 'rwm' : rule.access;
    if (!/^[rwm]+$/.test(access)) throw new InvalidArgument(`device cgroup rule has invalid access "${rule.access}"`);
    if (type === 'a') {
      // The kernel's own meaning: "a" forgets all that was said before.
      allowAll = rule.allow;
      exceptions.clear();
      continue;
    }
    if (type !== 'c' && type !== 'b') throw new InvalidArgument(`device cgroup rule has invalid type "${rule.type}"`);
    apply(exceptions, { type, major, minor, access }, rule.allow !== allowAll);
  }
  for (const device of defaults) apply(exceptions, device, !allowAll);
  return { allowAll, exceptions: [...exceptions.values()] };
}

const number = (value: number): string => (value === -1 ? '*' : String(value));

/** The writes for a v1 devices cgroup, in order: file and line. */
export function v1DeviceWrites(policy: DevicePolicy): readonly { readonly file: string; readonly value: string }[] {
  const line = (device: AllowedDevice) =>
    `${device.type} ${number(device.major)}:${number(device.minor)} ${device.access}`;
  return [
    { file: policy.allowAll ? 'devices.allow' : 'devices.deny', value: 'a' },
    ...policy.exceptions.map(device => ({
      file: policy.allowAll ? 'devices.deny' : 'devices.allow',
      value: line(device),
    })),
  ];
}

/** linux/bpf.h: what a device program is asked, in access_type: type in the low 16 bits, access in the high. */
const BPF_DEVCG = { b: 1, c: 2, m: 1, r: 2, w: 4 } as const;

interface Instruction {
  readonly code: number;
  readonly dst?: number;
  readonly src?: number;
  readonly off?: number;
  readonly imm?: number;
}

/** struct bpf_insn, eight bytes each. */
function assemble(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, dst = 0, src = 0, off = 0, imm = 0 }, index) => {
    view.setUint8(index * 8, code);
    view.setUint8(index * 8 + 1, dst | (src << 4));
    view.setInt16(index * 8 + 2, off, true);
    view.setInt32(index * 8 + 4, imm, true);
  });
  return bytes;
}

/** linux/bpf.h and bpf_common.h. */
const LDX_W = 0x61;
const MOV32_REG = 0xbc;
const MOV32_IMM = 0xb4;
const AND32_IMM = 0x54;
const RSH32_IMM = 0x74;
const JNE32_IMM = 0x56;
const JNE32_REG = 0x5e;
const EXIT = 0x95;

/**
 * The BPF_PROG_TYPE_CGROUP_DEVICE program for a policy: r2 type, r3 access, r4 major, r5 minor; each exception is a block that jumps to
 * the next where something differs and returns the opposite of the default.
 */
export function deviceProgram(policy: DevicePolicy): Uint8Array {
  const program: Instruction[] = [
    { code: LDX_W, dst: 2, src: 1, off: 0 },
    { code: MOV32_REG, dst: 3, src: 2 },
    { code: AND32_IMM, dst: 2, imm: 0xffff },
    { code: RSH32_IMM, dst: 3, imm: 16 },
    { code: LDX_W, dst: 4, src: 1, off: 4 },
    { code: LDX_W, dst: 5, src: 1, off: 8 },
  ];
  const hit = policy.allowAll ? 0 : 1;
  for (const { type, major, minor, access } of policy.exceptions) {
    const mask = letters.reduce((bits, letter) => (access.includes(letter) ? bits | BPF_DEVCG[letter] : bits), 0);
    const tests: Instruction[] = [{ code: JNE32_IMM, dst: 2, imm: BPF_DEVCG[type] }];
    if (mask !== 7) {
      // Allowed: all that is asked is in the mask. Denied: anything that is asked is in it.
      tests.push({ code: MOV32_REG, dst: 1, src: 3 }, { code: AND32_IMM, dst: 1, imm: mask });
      tests.push(policy.allowAll ? { code: 0x16, dst: 1, imm: 0 } : { code: JNE32_REG, dst: 1, src: 3 });
    }
    if (major !== -1) tests.push({ code: JNE32_IMM, dst: 4, imm: major });
    if (minor !== -1) tests.push({ code: JNE32_IMM, dst: 5, imm: minor });
    const block = [...tests, { code: MOV32_IMM, dst: 0, imm: hit }, { code: EXIT }];
    block.forEach((instruction, index) => {
      const jumps = (instruction.code & 0x07) === 0x06;
      program.push(jumps ? { ...instruction, off: block.length - index - 1 } : instruction);
    });
  }
  program.push({ code: MOV32_IMM, dst: 0, imm: policy.allowAll ? 1 : 0 }, { code: EXIT });
  return assemble(program);
}
