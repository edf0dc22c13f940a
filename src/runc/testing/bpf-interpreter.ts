// Runs classic BPF as the kernel's seccomp does, and refuses what its checker refuses: the judge of our compiler in tests.

/** What a filter sees of a call (struct seccomp_data). */
export interface SeccompData {
  readonly number: number;
  readonly architecture: number;
  readonly arguments?: readonly bigint[];
}

/** The filter's verdict. */
export function runFilter(filter: Uint8Array, data: SeccompData): number {
  const memory = new DataView(new ArrayBuffer(64));
  memory.setUint32(0, data.number, true);
  memory.setUint32(4, data.architecture, true);
  (data.arguments ?? []).forEach((value, index) => {
    memory.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true);
  });
  const view = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const count = filter.length / 8;
  if (!Number.isInteger(count) || count === 0 || count > 4096) throw new Error(`filter of ${count} instructions`);
  let accumulator = 0;
  for (let at = 0; at < count; ) {
    const code = view.getUint16(at * 8, true);
    const jt = view.getUint8(at * 8 + 2);
    const jf = view.getUint8(at * 8 + 3);
    const k = view.getUint32(at * 8 + 4, true);
    at++;
    switch (code) {
      case 0x20:
        if (k % 4 !== 0 || k > 60) throw new Error(`load from ${k}`);
        accumulator = memory.getUint32(k, true);
        break;
      case 0x54:
        accumulator = (accumulator & k) >>> 0;
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        at += accumulator === k ? jt : jf;
        break;
      case 0x25:
        at += accumulator > k ? jt : jf;
        break;
      case 0x35:
        at += accumulator >= k ? jt : jf;
        break;
      case 0x06:
        return k;
      default:
        throw new Error(`unknown instruction ${code.toString(16)}`);
    }
  }
  throw new Error('fell off the end');
}
