// The digest of what a step would take from a tree. Times do not count: a file that was touched is the same file.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, readSync } from 'node:fs';
import { encodeName } from '../../containerd/index.ts';
import { native } from '../../launcher/index.ts';
import { hashEntry } from './hash-entry.ts';
import type { DigestJob } from './protocol.ts';
import { identityOf, type Node, openNode, Tree, xattrsOf } from './tree.ts';

/** Digests of files by where they are and when they last changed: a build context is the same from build to build. */
const known = new Map<string, string>();
const maxKnown = 200_000;
const buffer = Buffer.allocUnsafe(1 << 20);

export function contentDigest(job: DigestJob, signal: { readonly cancelled: boolean }): string {
  using tree = new Tree(job.tree);
  const hash = createHash('sha256');
  for (const source of job.sources) {
    for (const selected of tree.select(source)) {
      hash.update(`${selected.directory === undefined ? selected.baseName : ''}\0`);
      add(hash, selected.node, tree.context, '');
      if (selected.directory === undefined) continue;
      for (const node of tree.walk(selected.directory, job.exclude, signal)) add(hash, node, tree.context, node.path);
    }
  }
  return `sha256:${hash.digest('hex')}`;
}

function add(hash: Hash, node: Node, context: boolean, path: string): void {
  const { stat } = node;
  const type = stat.mode & constants.S_IFMT;
  if (type === constants.S_IFSOCK) return;
  hashEntry(hash, path, {
    mode: stat.mode,
    owner: context ? '0:0' : `${stat.uid}:${stat.gid}`,
    data: dataOf(node, type),
    xattrs: xattrsOf(node),
  });
}

function dataOf(node: Node, type: number): string | Buffer {
  const { stat } = node;
  if (type === constants.S_IFREG) return fileDigest(node);
  if (type === constants.S_IFLNK) return native().readlinkat(node.dirFd, encodeName(node.name));
  if (type === constants.S_IFCHR || type === constants.S_IFBLK) return `${stat.rdevMajor}:${stat.rdevMinor}`;
  return '';
}

function fileDigest(node: Node): string {
  const key = identityOf(node.stat);
  const before = known.get(key);
  if (before !== undefined) return before;
  const hash = createHash('sha256');
  const fd = openNode(node);
  try {
    for (;;) {
      const read = readSync(fd, buffer, 0, buffer.length, null);
      if (read === 0) break;
      hash.update(buffer.subarray(0, read));
    }
  } finally {
    closeSync(fd);
  }
  const digest = hash.digest('hex');
  if (known.size >= maxKnown) known.clear();
  known.set(key, digest);
  return digest;
}
