// A tar archive as a stream of chunks in, entries and their data out. Synchronous and without copies: data pieces are views of
// the chunks. Speaks v7, ustar, GNU (long names, base 256, sparse) and PAX.

import { InvalidArgument } from '../../../errdefs/index.ts';
import type { EntryType, SparsePiece, TarEntry } from './entry.ts';
import { blockSize, isZeroBlock, parseHeader, type RawHeader } from './header.ts';
import { decodeName } from './name.ts';
import { type PaxRecords, parsePax, paxInteger, paxText, paxTime, paxXattrs } from './pax.ts';
import { checkPieces, leadingPieces, oldGnuPieces, paxPieces } from './sparse.ts';

/** Receives what is in the archive, in order. An exception ends the reading. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** A piece of the latest entry's data, to be put at `offset` of the file. Valid during the call. */
  data(bytes: Buffer, offset: number): void;
  /** After the latest entry's data; also for entries without any. */
  end(): void;
}

/** A PAX header or a long name; Go's and GNU's limit. */
const maxMetaBytes = 1 << 20;
const maxSparseMapBytes = 32 << 20;

const types: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  D: 'directory',
  '6': 'fifo',
};

type State =
  | { kind: 'header' }
  /** GNU long name, PAX header: the body is gathered. */
  | { kind: 'meta'; header: RawHeader; pieces: Buffer[]; left: number }
  /** Extension blocks of an old GNU sparse header. */
  | { kind: 'sparseBlocks'; header: RawHeader; realSize: number; pieces: SparsePiece[] }
  /** The map in front of the data of a PAX 1.0 sparse file. */
  | { kind: 'sparseMap'; header: RawHeader; map: Buffer; left: number }
  | { kind: 'data'; left: number; sparse: readonly SparsePiece[] | undefined; piece: number; offset: number }
  | { kind: 'skip'; left: number }
  /** After the end marker: the rest is padding. */
  | { kind: 'done' };

export class TarReader {
  readonly #sink: TarSink;
  #state: State = { kind: 'header' };
  /** Padding to skip before the next header. */
  #padding = 0;
  /** A block that came in two chunks. */
  readonly #block = Buffer.alloc(blockSize);
  #blockFill = 0;
  readonly #globalPax: PaxRecords = new Map();
  #pax: PaxRecords | undefined;
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  write(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const state = this.#state;
      if (state.kind === 'done') return;
      if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, chunk.length - at);
        this.#padding -= skipped;
        at += skipped;
      } else if (state.kind === 'data') {
        at += this.#takeData(state, chunk, at);
      } else if (state.kind === 'skip' || state.kind === 'meta' || state.kind === 'sparseMap') {
        const taken = Math.min(state.left, chunk.length - at);
        this.#takeBody(state, chunk.subarray(at, at + taken));
        at += taken;
      } else {
        const taken = Math.min(blockSize - this.#blockFill, chunk.length - at);
        if (taken === blockSize) {
          this.#takeBlock(chunk.subarray(at, at + blockSize));
        } else {
          chunk.copy(this.#block, this.#blockFill, at, at + taken);
          this.#blockFill += taken;
          if (this.#blockFill === blockSize) {
            this.#blockFill = 0;
            this.#takeBlock(this.#block);
          }
        }
        at += taken;
      }
    }
  }

  /** The archive's bytes are over. An archive that ends at an entry's end but lacks its end marker is fine, as for GNU tar and Go. */
  end(): void {
    const atBoundary = this.#state.kind === 'header' && this.#blockFill === 0 && this.#pax === undefined;
    if (this.#state.kind !== 'done' && !(atBoundary && this.#padding === 0)) {
      throw new InvalidArgument('invalid tar archive: unexpected EOF');
    }
  }

  #takeBlock(block: Buffer): void {
    const state = this.#state;
    if (state.kind === 'sparseBlocks') {
      state.pieces.push(...oldGnuPieces(block, 0, 21));
      if (block[504] === 0) this.#begin(state.header, state.realSize, state.pieces);
      else if (state.pieces.length > 1_000_000) throw new InvalidArgument('invalid tar header: sparse map is too long');
      return;
    }
    if (isZeroBlock(block)) {
      this.#state = { kind: 'done' };
      return;
    }
    const header = parseHeader(block);
    if (header.size < 0) throw new InvalidArgument('invalid tar header: negative size');
    if ('LKxXg'.includes(header.type)) {
      if (header.size > maxMetaBytes) {
        throw new InvalidArgument(`invalid tar header: extended header of ${header.size} bytes`);
      }
      this.#state = { kind: 'meta', header, pieces: [], left: header.size };
      if (header.size === 0) this.#endMeta(this.#state);
    } else if (header.type === 'S' && header.gnu) {
      const pieces = oldGnuPieces(block, 386, 4);
      // Fields of the block are read now: it may be a view of a chunk.
      const realSize = Number.parseInt(block.toString('latin1', 483, 495).trim(), 8) || 0;
      if (block[482] !== 0) this.#state = { kind: 'sparseBlocks', header, realSize, pieces };
      else this.#begin(header, realSize, pieces);
    } else if (header.type === 'V') {
      this.#skip(header.size);
    } else if (header.type === 'M') {
      throw new InvalidArgument('invalid tar archive: a volume of a multi-volume archive');
    } else {
      this.#beginPax(header);
    }
  }

  #takeBody(state: Extract<State, { kind: 'skip' | 'meta' | 'sparseMap' }>, bytes: Buffer): void {
    state.left -= bytes.length;
    if (state.kind === 'skip') {
      if (state.left === 0) this.#state = { kind: 'header' };
    } else if (state.kind === 'meta') {
      state.pieces.push(Buffer.from(bytes));
      if (state.left === 0) this.#endMeta(state);
    } else {
      state.map = Buffer.concat([state.map, bytes]);
      this.#tryMap(state);
    }
  }

  #tryMap(state: Extract<State, { kind: 'sparseMap' }>): void {
    const found = leadingPieces(state.map);
    if (found === undefined) {
      if (state.left === 0 || state.map.length > maxSparseMapBytes) {
        throw new InvalidArgument('invalid tar header: sparse map is incomplete');
      }
      return;
    }
    // What came behind the map is data already.
    const rest = state.map.subarray(found.length);
    const dataSize = state.header.size - found.length;
    const realSize = paxInteger(this.#pax!, 'GNU.sparse.realsize') ?? dataSize;
    const padding = padTo(state.header.size);
    this.#begin({ ...state.header, size: dataSize }, realSize, found.pieces, padding);
    if (rest.length > 0) this.write(rest);
  }

  #endMeta({ header, pieces }: Extract<State, { kind: 'meta' }>): void {
    const body = Buffer.concat(pieces);
    if (header.type === 'g') {
      parsePax(body, this.#globalPax);
    } else if (header.type === 'L' || header.type === 'K') {
      const zero = body.indexOf(0);
      const name = decodeName(zero < 0 ? body : body.subarray(0, zero));
      if (header.type === 'L') this.#longName = name;
      else this.#longLink = name;
    } else {
      this.#pax ??= new Map(this.#globalPax);
      parsePax(body, this.#pax);
    }
    this.#padding = padTo(header.size);
    this.#state = { kind: 'header' };
  }

  /** A header that PAX records may refine. */
  #beginPax(header: RawHeader): void {
    const pax = this.#pax ?? (this.#globalPax.size > 0 ? new Map(this.#globalPax) : undefined);
    if (pax === undefined) {
      this.#begin(header, undefined, undefined);
      return;
    }
    this.#pax = pax;
    const size = paxInteger(pax, 'size') ?? header.size;
    if (size < 0) throw new InvalidArgument('invalid tar header: negative size');
    const sized = { ...header, size };
    if (pax.has('GNU.sparse.major')) {
      this.#state = { kind: 'sparseMap', header: sized, map: Buffer.alloc(0), left: size };
      if (size === 0) this.#tryMap(this.#state);
      return;
    }
    const pieces = paxPieces(pax);
    this.#begin(sized, pieces && paxInteger(pax, 'GNU.sparse.size'), pieces);
  }

  #begin(
    header: RawHeader,
    realSize: number | undefined,
    sparse: readonly SparsePiece[] | undefined,
    padding = padTo(header.size),
  ): void {
    const entry = this.#toEntry(header, realSize, sparse);
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    if (entry === undefined) {
      this.#skip(header.size);
      return;
    }
    // Only files have data, and GNU's directories with a listing. Some writers leave a size on others, without a body.
    const body = entry.type === 'file' || header.type === 'D' ? header.size : 0;
    this.#sink.entry(entry);
    if (entry.type !== 'file') {
      this.#sink.end();
      this.#skip(body);
      return;
    }
    if (sparse !== undefined) checkPieces(sparse, entry.size, header.size);
    this.#padding = 0;
    if (body === 0) {
      this.#sink.end();
      this.#state = { kind: 'header' };
      this.#padding = padding;
      return;
    }
    this.#state = { kind: 'data', left: body, sparse, piece: 0, offset: 0 };
    this.#afterData = padding;
  }

  /** Padding behind the data in hand. */
  #afterData = 0;

  #takeData(state: Extract<State, { kind: 'data' }>, chunk: Buffer, at: number): number {
    let taken = Math.min(state.left, chunk.length - at);
    if (state.sparse === undefined) {
      this.#sink.data(chunk.subarray(at, at + taken), state.offset);
      state.offset += taken;
    } else {
      const piece = state.sparse[state.piece]!;
      taken = Math.min(taken, piece.length - state.offset);
      if (taken > 0) this.#sink.data(chunk.subarray(at, at + taken), piece.offset + state.offset);
      state.offset += taken;
      if (state.offset === piece.length) {
        state.piece++;
        state.offset = 0;
      }
    }
    state.left -= taken;
    if (state.left === 0) {
      this.#sink.end();
      this.#state = { kind: 'header' };
      this.#padding = this.#afterData;
    }
    return taken;
  }

  #skip(size: number): void {
    this.#padding = 0;
    if (size > 0) {
      this.#state = { kind: 'skip', left: size + padTo(size) };
    } else {
      this.#state = { kind: 'header' };
    }
  }

  #toEntry(
    header: RawHeader,
    realSize: number | undefined,
    sparse: readonly SparsePiece[] | undefined,
  ): TarEntry | undefined {
    const pax = this.#pax;
    const path = (pax && (paxText(pax, 'GNU.sparse.name') ?? paxText(pax, 'path'))) ?? this.#longName ?? header.name;
    let type = types[header.type];
    // Vendor types are to be read as files (POSIX), but what they mean is unknown: GNU tar, Go and we leave them out.
    if (type === undefined) return undefined;
    if (type === 'file' && header.type !== 'S' && path.endsWith('/')) type = 'directory';
    const time = pax && paxTime(pax, 'mtime');
    return {
      type,
      path,
      linkName: (pax && paxText(pax, 'linkpath')) ?? this.#longLink ?? header.linkName,
      mode: header.mode & 0o7777,
      uid: checkId((pax && paxInteger(pax, 'uid')) ?? header.uid, 'uid'),
      gid: checkId((pax && paxInteger(pax, 'gid')) ?? header.gid, 'gid'),
      size: type === 'file' ? (realSize ?? header.size) : 0,
      mtimeSec: time?.sec ?? header.mtime,
      mtimeNsec: time?.nsec ?? 0,
      devMajor: (pax && paxInteger(pax, 'SCHILY.devmajor')) ?? header.devMajor,
      devMinor: (pax && paxInteger(pax, 'SCHILY.devminor')) ?? header.devMinor,
      xattrs: pax && paxXattrs(pax),
      sparse,
      userName: (pax && paxText(pax, 'uname')) ?? header.userName,
      groupName: (pax && paxText(pax, 'gname')) ?? header.groupName,
    };
  }
}

const padTo = (size: number): number => (blockSize - (size % blockSize)) % blockSize;

/** 2^32 - 1 means "unchanged" to chown(2). */
function checkId(id: number, field: string): number {
  if (id < 0 || id >= 0xffffffff) throw new InvalidArgument(`invalid tar header: ${field} ${id} out of range`);
  return id;
}
