// Archives made for tests, and trees read back to compare.

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { native } from '../../launcher/index.ts';
import { encodeHeader, endOfArchive, type NewEntry, paddingOf } from '../differ/tar/writer.ts';

export type TestEntry = Partial<NewEntry> & { readonly path: string; readonly data?: string | Buffer };

/** An archive of entries; a file by default, a directory where the path ends in a slash. */
export function tarOf(entries: readonly TestEntry[]): Buffer {
  const pieces = entries.flatMap(({ data = '', ...entry }) => {
    const bytes = Buffer.from(data);
    const type = entry.type ?? (entry.path.endsWith('/') ? 'directory' : 'file');
    const mode = entry.mode ?? (type === 'directory' ? 0o755 : 0o644);
    const header = encodeHeader({ ...entry, type, mode, size: entry.size ?? bytes.length });
    return [header, bytes, Buffer.alloc(paddingOf(bytes.length))];
  });
  return Buffer.concat([...pieces, endOfArchive]);
}

export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Everything about a tree that an archive holds, a line per file. Hard links show as one group. */
export function describeTree(root: string): string[] {
  const lines: string[] = [];
  const inodes = new Map<number, string>();
  const visit = (path: string): void => {
    // Names as bytes: they may be anything.
    const full = Buffer.from(path === '' ? root : `${root}/${path}`, 'latin1');
    const stat = lstatSync(full, { bigint: true });
    const inode = Number(stat.ino);
    const first = inodes.get(inode) ?? path;
    if (!stat.isDirectory()) inodes.set(inode, first);
    const what = stat.isSymbolicLink()
      ? `-> ${readlinkSync(full)}`
      : stat.isFile()
        ? `${stat.size} ${sha256(readFileSync(full)).slice(7, 19)}`
        : `${stat.rdev}`;
    const xattrs = native()
      .llistxattr(full)
      .sort()
      .map(name => `${name}=${native().lgetxattr(full, name)!.toString('hex')}`);
    const link = first === path ? '' : ` = ${first}`;
    const mode = stat.mode.toString(8);
    lines.push(`${path} ${mode} ${stat.uid}:${stat.gid} ${stat.mtimeNs} ${what}${link} ${xattrs.join(' ')}`.trim());
    if (!stat.isDirectory()) return;
    for (const name of readdirSync(full, 'latin1').sort()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return lines;
}

/** Folders of snapshots in a data root. */
export const snapshotFolders = (root: string): string[] =>
  readdirSync(`${root}/snapshots`).flatMap(shelf => readdirSync(`${root}/snapshots/${shelf}`));
