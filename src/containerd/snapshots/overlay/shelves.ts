// Where the folders of snapshots lie: in turn on one of 64 shelves, `<root>/00` to `<root>/3f`, each in another part of the disk.
//
// ext4 puts a folder and all below it near the folder's parent. With one parent for all, each layer would be unpacked right where
// one was removed a moment ago, and without a journal ext4 searches past every inode that was freed in the last minutes, for each
// new file: measured, unpacking 17,000 files soon after removing as many took 8 s of the kernel's time instead of 1.

import { closeSync, constants, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { native } from '../../../launcher/index.ts';

const count = 64;
const shelfName = (shelf: number): string => shelf.toString(16).padStart(2, '0');

export class Shelves {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o711 });
    const there = new Set(readdirSync(root));
    if (there.size === 0) spreadChildren(root);
    for (let shelf = 0; shelf < count; shelf++) {
      if (!there.has(shelfName(shelf))) mkdirSync(join(root, shelfName(shelf)), { mode: 0o711 });
    }
  }

  folder(id: number): string {
    return join(this.#root, shelfName(id % count), String(id));
  }

  /** The folders that are there, as paths. */
  list(): string[] {
    return readdirSync(this.#root).flatMap(shelf =>
      readdirSync(join(this.#root, shelf)).map(folder => join(this.#root, shelf, folder)),
    );
  }
}

/** Asks ext4 to put each folder made in this one into a block group of its own (chattr +T). */
function spreadChildren(root: string): void {
  const fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    native().fileFlags(fd, 0x20000 /* FS_TOPDIR_FL */);
  } catch {
    // Other file systems have no such flag, or no such trouble.
  } finally {
    closeSync(fd);
  }
}
