// Where contexts that clients send are kept from build to build, so that what has not changed is not sent again. A directory is
// one build's at a time: another build of the same context gets one of its own.

import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { digestHex, digestOf } from '../../../oci/index.ts';

/** Contexts that no build has asked for within this time are dropped. */
const keptMs = 48 * 3600 * 1000;

export interface HeldDirectory {
  readonly path: string;
  release(): void;
}

export class ContextDirectories {
  readonly #root: string;
  readonly #held = new Set<string>();

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** `key` tells which context it is; the same key gives the same directory while nobody else has it. */
  hold(key: string): HeldDirectory {
    this.#sweep();
    const base = digestHex(digestOf(key)).slice(0, 32);
    let name = base;
    for (let n = 1; this.#held.has(name); n++) name = `${base}-${n}`;
    this.#held.add(name);
    const path = join(this.#root, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return {
      path,
      release: () => {
        this.#held.delete(name);
        try {
          const now = new Date();
          utimesSync(path, now, now);
        } catch {
          // dropped by somebody who cleans up
        }
      },
    };
  }

  /** Drops all that no build uses; gives the bytes' paths' count. */
  clear(): void {
    for (const name of readdirSync(this.#root)) {
      if (!this.#held.has(name)) rmSync(join(this.#root, name), { recursive: true, force: true });
    }
  }

  #sweep(): void {
    for (const name of readdirSync(this.#root)) {
      const path = join(this.#root, name);
      if (!this.#held.has(name) && Date.now() - statSync(path).mtimeMs > keptMs)
        rmSync(path, { recursive: true, force: true });
    }
  }
}
