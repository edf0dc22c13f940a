// How one file counts in the digest of what a step takes: its path, mode, owner, content and attributes; no times.

import type { Hash } from 'node:crypto';

export interface HashedEntry {
  /** st_mode, with the type. */
  readonly mode: number;
  readonly owner: string;
  /** Of a file the digest of its content, of a link its target, of a device its numbers. */
  readonly data: string | Uint8Array;
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
}

export function hashEntry(hash: Hash, path: string, { mode, owner, data, xattrs }: HashedEntry): void {
  hash.update(`${path}\0${mode.toString(8)}\0${owner}\0`).update(data);
  for (const [name, value] of [...(xattrs ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${name}=`).update(value);
  }
  hash.update('\0');
}
