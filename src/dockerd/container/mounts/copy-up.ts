// Copies what an image has at a volume's place into the empty volume, once, when the container is made.

import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
} from 'node:fs';
import path from 'node:path';
import {
  copyDirectoryAttributes,
  encodeName,
  type Found,
  type MergedDirectory,
  type MergedView,
  openMergedView,
} from '../../../containerd/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import type { Layers } from '../spec/layers.ts';

/** Files between two breaths for the event loop. */
const batch = 64;

/** Fills `target` from the merged view of the layers, unless it has something already. */
export async function copyUp(layers: Layers, source: string, target: string): Promise<void> {
  if (layers.length === 0 || readdirSync(target).length > 0) return;
  using view = openMergedView(layers);
  const found = view.lookup(source);
  if (found?.kind !== 'directory') return;
  await new Copy(view).directory(found.directory, target);
}

class Copy {
  readonly #view: MergedView;
  #files = 0;

  constructor(view: MergedView) {
    this.#view = view;
  }

  async directory(source: MergedDirectory, target: string): Promise<void> {
    for (const name of this.#view.list(source)) {
      const found = this.#view.child(source, name);
      if (found === undefined) continue;
      if (++this.#files % batch === 0) await new Promise(setImmediate);
      const to = path.join(target, name);
      if (found.kind === 'directory') {
        mkdirSync(to);
        await this.directory(found.directory, to);
      } else copyOther(found, to);
    }
    const fd = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      copyDirectoryAttributes(source.fds[0]!, source.stat, fd);
    } finally {
      closeSync(fd);
    }
    this.#view.forget(source);
  }
}

const kindOf = (stat: Stat): number => stat.mode & constants.S_IFMT;

/** Files and links; devices and sockets are left where they are. */
function copyOther({ fd, name, stat }: Extract<Found, { kind: 'other' }>, to: string): void {
  const { mtimeSec, mtimeNsec, uid, gid } = stat;
  const time = mtimeSec + mtimeNsec / 1e9;
  if (kindOf(stat) === constants.S_IFLNK) {
    symlinkSync(native().readlinkat(fd, encodeName(name)), to);
    lchownSync(to, uid, gid);
    lutimesSync(to, time, time);
  } else if (kindOf(stat) === constants.S_IFREG) {
    // By a descriptor of its own: whatever its name becomes, this is the file.
    const from = native().openat2(fd, encodeName(name), constants.O_RDONLY | constants.O_NOFOLLOW, 0, 0);
    try {
      copyFileSync(`/proc/self/fd/${from}`, to);
    } finally {
      closeSync(from);
    }
    setAttributes(to, stat, time);
  }
}

function setAttributes(file: string, stat: Stat, time: number): void {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    fchownSync(fd, stat.uid, stat.gid);
    // After the owner: chown clears setuid and setgid.
    fchmodSync(fd, stat.mode & 0o7777);
    futimesSync(fd, time, time);
  } finally {
    closeSync(fd);
  }
}
