// /dev/shm of containers whose ipc namespace others may join: a tmpfs on the host, bound into each of them.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { Mounter } from '../volume/volume.ts';
import { containerPaths } from './paths.ts';

export class SharedShm {
  readonly #dataRoot: string;
  readonly #mounter: Mounter;

  constructor(dataRoot: string, mounter: Mounter) {
    this.#dataRoot = dataRoot;
    this.#mounter = mounter;
  }

  /** The directory; mounted where it is not yet and a size is given. */
  of(id: string, sizeBytes?: number): string {
    const { shm } = containerPaths(this.#dataRoot, id);
    if (sizeBytes === undefined || isMounted(shm)) return shm;
    mkdirSync(shm, { recursive: true });
    this.#mounter.mount('shm', shm, 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${sizeBytes}`]);
    return shm;
  }

  remove(id: string): void {
    const { shm } = containerPaths(this.#dataRoot, id);
    if (existsSync(shm) && isMounted(shm)) this.#mounter.unmount(shm);
  }
}

const isMounted = (directory: string): boolean =>
  readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${directory} `);
