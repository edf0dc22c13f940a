// Classic BPF, written from its end to its beginning: jumps only lead forward, so every target is already there, and its distance known,
// when an instruction that jumps to it is put in front.

/** linux/bpf_common.h */
export const bpf = {
  LD_W_ABS: 0x20,
  JMP_JA: 0x05,
  JMP_JEQ: 0x15,
  JMP_JGT: 0x25,
  JMP_JGE: 0x35,
  ALU_AND: 0x54,
  RET: 0x06,
} as const;

interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** A place in the program: how many instructions lie from there to the end. */
export type Label = number;

/** linux/filter.h: BPF_MAXINSNS */
const limit = 4096;

export class Assembler {
  /** Last instruction first. */
  readonly #instructions: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Where the next instruction that is put in front will go on to, if it does not jump. */
  get here(): Label {
    return this.#instructions.length;
  }

  #push(code: number, k: number, jt = 0, jf = 0): Label {
    this.#instructions.push({ code, jt, jf, k: k >>> 0 });
    return this.#instructions.length;
  }

  /** A return of `value`: one that is near enough, else a new one. */
  ret(value: number): Label {
    const known = this.#returns.get(value);
    // Room for the few instructions that may come between a jump's target and the jump.
    if (known !== undefined && this.here - known < 200) return known;
    const label = this.#push(bpf.RET, value);
    this.#returns.set(value, label);
    return label;
  }

  load(offset: number, then: Label): Label {
    this.#fallTo(then);
    return this.#push(bpf.LD_W_ABS, offset);
  }

  and(mask: number, then: Label): Label {
    this.#fallTo(then);
    return this.#push(bpf.ALU_AND, mask);
  }

  /** Compares the accumulator with `k` and goes on at one of two labels. */
  jump(code: number, k: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    const near = (label: Label, reserve: number) =>
      this.here - label + reserve > 255 ? this.#push(bpf.JMP_JA, this.here - label) : label;
    // The second trampoline lies between the first and the jump.
    const closeYes = near(yes, 1);
    const closeNo = near(no, 0);
    return this.#push(code, k, this.here - closeYes, this.here - closeNo);
  }

  /** The program as struct sock_filter[]. */
  finish(start: Label): Uint8Array {
    this.#fallTo(start);
    const count = this.#instructions.length;
    if (count > limit) throw new RangeError(`seccomp filter has ${count} instructions: the kernel takes ${limit}`);
    const bytes = new Uint8Array(count * 8);
    const view = new DataView(bytes.buffer);
    for (const [index, { code, jt, jf, k }] of this.#instructions.toReversed().entries()) {
      view.setUint16(index * 8, code, true);
      view.setUint8(index * 8 + 2, jt);
      view.setUint8(index * 8 + 3, jf);
      view.setUint32(index * 8 + 4, k, true);
    }
    return bytes;
  }

  /** Makes the next instruction go on at `label`. */
  #fallTo(label: Label): void {
    if (label !== this.here) this.#push(bpf.JMP_JA, this.here - label);
  }
}
