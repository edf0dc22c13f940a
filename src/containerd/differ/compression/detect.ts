import { NotImplemented } from '../../../errdefs/index.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'none';

/** By the first bytes. */
export function detectCompression(head: Uint8Array): Compression {
  const starts = (...bytes: number[]) => bytes.every((byte, i) => head[i] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  // A zstd frame, or a skippable one (0x184D2A5?), with which zstd:chunked and eStargz begin or end.
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if ((head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a)) return 'xz';
  if (starts(0x42, 0x5a, 0x68)) throw new NotImplemented('bzip2 compression is not supported');
  return 'none';
}
