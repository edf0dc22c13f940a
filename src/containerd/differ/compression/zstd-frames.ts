// Node's zstd decoder stops at the end of a frame and forgets what else was in the same piece; a file may have many frames, and
// some to be skipped (zstd:chunked). So pieces are cut at the ends of frames here, by the sizes in the format's own headers
// (RFC 8878, 3.1).

import { InvalidArgument } from '../../../errdefs/index.ts';

type State =
  | { kind: 'magic' }
  | { kind: 'skipSize' }
  | { kind: 'skip'; left: number }
  | { kind: 'descriptor' }
  | { kind: 'header'; left: number; checksum: boolean }
  | { kind: 'blockHeader'; checksum: boolean }
  | { kind: 'block'; left: number; last: boolean; checksum: boolean }
  | { kind: 'checksum'; left: number };

const magic = 0xfd2fb528;
const isSkippable = (word: number): boolean => (word & 0xfffffff0) >>> 0 === 0x184d2a50;

export class ZstdFrames {
  #state: State = { kind: 'magic' };
  /** Bytes of a word that came in two pieces. */
  #word: number[] = [];

  /** The pieces for the decoder, each of one frame only, to be written one by one. */
  split(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let from = 0;
    let at = 0;
    const cut = (to: number): void => {
      if (to > from) pieces.push(chunk.subarray(from, to));
      from = to;
    };
    while (at < chunk.length) {
      const state = this.#state;
      switch (state.kind) {
        case 'magic': {
          if (this.#word.length === 0) cut(at);
          this.#word.push(chunk[at++]!);
          if (this.#word.length < 4) break;
          const word = this.#takeWord();
          if (word === magic) {
            // The frame's first bytes may have been in the piece before.
            if (at < 4) pieces.push(magicBytes);
            from = at < 4 ? at : at - 4;
            this.#state = { kind: 'descriptor' };
          } else if (isSkippable(word)) {
            from = at;
            this.#state = { kind: 'skipSize' };
          } else {
            throw new InvalidArgument('failed to decompress layer: not a zstd frame');
          }
          break;
        }
        case 'skipSize':
          this.#word.push(chunk[at++]!);
          from = at;
          if (this.#word.length === 4) this.#skip(this.#takeWord());
          break;
        case 'skip': {
          const taken = Math.min(state.left, chunk.length - at);
          at += taken;
          from = at;
          this.#skip(state.left - taken);
          break;
        }
        case 'descriptor':
          this.#state = headerState(chunk[at++]!);
          break;
        case 'header':
        case 'block':
        case 'checksum': {
          const taken = Math.min(state.left, chunk.length - at);
          at += taken;
          state.left -= taken;
          if (state.left === 0) this.#endOf(state);
          if (this.#state.kind === 'magic') cut(at);
          break;
        }
        case 'blockHeader':
          this.#word.push(chunk[at++]!);
          if (this.#word.length === 3) {
            this.#beginBlock(this.#takeWord(), state.checksum);
            if (this.#state.kind === 'magic') cut(at);
          }
      }
    }
    // A word that may turn out not to be the decoder's is held back.
    if (this.#state.kind !== 'magic' && this.#state.kind !== 'skip' && this.#state.kind !== 'skipSize') cut(at);
    return pieces;
  }

  end(): void {
    if (this.#state.kind !== 'magic' || this.#word.length > 0) {
      throw new InvalidArgument('failed to decompress layer: unexpected end of file');
    }
  }

  #takeWord(): number {
    const value = this.#word.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
    this.#word = [];
    return value;
  }

  #skip(left: number): void {
    this.#state = left === 0 ? { kind: 'magic' } : { kind: 'skip', left };
  }

  #beginBlock(header: number, checksum: boolean): void {
    const last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === 3) throw new InvalidArgument('failed to decompress layer: reserved zstd block');
    // A run of one byte has only that byte.
    const left = type === 1 ? 1 : header >> 3;
    const state: Extract<State, { kind: 'block' }> = { kind: 'block', left, last, checksum };
    if (left === 0) this.#endOf(state);
    else this.#state = state;
  }

  #endOf(state: Extract<State, { kind: 'header' | 'block' | 'checksum' }>): void {
    if (state.kind === 'header') this.#state = { kind: 'blockHeader', checksum: state.checksum };
    else if (state.kind === 'checksum') this.#state = { kind: 'magic' };
    else if (!state.last) this.#state = { kind: 'blockHeader', checksum: state.checksum };
    else this.#state = state.checksum ? { kind: 'checksum', left: 4 } : { kind: 'magic' };
  }
}

const magicBytes = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** What follows the descriptor byte, by its flags. */
function headerState(descriptor: number): State {
  const single = (descriptor & 0x20) !== 0;
  const checksum = (descriptor & 0x04) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const left = (single ? 0 : 1) + dictionary + contentSize;
  return left === 0 ? { kind: 'blockHeader', checksum } : { kind: 'header', left, checksum };
}
