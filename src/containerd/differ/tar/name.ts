// File names are bytes, nearly always UTF-8. Those that are not keep each stray byte as a lone surrogate (U+DC80 to U+DCFF, as
// Python's surrogateescape does), so that every name is a string and comes back as the bytes it was.

import { isUtf8 } from 'node:buffer';

export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at]!);
    const piece = bytes.subarray(at, at + length);
    if (length > 0 && piece.length === length && isUtf8(piece)) {
      name += piece.toString('utf8');
      at += length;
    } else {
      const byte = bytes[at]!;
      name += byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte);
      at++;
    }
  }
  return name;
}

/** What system calls take: the string itself, or the bytes of a name that is not UTF-8. */
export function encodeName(name: string): string | Buffer {
  if (name.isWellFormed()) return name;
  const pieces: Buffer[] = [];
  for (const character of name) {
    const code = character.charCodeAt(0);
    pieces.push(
      character.length === 1 && code >= 0xdc80 && code <= 0xdcff
        ? Buffer.from([code - 0xdc00])
        : Buffer.from(character),
    );
  }
  return Buffer.concat(pieces);
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 0;
}
