// LZMA as LZMA2 chunks carry it: a range decoder with adaptive bits, over a window of what was decoded (7-zip lzma.txt
// specification; names of the models are those of the specification).

import { InvalidArgument } from '../../../errdefs/index.ts';

const damaged = () => new InvalidArgument('failed to decompress: damaged xz data');

const probStart = 1024;
const moveBits = 5;

/** What was decoded last: matches copy from here. */
export class Window {
  readonly #bytes: Buffer;
  #at = 0;
  #full = false;
  #unread = 0;
  readonly #onFull: (bytes: Buffer) => void;

  /** `onFull` is given decoded bytes, in order; they are its own. */
  constructor(size: number, onFull: (bytes: Buffer) => void) {
    this.#bytes = Buffer.alloc(size);
    this.#onFull = onFull;
  }

  get last(): number {
    return this.#at === 0 ? (this.#full ? this.#bytes[this.#bytes.length - 1]! : 0) : this.#bytes[this.#at - 1]!;
  }

  has(distance: number): boolean {
    return distance < this.#at || (this.#full && distance < this.#bytes.length);
  }

  at(distance: number): number {
    const index = this.#at - distance - 1;
    return this.#bytes[index < 0 ? index + this.#bytes.length : index]!;
  }

  put(byte: number): void {
    this.#bytes[this.#at++] = byte;
    if (this.#at === this.#bytes.length) this.#wrap();
  }

  copy(distance: number, length: number): void {
    let from = this.#at - distance - 1;
    if (from < 0) from += this.#bytes.length;
    for (let i = 0; i < length; i++) {
      this.put(this.#bytes[from]!);
      if (++from === this.#bytes.length) from = 0;
    }
  }

  putAll(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const taken = bytes.copy(this.#bytes, this.#at, from);
      from += taken;
      this.#at += taken;
      if (this.#at === this.#bytes.length) this.#wrap();
    }
  }

  /** Hands out what was decoded since. */
  flush(): void {
    if (this.#at > this.#unread) this.#onFull(Buffer.from(this.#bytes.subarray(this.#unread, this.#at)));
    this.#unread = this.#at;
  }

  reset(): void {
    this.flush();
    this.#at = 0;
    this.#unread = 0;
    this.#full = false;
  }

  #wrap(): void {
    this.flush();
    this.#at = 0;
    this.#unread = 0;
    this.#full = true;
  }
}

const probs = (count: number): Uint16Array => new Uint16Array(count).fill(probStart);

class LengthModel {
  readonly choice = probs(2);
  readonly low = probs(16 * 8);
  readonly mid = probs(16 * 8);
  readonly high = probs(256);

  reset(): void {
    for (const model of [this.choice, this.low, this.mid, this.high]) model.fill(probStart);
  }
}

export class LzmaDecoder {
  readonly #window: Window;
  #in: Buffer = Buffer.alloc(0);
  #pos = 0;
  // Unsigned numbers of 32 bits, held as signed ones: those V8 keeps without a box.
  #range = 0;
  #code = 0;
  #lc = 0;
  #literalPosMask = 0;
  #posMask = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;
  /** Bytes decoded since the window was reset. */
  #position = 0;
  #literal = probs(0);
  readonly #isMatch = probs(12 * 16);
  readonly #isRep = probs(12);
  readonly #isRepG0 = probs(12);
  readonly #isRepG1 = probs(12);
  readonly #isRepG2 = probs(12);
  readonly #isRep0Long = probs(12 * 16);
  readonly #posSlot = [probs(64), probs(64), probs(64), probs(64)];
  readonly #posSpecial = probs(115);
  readonly #align = probs(16);
  readonly #length = new LengthModel();
  readonly #repLength = new LengthModel();

  constructor(window: Window) {
    this.#window = window;
  }

  /** lc, lp and pb in one byte, as LZMA has it. */
  setProperties(byte: number): void {
    if (byte >= 9 * 5 * 5) throw damaged();
    this.#lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    const pb = Math.floor(byte / 45);
    if (this.#lc + lp > 4) throw damaged();
    this.#literalPosMask = (1 << lp) - 1;
    this.#posMask = (1 << pb) - 1;
    this.#literal = probs(0x300 << (this.#lc + lp));
    this.resetState();
  }

  resetState(): void {
    this.#state = 0;
    this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
    const models = [this.#literal, this.#isMatch, this.#isRep, this.#isRepG0, this.#isRepG1, this.#isRepG2];
    for (const model of [...models, this.#isRep0Long, ...this.#posSlot, this.#posSpecial, this.#align]) {
      model.fill(probStart);
    }
    this.#length.reset();
    this.#repLength.reset();
  }

  /** The window was reset. */
  resetPosition(): void {
    this.#position = 0;
  }

  /** What was put into the window uncompressed counts as position, too. */
  skip(length: number): void {
    this.#position += length;
  }

  /** Decodes exactly `size` bytes from one chunk. */
  decode(chunk: Buffer, size: number): void {
    if (chunk.length < 5 || chunk[0] !== 0) throw damaged();
    this.#in = chunk;
    this.#code = chunk.readInt32BE(1);
    this.#range = -1;
    this.#pos = 5;
    for (let left = size; left > 0; ) left -= this.#step(left);
    if (this.#pos > chunk.length) throw damaged();
  }

  /** One literal or match; answers its length. */
  #step(left: number): number {
    const posState = this.#position & this.#posMask;
    const state = this.#state;
    let length: number;
    if (this.#bit(this.#isMatch, state * 16 + posState) === 0) {
      this.#putLiteral();
      length = 1;
    } else if (this.#bit(this.#isRep, state) === 0) {
      this.#rep3 = this.#rep2;
      this.#rep2 = this.#rep1;
      this.#rep1 = this.#rep0;
      length = this.#decodeLength(this.#length, posState);
      this.#state = state < 7 ? 7 : 10;
      this.#rep0 = this.#decodeDistance(length);
      length = this.#copy(length, left);
    } else if (this.#isShortRep(state, posState)) {
      this.#state = state < 7 ? 9 : 11;
      length = this.#copy(1, left);
    } else {
      length = this.#decodeLength(this.#repLength, posState);
      this.#state = state < 7 ? 8 : 11;
      length = this.#copy(length, left);
    }
    this.#position += length;
    return length;
  }

  /** One byte at the last distance; else the distance to repeat is now the last. */
  #isShortRep(state: number, posState: number): boolean {
    if (this.#bit(this.#isRepG0, state) === 0) return this.#bit(this.#isRep0Long, state * 16 + posState) === 0;
    this.#rotateReps(state);
    return false;
  }

  #rotateReps(state: number): void {
    let distance: number;
    if (this.#bit(this.#isRepG1, state) === 0) {
      distance = this.#rep1;
    } else {
      if (this.#bit(this.#isRepG2, state) === 0) {
        distance = this.#rep2;
      } else {
        distance = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    this.#rep0 = distance;
  }

  #copy(length: number, left: number): number {
    if (length > left || !this.#window.has(this.#rep0)) throw damaged();
    this.#window.copy(this.#rep0, length);
    return length;
  }

  #putLiteral(): void {
    const context = ((this.#position & this.#literalPosMask) << this.#lc) + (this.#window.last >> (8 - this.#lc));
    const base = 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = this.#window.at(this.#rep0);
      do {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(this.#literal, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(this.#literal, base + symbol);
    this.#window.put(symbol & 0xff);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  #decodeLength(model: LengthModel, posState: number): number {
    if (this.#bit(model.choice, 0) === 0) return 2 + this.#tree(model.low, posState * 8, 3);
    if (this.#bit(model.choice, 1) === 0) return 10 + this.#tree(model.mid, posState * 8, 3);
    return 18 + this.#tree(model.high, 0, 8);
  }

  #decodeDistance(length: number): number {
    const slot = this.#tree(this.#posSlot[Math.min(length - 2, 3)]!, 0, 6);
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    let distance = (2 | (slot & 1)) * 2 ** directBits;
    if (slot < 14) {
      return distance + this.#reverseTree(this.#posSpecial, distance - slot, directBits);
    }
    distance += this.#direct(directBits - 4) * 16;
    distance += this.#reverseTree(this.#align, 0, 4);
    // The end marker has no place in LZMA2.
    if (distance === 0xffffffff) throw damaged();
    return distance;
  }

  #tree(model: Uint16Array, base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(model, base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(model: Uint16Array, base: number, bits: number): number {
    let index = 1;
    let symbol = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(model, base + index);
      index = (index << 1) | bit;
      symbol |= bit << i;
    }
    return symbol;
  }

  #direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.#range >>>= 1;
      let bit = 0;
      if (this.#code >>> 0 >= this.#range) {
        this.#code = (this.#code - this.#range) | 0;
        bit = 1;
      }
      value = value * 2 + bit;
      this.#normalise();
    }
    return value;
  }

  #bit(model: Uint16Array, index: number): number {
    const prob = model[index]!;
    const bound = Math.imul(this.#range >>> 11, prob);
    let bit: number;
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      model[index] = prob + ((2048 - prob) >> moveBits);
      bit = 0;
    } else {
      this.#range = (this.#range - bound) | 0;
      this.#code = (this.#code - bound) | 0;
      model[index] = prob - (prob >> moveBits);
      bit = 1;
    }
    if (this.#range >>> 24 === 0) this.#normalise();
    return bit;
  }

  #normalise(): void {
    if (this.#range >>> 24 !== 0) return;
    this.#range <<= 8;
    // Beyond the chunk's end zeros are read; `decode` notices.
    this.#code = (this.#code << 8) | (this.#pos < this.#in.length ? this.#in[this.#pos]! : 0);
    this.#pos++;
  }
}
