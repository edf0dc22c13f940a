// A whole root file system as an archive, layers taken together: `docker export`. Without mounting it.

import { closeSync, constants, readSync } from 'node:fs';
import { isInvalidArgument } from '../../../errdefs/index.ts';
import { native, type Stat } from '../../../launcher/index.ts';
import { type Found, type MergedDirectory, MergedView } from '../../snapshots/overlay/merged-view.ts';
import { openRegular } from '../apply/open-regular.ts';
import { errnoOf, isRegular, isSymlink } from '../apply/posix.ts';
import { decodeName, encodeName } from '../tar/name.ts';
import { encodeHeader, endOfArchive, type NewEntry, paddingOf } from '../tar/writer.ts';

const chunkBytes = 256 * 1024;

/** The archive's bytes, in pieces of up to 256 KiB; entries in order of their paths. Layers topmost first. */
export function* exportTree(layers: readonly string[]): Generator<Buffer> {
  using view = new MergedView(layers);
  const linked = new Map<string, string>();
  let held: Buffer[] = [];
  let heldBytes = 0;
  // Small pieces travel together.
  const put = function* (bytes: Buffer): Generator<Buffer> {
    held.push(bytes);
    heldBytes += bytes.length;
    if (heldBytes < chunkBytes) return;
    yield Buffer.concat(held);
    held = [];
    heldBytes = 0;
  };
  const walk = function* (directory: MergedDirectory): Generator<Buffer> {
    for (const name of view.list(directory)) {
      const found = view.child(directory, name);
      if (found === undefined) continue;
      yield* entry(found, linked, put);
      if (found.kind !== 'directory') continue;
      yield* walk(found.directory);
      view.forget(found.directory);
    }
  };
  yield* walk(view.root);
  yield* put(endOfArchive);
  if (heldBytes > 0) yield Buffer.concat(held);
}

function* entry(
  found: Found,
  linked: Map<string, string>,
  put: (bytes: Buffer) => Generator<Buffer>,
): Generator<Buffer> {
  const { stat, path } = found;
  const common = {
    path,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtimeSec: stat.mtimeSec,
    mtimeNsec: stat.mtimeNsec,
    ...xattrsOf(found),
  };
  if (found.kind === 'directory') {
    yield* put(encodeHeader({ ...common, type: 'directory' }));
    return;
  }
  const inode = `${stat.dev}:${stat.ino}`;
  const first = linked.get(inode);
  if (stat.nlink > 1 && first !== undefined) {
    yield* put(encodeHeader({ ...common, type: 'hardlink', linkName: first }));
    return;
  }
  if (stat.nlink > 1) linked.set(inode, path);
  if (isRegular(stat.mode)) {
    yield* file(found, { ...common, type: 'file', size: stat.size }, put);
  } else {
    const header = specialHeader(found, common, stat);
    if (header !== undefined) yield* put(encodeHeader(header));
  }
}

function specialHeader(
  found: Extract<Found, { kind: 'other' }>,
  common: Omit<NewEntry, 'type'>,
  stat: Stat,
): NewEntry | undefined {
  if (isSymlink(stat.mode)) {
    const linkName = decodeName(native().readlinkat(found.fd, encodeName(found.name)));
    return { ...common, mode: 0o777, type: 'symlink', linkName };
  }
  const device = { devMajor: stat.rdevMajor, devMinor: stat.rdevMinor };
  switch (stat.mode & constants.S_IFMT) {
    case constants.S_IFCHR:
      return { ...common, ...device, type: 'char' };
    case constants.S_IFBLK:
      return { ...common, ...device, type: 'block' };
    case constants.S_IFIFO:
      return { ...common, type: 'fifo' };
    default:
      // A socket means nothing without its process.
      return undefined;
  }
}

/** Exactly as many bytes as the header says, also where a running container makes the file shorter meanwhile. */
function* file(
  found: Extract<Found, { kind: 'other' }>,
  header: NewEntry & { readonly size: number },
  put: (bytes: Buffer) => Generator<Buffer>,
): Generator<Buffer> {
  const fd = openOrUndefined(found);
  if (fd === undefined) return;
  try {
    yield* put(encodeHeader(header));
    let left = header.size;
    while (left > 0) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(left, chunkBytes));
      const length = readSync(fd, buffer, 0, buffer.length, null);
      yield* put(length === 0 ? buffer.fill(0) : buffer.subarray(0, length));
      left -= length === 0 ? buffer.length : length;
    }
    yield* put(Buffer.alloc(paddingOf(header.size)));
  } finally {
    closeSync(fd);
  }
}

/** Undefined where the container has removed or replaced it meanwhile. */
function openOrUndefined(found: Extract<Found, { kind: 'other' }>): number | undefined {
  try {
    return openRegular(found.fd, encodeName(found.name));
  } catch (err) {
    if (errnoOf(err) === 'ENOENT' || isInvalidArgument(err)) return undefined;
    throw err;
  }
}

function xattrsOf(found: Found): { xattrs?: Map<string, Uint8Array> } {
  const { llistxattr, lgetxattr } = native();
  const path =
    found.kind === 'directory'
      ? Buffer.from(`/proc/self/fd/${found.directory.fds[0]}/.`)
      : Buffer.concat([Buffer.from(`/proc/self/fd/${found.fd}/`), Buffer.from(encodeName(found.name) as string)]);
  const names = llistxattr(path).filter(name => !name.startsWith('trusted.overlay.') && name !== 'security.selinux');
  if (names.length === 0) return {};
  const xattrs = new Map<string, Uint8Array>();
  for (const name of names) {
    const value = lgetxattr(path, name);
    if (value !== null) xattrs.set(name, value);
  }
  return { xattrs };
}
