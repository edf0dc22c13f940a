// What an image comes to: its files merged from the layers of `docker save`, its config and its history, as text to compare.

import { createHash } from 'node:crypto';
import { Decompressor, type TarEntry, TarReader } from '../../src/containerd/index.ts';

export interface ImageFacts {
  readonly config: unknown;
  readonly history: readonly unknown[];
  readonly layers: number;
  /** One line each: mode, owner, kind, path and what is behind it. No times. */
  readonly files: readonly string[];
}

interface Node {
  readonly entry: TarEntry;
  readonly digest: string;
}

/** Entries of an archive with the contents of its files. */
export function readTar(archive: Uint8Array): { entry: TarEntry; data: Buffer }[] {
  const entries: { entry: TarEntry; data: Buffer }[] = [];
  let pieces: Buffer[] = [];
  const reader = new TarReader({
    entry: entry => {
      pieces = [];
      entries.push({ entry, data: Buffer.alloc(0) });
    },
    data: bytes => pieces.push(Buffer.from(bytes)),
    end: () => {
      entries.at(-1)!.data = Buffer.concat(pieces);
    },
  });
  reader.write(Buffer.from(archive));
  return entries;
}

export async function imageFacts(saved: Uint8Array): Promise<ImageFacts> {
  const blobs = new Map(readTar(saved).map(({ entry, data }) => [clean(entry.path), data]));
  const [item] = JSON.parse(blobs.get('manifest.json')!.toString()) as [{ Config: string; Layers: string[] }];
  const config = JSON.parse(blobs.get(item.Config)!.toString()) as Record<string, unknown> & {
    history: Record<string, unknown>[];
  };
  const files = new Map<string, Node>();
  for (const layer of item.Layers) apply(files, readTar(await plain(blobs.get(layer)!)));
  const { created: _c, rootfs: _r, history, container: _a, container_config: _b, docker_version: _d, ...rest } = config;
  return {
    config: sorted(rest),
    history: history.map(({ created: _, ...entry }) => sorted(entry)),
    layers: item.Layers.length,
    files: [...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, node]) => line(path, node)),
  };
}

function plain(blob: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const decompressor = new Decompressor(bytes => {
      pieces.push(Buffer.from(bytes));
    }, reject);
    decompressor.write(Buffer.from(blob), () => decompressor.end(() => resolve(Buffer.concat(pieces))));
  });
}

const clean = (path: string): string => path.replace(/^(\.?\/)+/, '').replace(/\/$/, '');

function apply(files: Map<string, Node>, entries: readonly { entry: TarEntry; data: Buffer }[]): void {
  const drop = (path: string, self: boolean): void => {
    for (const name of [...files.keys()])
      if ((self && name === path) || name.startsWith(path === '' ? '' : `${path}/`)) files.delete(name);
  };
  const own: [string, Node][] = [];
  for (const { entry, data } of entries) {
    const path = clean(entry.path);
    const base = path.slice(path.lastIndexOf('/') + 1);
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (base === '.wh..wh..opq') drop(parent, false);
    else if (base.startsWith('.wh.')) drop(parent === '' ? base.slice(4) : `${parent}/${base.slice(4)}`, true);
    else own.push([path, { entry, digest: createHash('sha256').update(data).digest('hex').slice(0, 16) }]);
  }
  const local = new Map<string, Node>();
  for (const [path, node] of own) {
    let final = node;
    if (node.entry.type === 'hardlink') {
      const target = clean(node.entry.linkName);
      final = local.get(target) ?? files.get(target) ?? node;
    }
    if (files.has(path) && files.get(path)!.entry.type === 'directory' && node.entry.type !== 'directory')
      drop(path, true);
    files.set(path, final);
    local.set(path, final);
  }
  files.delete('');
}

function line(path: string, { entry, digest }: Node): string {
  const { type, mode, uid, gid, linkName, devMajor, devMinor, size } = entry;
  const what =
    type === 'file'
      ? `${size} ${digest}`
      : type === 'symlink'
        ? `-> ${linkName}`
        : type === 'char' || type === 'block'
          ? `${devMajor}:${devMinor}`
          : '';
  const xattrs = [...(entry.xattrs ?? [])].map(([name, value]) => ` ${name}=${Buffer.from(value).toString('hex')}`);
  const shown = type === 'symlink' ? '777' : mode.toString(8);
  return `${shown} ${uid}:${gid} ${type} ${path} ${what}${xattrs.join('')}`.trimEnd();
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
