// Reads an image archive as it arrives: JSON into memory, layers straight into snapshots. What each layer is for is often known
// only at the end (docker save of old writes manifest.json last), so layers are staged without a place.

import {
  decompressed,
  detectCompression,
  type StagedLayer,
  type StagedLayerWriter,
  type TarEntry,
  TarReader,
  type TarSink,
} from '../../../containerd/index.ts';
import { InvalidArgument, ResourceExhausted } from '../../../errdefs/index.ts';

/** A file of the archive. */
export type ArchiveFile =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'layer'; readonly layer: StagedLayer }
  /** A blob that the store has already; its bytes were passed over. */
  | { readonly kind: 'known' };

export interface ArchiveOptions {
  readonly stage: () => Promise<StagedLayerWriter>;
  /** Whether the store has the blob of this digest. */
  readonly isKnown: (digest: string) => Promise<boolean>;
  readonly signal?: AbortSignal;
}

/** JSON in an archive: manifests and configs, and attestations, which can be large. */
const maxMemoryBytes = 256 << 20;
const maxDocumentBytes = 32 << 20;
const maxFiles = 100_000;

/** What was read; layers that nobody took are dropped by `close`. */
export interface Archive {
  readonly files: ReadonlyMap<string, ArchiveFile>;
  /** `<id>/layer.tar` may be a link to another. */
  resolve(path: string): ArchiveFile | undefined;
  close(): Promise<void>;
}

/** A step that the archive's bytes ask for: gathered synchronously by the tar reader, done in order after each chunk. */
type Step =
  | { readonly kind: 'begin'; readonly entry: TarEntry; readonly path: string }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' };

export async function readArchive(source: AsyncIterable<Uint8Array>, options: ArchiveOptions): Promise<Archive> {
  const gatherer = new Gatherer(options);
  const steps: Step[] = [];
  const links = new Map<string, string>();
  const sink: TarSink = {
    entry: entry => {
      const path = normalise(entry.path);
      if (entry.type === 'symlink') links.set(path, normalise(join(parentOf(path), entry.linkName)));
      else if (entry.type === 'hardlink') links.set(path, normalise(entry.linkName));
      if (entry.type === 'file') steps.push({ kind: 'begin', entry, path });
    },
    data: bytes => steps.push({ kind: 'data', bytes }),
    end: () => steps.push({ kind: 'end' }),
  };
  const tar = new TarReader(sink);
  let empty = true;
  try {
    for await (const chunk of decompressed(source)) {
      empty = false;
      options.signal?.throwIfAborted();
      tar.write(chunk);
      for (const step of steps.splice(0)) await gatherer.take(step);
    }
    if (empty) throw new InvalidArgument('unrecognized image format');
    tar.end();
  } catch (err) {
    await gatherer.close();
    throw err;
  }
  const resolve = (path: string): ArchiveFile | undefined => {
    let at = normalise(path);
    for (let hops = 0; hops < 16; hops++) {
      const file = gatherer.files.get(at);
      if (file !== undefined) return file;
      const next = links.get(at);
      if (next === undefined) return undefined;
      at = next;
    }
    return undefined;
  };
  return { files: gatherer.files, resolve, close: () => gatherer.close() };
}

class Gatherer {
  readonly files = new Map<string, ArchiveFile>();
  readonly #options: ArchiveOptions;
  #path = '';
  #size = 0;
  #mode: 'undecided' | 'memory' | 'layer' | 'skip' = 'skip';
  #pieces: Buffer[] = [];
  #held = 0;
  #memory = 0;
  #writer: StagedLayerWriter | undefined;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'begin') await this.#begin(step.path, step.entry.size);
    else if (step.kind === 'data') await this.#data(step.bytes);
    else await this.#end();
  }

  async #begin(path: string, size: number): Promise<void> {
    if (this.files.size >= maxFiles) throw new ResourceExhausted(`image archive has more than ${maxFiles} files`);
    this.#path = path;
    this.#size = size;
    this.#pieces = [];
    this.#held = 0;
    this.#mode = 'undecided';
    const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1];
    // Small ones are read anyway: they are likely JSON that is needed.
    if (hex !== undefined && size > maxDocumentBytes / 32 && (await this.#options.isKnown(`sha256:${hex}`))) {
      this.files.set(path, { kind: 'known' });
      this.#mode = 'skip';
    }
  }

  async #data(bytes: Buffer): Promise<void> {
    if (this.#mode === 'skip') return;
    if (this.#mode === 'layer') {
      await this.#writer!.write(bytes);
      return;
    }
    this.#pieces.push(this.#mode === 'undecided' && bytes.length >= 512 ? bytes : Buffer.from(bytes));
    this.#held += bytes.length;
    if (this.#mode === 'undecided') await this.#decide();
    else this.#checkMemory();
  }

  /** By the first bytes: JSON begins with a bracket, a layer is compressed or begins with a tar header. */
  async #decide(): Promise<void> {
    if (this.#held < Math.min(512, this.#size)) return;
    const head = Buffer.concat(this.#pieces);
    if (isDocument(head, this.#size)) {
      this.#mode = 'memory';
      this.#pieces = [Buffer.from(head)];
      this.#checkMemory();
      return;
    }
    this.#mode = 'layer';
    this.#writer = await this.#options.stage();
    const [first] = this.#pieces;
    // A chunk that is the layer's alone is handed over as it is.
    await this.#writer.write(this.#pieces.length === 1 ? first! : head);
    this.#pieces = [];
  }

  #checkMemory(): void {
    if (this.#held > maxDocumentBytes || this.#memory + this.#held > maxMemoryBytes) {
      throw new ResourceExhausted(`"${this.#path}" in the image archive is too large`);
    }
  }

  async #end(): Promise<void> {
    if (this.#mode === 'layer') {
      const writer = this.#writer!;
      this.#writer = undefined;
      await this.#replace({ kind: 'layer', layer: await writer.finish() });
    } else if (this.#mode !== 'skip') {
      this.#memory += this.#held;
      await this.#replace({ kind: 'bytes', bytes: Buffer.concat(this.#pieces) });
    }
    this.#mode = 'skip';
  }

  async #replace(file: ArchiveFile): Promise<void> {
    const before = this.files.get(this.#path);
    if (before?.kind === 'layer') await before.layer.drop();
    this.files.set(this.#path, file);
  }

  async close(): Promise<void> {
    await this.#writer?.drop();
    this.#writer = undefined;
    for (const file of this.files.values()) if (file.kind === 'layer') await file.layer.drop();
    this.files.clear();
  }
}

function isDocument(head: Buffer, size: number): boolean {
  if (detectCompression(head) !== 'none') return false;
  // A tar header has a checksum field of octal digits and, since 1988, a magic word.
  if (size >= 512 && head.toString('latin1', 257, 262) === 'ustar') return false;
  const first = head.toString('latin1', 0, 64).trimStart()[0];
  if (first === '{' || first === '[') return true;
  return size < 512 || !/^[0-7 ]{6,7}[\0 ]/.test(head.toString('latin1', 148, 156));
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const join = (parent: string, path: string): string => (path.startsWith('/') ? path : `${parent}/${path}`);

/** Names are only keys here: they are never used as paths on disk. */
function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
