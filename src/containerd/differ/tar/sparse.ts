// Sparse files: the four ways in which GNU tar has written their maps.

import { InvalidArgument } from '../../../errdefs/index.ts';
import type { SparsePiece } from './entry.ts';
import { parseNumber } from './header.ts';
import type { PaxRecords } from './pax.ts';

const maxPieces = 1_000_000;
const malformed = (why: string) => new InvalidArgument(`invalid tar header: sparse map ${why}`);

/** Checks that the pieces ascend, stay inside the file and together are what the archive holds. */
export function checkPieces(
  pieces: readonly SparsePiece[],
  realSize: number,
  dataSize: number,
): readonly SparsePiece[] {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of pieces) {
    if (offset < end || length < 0 || offset + length > realSize) throw malformed('is out of order or out of range');
    end = offset + length;
    sum += length;
  }
  if (sum !== dataSize) throw malformed('does not fit the data');
  return pieces;
}

/** Pieces in an old GNU header (four at 386) or in one of its extension blocks (21 at 0). */
export function oldGnuPieces(block: Buffer, start: number, count: number): SparsePiece[] {
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < count; i++) {
    const at = start + i * 24;
    if (block[at] === 0) break;
    pieces.push({
      offset: parseNumber(block, at, 12, 'sparse offset'),
      length: parseNumber(block, at + 12, 12, 'sparse length'),
    });
  }
  return pieces;
}

/** PAX formats 0.0 and 0.1: `offset,length,offset,length` in a record. */
export function paxPieces(records: PaxRecords): SparsePiece[] | undefined {
  const map = records.get('GNU.sparse.map');
  if (map === undefined) return undefined;
  const numbers = map.toString('latin1').split(',').map(Number);
  return pairs(numbers);
}

/**
 * PAX format 1.0: the map is decimal lines in front of the data, padded to a block. Answers the pieces and how many bytes the
 * map took, or undefined when more bytes are needed.
 */
export function leadingPieces(bytes: Buffer): { pieces: SparsePiece[]; length: number } | undefined {
  let at = 0;
  const line = (): number | undefined => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) {
      if (bytes.length - at > 20) throw malformed('is not made of numbers');
      return undefined;
    }
    const digits = bytes.toString('latin1', at, end);
    if (!/^[0-9]{1,16}$/.test(digits)) throw malformed('is not made of numbers');
    at = end + 1;
    return Number(digits);
  };
  const count = line();
  if (count === undefined) return undefined;
  if (count > maxPieces) throw malformed('is too long');
  const numbers: number[] = [];
  for (let i = 0; i < count * 2; i++) {
    const number = line();
    if (number === undefined) return undefined;
    numbers.push(number);
  }
  const length = Math.ceil(at / 512) * 512;
  return bytes.length < length ? undefined : { pieces: pairs(numbers), length };
}

function pairs(numbers: readonly number[]): SparsePiece[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * maxPieces) throw malformed('is not made of pairs');
  const pieces: SparsePiece[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const [offset, length] = [numbers[i]!, numbers[i + 1]!];
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) throw malformed('is not made of numbers');
    pieces.push({ offset, length });
  }
  return pieces;
}
