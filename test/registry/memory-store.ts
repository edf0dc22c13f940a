// A small honest store in memory: it verifies what the real one verifies, keeps interrupted ingests, and refuses two writers of
// one ref. What it does not do is unpack to disk.

import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { AlreadyExists, DataLoss, NotFound, ResourceExhausted, Unavailable } from '../../src/errdefs/index.ts';
import { type Digest, digestOf } from '../../src/oci/index.ts';
import type {
  BlobInfo,
  BlobReader,
  BlobStore,
  BlobWriter,
  LayerWriter,
  PullStore,
  Unpacker,
} from '../../src/registry/index.ts';
import type { TestImage } from './images.ts';

interface Expected {
  readonly digest: Digest;
  readonly size: number;
}

export class MemoryStore implements PullStore {
  readonly blobs = new Map<Digest, { bytes: Buffer; labels: Record<string, string> }>();
  readonly snapshots = new Map<Digest, { parent: Digest | undefined; archive: Buffer }>();
  /** What interrupted writers left, by ref. */
  readonly ingests = new Map<string, Buffer>();
  readonly #held = new Set<string>();
  /** Waits this long in each write: a slow disk. */
  writeDelayMs = 0;

  /** All of an image, as if pulled. */
  static of(image: TestImage): MemoryStore {
    const store = new MemoryStore();
    for (const { descriptor, bytes } of [image.top, ...image.children, ...image.blobs]) {
      store.blobs.set(descriptor.digest, { bytes, labels: {} });
    }
    return store;
  }

  /** Every blob is what its name says; throws otherwise. */
  verify(): void {
    for (const [digest, { bytes }] of this.blobs) if (digestOf(bytes) !== digest) throw new Error(`${digest} is false`);
    for (const [chain, { parent, archive }] of this.snapshots) {
      const id = digestOf(archive);
      const wanted = parent === undefined ? id : digestOf(`${parent} ${id}`);
      if (wanted !== chain) throw new Error(`snapshot ${chain} is false`);
      if (parent !== undefined && !this.snapshots.has(parent)) throw new Error(`snapshot ${chain} has no parent`);
    }
  }

  get content(): BlobStore & BlobReader {
    return {
      info: async digest => this.#info(digest),
      readBlob: async (digest, maxBytes) => {
        const { bytes } = this.#blob(digest);
        if (bytes.byteLength > maxBytes) throw new ResourceExhausted(`${digest} is larger than ${maxBytes}`);
        return bytes;
      },
      read: (digest, options) => this.#read(digest, options?.start ?? 0),
      label: async (digest, labels) => {
        Object.assign(this.#blob(digest).labels, labels);
      },
      writeBlob: async (bytes, options) => {
        const digest = digestOf(bytes);
        if (!this.blobs.has(digest))
          this.blobs.set(digest, { bytes: Buffer.from(bytes), labels: { ...options?.labels } });
      },
      writer: async ({ ref, expected, labels }) => {
        if (this.blobs.has(expected.digest)) throw new AlreadyExists(`content ${expected.digest}: already exists`);
        return this.#writer(ref, expected, bytes => {
          this.blobs.set(expected.digest, { bytes, labels: { ...labels } });
        });
      },
    };
  }

  get unpacker(): Unpacker {
    return {
      exists: async chainId => this.snapshots.has(chainId),
      layer: async (place, { ref, labels }): Promise<LayerWriter> => {
        const { descriptor, diffId, chainId, parent } = place;
        const unpack = async (bytes: Buffer): Promise<void> => {
          const archive = descriptor.mediaType.endsWith('gzip') ? gunzipSync(bytes) : bytes;
          if (digestOf(archive) !== diffId) throw new DataLoss(`wrong diff id of ${descriptor.digest}`);
          this.blobs.set(descriptor.digest, this.blobs.get(descriptor.digest) ?? { bytes, labels: { ...labels } });
          while (parent !== undefined && !this.snapshots.has(parent))
            await new Promise(resolve => setTimeout(resolve, 2));
          this.snapshots.set(chainId, { parent, archive });
        };
        const known = this.blobs.get(descriptor.digest);
        if (known !== undefined && this.snapshots.has(chainId))
          throw new AlreadyExists(`layer ${descriptor.digest} already exists`);
        if (known === undefined) return this.#writer(ref, descriptor, unpack);
        return { offset: descriptor.size, write: noWrite, commit: () => unpack(known.bytes), close: async () => {} };
      },
    };
  }

  #writer(ref: string, expected: Expected, keep: (bytes: Buffer) => void | Promise<void>): BlobWriter {
    if (this.#held.has(ref)) throw new Unavailable(`ref ${ref} locked`);
    this.#held.add(ref);
    const chunks = [this.ingests.get(ref) ?? Buffer.alloc(0)];
    let offset = chunks[0]?.byteLength ?? 0;
    const held = this.#held;
    const { ingests } = this;
    const delay = this.writeDelayMs;
    return {
      get offset() {
        return offset;
      },
      async write(chunk) {
        if (delay > 0) await new Promise(resolve => setTimeout(resolve, delay));
        if (offset + chunk.byteLength > expected.size) throw new DataLoss(`${ref} grows beyond ${expected.size}`);
        chunks.push(Buffer.from(chunk));
        offset += chunk.byteLength;
      },
      async commit() {
        const bytes = Buffer.concat(chunks);
        held.delete(ref);
        ingests.delete(ref);
        const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
        if (digest !== expected.digest)
          throw new DataLoss(`filesystem layer verification failed for digest ${expected.digest}: got ${digest}`);
        await keep(bytes);
      },
      async close() {
        held.delete(ref);
        ingests.set(ref, Buffer.concat(chunks));
      },
    };
  }

  #info(digest: Digest): BlobInfo | undefined {
    const found = this.blobs.get(digest);
    return found && { size: found.bytes.byteLength, labels: found.labels };
  }

  #blob(digest: Digest) {
    const found = this.blobs.get(digest);
    if (found === undefined) throw new NotFound(`content digest ${digest}: not found`);
    return found;
  }

  async *#read(digest: Digest, start: number): AsyncGenerator<Uint8Array> {
    const { bytes } = this.#blob(digest);
    for (let at = start; at < bytes.byteLength; at += 65536) yield bytes.subarray(at, at + 65536);
  }
}

const noWrite = async (): Promise<void> => {
  throw new Error('nothing is to be written');
};
