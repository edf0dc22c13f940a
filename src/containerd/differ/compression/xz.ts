// The xz format (tukaani xz-file-format.txt) with LZMA2, as people compress root file systems: stream header, blocks, index, footer,
// and more streams behind. Checks of the content are left to whoever knows its digest; those of the headers are verified.

import { crc32 } from 'node:zlib';
import { InvalidArgument, NotImplemented, ResourceExhausted } from '../../../errdefs/index.ts';
import { LzmaDecoder, Window } from './lzma.ts';

const damaged = (what: string) => new InvalidArgument(`failed to decompress: ${what} of xz data is damaged`);

/** `xz -9` needs 64 MiB. */
const maxWindowBytes = 128 << 20;
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

type State =
  | 'streamHeader'
  | 'blockHeader'
  | 'control'
  | 'lzmaHeader'
  | 'lzma'
  | 'rawHeader'
  | 'raw'
  | 'blockEnd'
  | 'index'
  | 'footer'
  | 'padding';

/** Compressed pieces in, decompressed pieces out by `onData`, all on this thread. */
export class XzDecoder {
  readonly #onData: (bytes: Buffer) => void;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Bytes that the next step takes. */
  #need = 12;
  #state: State = 'streamHeader';
  #check = 0;
  #blockBytes = 0;
  #control = 0;
  #lzmaSize = 0;
  #window: Window | undefined;
  #lzma: LzmaDecoder | undefined;
  #hasProperties = false;
  #indexBytes: number[] = [];
  #indexLeft = -1;

  constructor(onData: (bytes: Buffer) => void) {
    this.#onData = onData;
  }

  write(chunk: Buffer): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#need) return;
    let bytes = this.#held.length === 1 ? chunk : Buffer.concat(this.#held);
    while (bytes.length >= this.#need) {
      const { length } = this.#take(bytes.subarray(0, this.#need));
      bytes = bytes.subarray(length);
    }
    this.#held = bytes.length === 0 ? [] : [bytes];
    this.#heldBytes = bytes.length;
    this.#window?.flush();
  }

  end(): void {
    if (this.#state !== 'padding' || this.#heldBytes > 0) {
      throw new InvalidArgument('failed to decompress: unexpected end of xz data');
    }
  }

  /** Takes the bytes that were needed, says what is needed next, and answers them. */
  #take(bytes: Buffer): Buffer {
    switch (this.#state) {
      case 'streamHeader':
        this.#streamHeader(bytes);
        break;
      case 'blockHeader':
        if (bytes.length === 1 && bytes[0] !== 0) {
          // The first byte tells how many there are: once more, with all of them.
          this.#need = (bytes[0]! + 1) * 4;
          return bytes.subarray(0, 0);
        }
        this.#blockHeader(bytes);
        break;
      case 'control':
        this.#blockBytes += 1;
        this.#takeControl(bytes[0]!);
        break;
      case 'lzmaHeader': {
        const size = ((this.#control & 0x1f) << 16) + bytes.readUInt16BE(0) + 1;
        if (bytes.length === 5) {
          this.#lzma!.setProperties(bytes[4]!);
          this.#hasProperties = true;
        }
        this.#blockBytes += bytes.length;
        this.#lzmaSize = size;
        this.#next('lzma', bytes.readUInt16BE(2) + 1);
        break;
      }
      case 'lzma':
        this.#blockBytes += bytes.length;
        this.#lzma!.decode(bytes, this.#lzmaSize);
        this.#next('control', 1);
        break;
      case 'rawHeader':
        this.#blockBytes += 2;
        this.#next('raw', bytes.readUInt16BE(0) + 1);
        break;
      case 'raw':
        this.#blockBytes += bytes.length;
        this.#window!.putAll(bytes);
        this.#lzma!.skip(bytes.length);
        this.#next('control', 1);
        break;
      case 'blockEnd':
        this.#next('blockHeader', 1);
        break;
      case 'index':
        this.#indexByte(bytes);
        break;
      case 'footer':
        if (bytes.toString('latin1', 10) !== 'YZ') throw damaged('the footer');
        this.#next('padding', 4);
        break;
      case 'padding':
        if (bytes.readUInt32BE(0) === 0) break;
        // Another stream: its header begins with these four.
        this.#next('streamHeader', 12);
        return bytes.subarray(0, 0);
    }
    return bytes;
  }

  #next(state: State, need: number): void {
    this.#state = state;
    this.#need = need;
  }

  #streamHeader(bytes: Buffer): void {
    if (bytes.toString('latin1', 0, 6) !== '\xfd7zXZ\0') throw damaged('the header');
    if (crc32(bytes.subarray(6, 8)) !== bytes.readUInt32LE(8) || bytes[6] !== 0 || bytes[7]! > 15) {
      throw damaged('the header');
    }
    this.#check = checkBytes[bytes[7]!]!;
    this.#next('blockHeader', 1);
  }

  #blockHeader(bytes: Buffer): void {
    if (bytes[0] === 0) {
      this.#indexBytes = [];
      this.#indexLeft = -1;
      this.#next('index', 1);
      return;
    }
    const body = bytes.subarray(0, bytes.length - 4);
    if (crc32(body) !== bytes.readUInt32LE(bytes.length - 4)) throw damaged('a block header');
    const flags = bytes[1]!;
    if ((flags & 3) !== 0)
      throw new NotImplemented('failed to decompress: xz filters other than LZMA2 are not supported');
    let at = 2;
    const number = (): void => {
      while ((body[at++]! & 0x80) !== 0) if (at >= body.length) throw damaged('a block header');
    };
    if ((flags & 0x40) !== 0) number();
    if ((flags & 0x80) !== 0) number();
    if (body[at] !== 0x21 || body[at + 1] !== 1) {
      throw new NotImplemented('failed to decompress: xz filters other than LZMA2 are not supported');
    }
    const bits = body[at + 2]! & 0x3f;
    const size =
      bits > 40 ? Number.POSITIVE_INFINITY : bits === 40 ? 2 ** 32 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
    if (size > maxWindowBytes)
      throw new ResourceExhausted(`failed to decompress: xz data needs a window of ${size} bytes`);
    this.#window = new Window(size, this.#onData);
    this.#lzma = new LzmaDecoder(this.#window);
    this.#hasProperties = false;
    this.#blockBytes = 0;
    this.#next('control', 1);
  }

  #takeControl(control: number): void {
    if (control === 0) {
      this.#window!.flush();
      const padding = (4 - (this.#blockBytes % 4)) % 4;
      const left = padding + this.#check;
      if (left === 0) this.#next('blockHeader', 1);
      else this.#next('blockEnd', left);
      return;
    }
    this.#control = control;
    if (control < 0x80) {
      if (control > 2) throw damaged('a chunk');
      if (control === 1) this.#resetWindow();
      this.#next('rawHeader', 2);
      return;
    }
    const mode = (control >> 5) & 3;
    if (mode === 3) this.#resetWindow();
    if (mode < 2 && !this.#hasProperties) throw damaged('a chunk');
    if (mode === 1) this.#lzma!.resetState();
    this.#next('lzmaHeader', mode >= 2 ? 5 : 4);
  }

  #resetWindow(): void {
    this.#window!.reset();
    this.#lzma!.resetPosition();
  }

  /** The index is passed over: a count, two numbers per block, padding, a checksum. */
  #indexByte(bytes: Buffer): void {
    if (bytes.length > 1) {
      // Padding and checksum.
      this.#next('footer', 12);
      return;
    }
    this.#indexBytes.push(bytes[0]!);
    if ((bytes[0]! & 0x80) !== 0) {
      if (this.#indexBytes.length > 1e7) throw damaged('the index');
      return;
    }
    if (this.#indexLeft < 0) this.#indexLeft = 2 * readNumber(this.#indexBytes);
    else this.#indexLeft--;
    if (this.#indexLeft > 0) return;
    const length = this.#indexBytes.length + 1;
    this.#next('index', ((4 - (length % 4)) % 4) + 4);
  }
}

function readNumber(bytes: readonly number[]): number {
  return bytes.reduce((sum, byte, i) => sum + (byte & 0x7f) * 128 ** i, 0);
}
