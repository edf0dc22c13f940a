// Where blobs and ingests are on disk.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '../../../oci/index.ts';
import type { IngestStatus } from '../content-store.ts';

export class BlobFiles {
  readonly #blobs: string;
  readonly #ingests: string;

  constructor(root: string) {
    this.#blobs = join(root, 'blobs', 'sha256');
    this.#ingests = join(root, 'ingest');
    mkdirSync(this.#blobs, { recursive: true, mode: 0o700 });
    mkdirSync(this.#ingests, { recursive: true, mode: 0o700 });
  }

  blob(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }

  /** Digests of the files that are there. */
  list(): Digest[] {
    return readdirSync(this.#blobs)
      .filter(name => /^[0-9a-f]{64}$/.test(name))
      .map(name => `sha256:${name}` as Digest);
  }

  /** The folder of an ingest: refs are free text, so it is named by their hash. */
  #ingest(ref: string): string {
    return join(this.#ingests, createHash('sha256').update(ref).digest('hex').slice(0, 40));
  }

  /** The data file of the ingest, its folder made where it is new. */
  openIngest(ref: string): string {
    const folder = this.#ingest(ref);
    if (!existsSync(folder)) {
      mkdirSync(folder, { mode: 0o700 });
      writeFileSync(join(folder, 'ref'), ref);
    }
    return join(folder, 'data');
  }

  dropIngest(ref: string): void {
    rmSync(this.#ingest(ref), { recursive: true, force: true });
  }

  ingestStatus(ref: string): IngestStatus | undefined {
    return readStatus(this.#ingest(ref));
  }

  /** Folders whose ref was not written any more: nobody can ask for them. */
  dropNameless(): void {
    for (const name of readdirSync(this.#ingests)) {
      const folder = join(this.#ingests, name);
      if (readStatus(folder) === undefined) rmSync(folder, { recursive: true, force: true });
    }
  }

  listIngests(): IngestStatus[] {
    return readdirSync(this.#ingests)
      .map(name => readStatus(join(this.#ingests, name)))
      .filter(status => status !== undefined);
  }
}

function readStatus(folder: string): IngestStatus | undefined {
  try {
    const ref = readFileSync(join(folder, 'ref'), 'utf8');
    const started = statSync(join(folder, 'ref'));
    const data = statSync(join(folder, 'data'), { throwIfNoEntry: false });
    return { ref, offset: data?.size ?? 0, startedAt: started.mtime, updatedAt: data?.mtime ?? started.mtime };
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw err;
  }
}
