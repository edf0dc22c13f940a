// What is in a context, known without its files: from the headers and digests of its archive. It answers what a walk over the files
// would (content-digest.ts), so that a build whose steps are all in the cache never writes a file.

import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import type { TarEntry } from '../../containerd/index.ts';
import { IgnoreRules, patternSource } from '../../patternmatcher/index.ts';
import { hashEntry } from './hash-entry.ts';

interface IndexNode {
  mode: number;
  data: string;
  xattrs: ReadonlyMap<string, Uint8Array> | undefined;
  children: Map<string, IndexNode> | undefined;
}

const types: Readonly<Record<TarEntry['type'], number>> = {
  file: constants.S_IFREG,
  hardlink: constants.S_IFREG,
  symlink: constants.S_IFLNK,
  char: constants.S_IFCHR,
  block: constants.S_IFBLK,
  directory: constants.S_IFDIR,
  fifo: constants.S_IFIFO,
};

export class ContentIndex {
  readonly #root: IndexNode = directory(0o700);
  /** Something in the archive is not as plain archives have it: only the files can tell. */
  #odd = false;

  /** Adds an entry; `digest` is of a file's content. */
  add(entry: TarEntry, digest: string): void {
    const parts = partsOf(entry.path);
    if (parts === undefined || parts.some(part => part.startsWith('.wh.'))) {
      this.#odd = true;
      return;
    }
    if (parts.length === 0) return;
    const name = parts.pop()!;
    let at = this.#root;
    for (const part of parts) {
      let next = at.children!.get(part);
      if (next === undefined) {
        next = directory(0o755);
        at.children!.set(part, next);
      }
      if (next.children === undefined) {
        this.#odd = true;
        return;
      }
      at = next;
    }
    at.children!.set(name, this.#node(entry, digest, at.children!.get(name)));
  }

  #node(entry: TarEntry, digest: string, before: IndexNode | undefined): IndexNode {
    if (entry.type === 'hardlink') {
      const target = this.#find(partsOf(entry.linkName) ?? ['..']);
      if (target === undefined || target.children !== undefined) this.#odd = true;
      else return target;
    }
    const isDirectory = entry.type === 'directory';
    return {
      mode: types[entry.type] | (entry.type === 'symlink' ? 0o777 : entry.mode),
      data:
        entry.type === 'file'
          ? digest
          : entry.type === 'symlink'
            ? entry.linkName
            : entry.type === 'char' || entry.type === 'block'
              ? `${entry.devMajor}:${entry.devMinor}`
              : '',
      xattrs: entry.xattrs,
      children: isDirectory ? (before?.children ?? new Map()) : undefined,
    };
  }

  /** Leaves a file out, as if it had not come. */
  remove(path: string): void {
    const parts = partsOf(path) ?? [];
    const name = parts.pop();
    if (name !== undefined) this.#find(parts)?.children?.delete(name);
  }

  /** As contentDigest of the files; undefined where only they can tell: links on the way, sources that are not there. */
  digest(sources: readonly string[], exclude: readonly string[]): string | undefined {
    if (this.#odd) return undefined;
    const hash = createHash('sha256');
    const rules = exclude.length === 0 ? undefined : IgnoreRules.of(exclude);
    for (const source of sources) {
      const found = this.#select(source);
      if (found === undefined || found.length === 0) return undefined;
      for (const { name, node } of found) {
        hash.update(`${node.children === undefined ? name : ''}\0`);
        add(hash, node, '');
        if (node.children !== undefined) walk(hash, node, '', rules);
      }
    }
    return `sha256:${hash.digest('hex')}`;
  }

  #select(source: string): { name: string; node: IndexNode }[] | undefined {
    let found = [{ name: '', node: this.#root }];
    for (const part of source.split('/').filter(word => word !== '' && word !== '.')) {
      const next: typeof found = [];
      const match = /[*?[\\]/.test(part)
        ? new RegExp(`^${patternSource(part.replaceAll('**', '*'))}$`, 's')
        : undefined;
      for (const { node } of found) {
        if ((node.mode & constants.S_IFMT) === constants.S_IFLNK) return undefined;
        if (node.children === undefined) continue;
        for (const name of match === undefined ? [part] : sorted(node.children)) {
          const child = node.children.get(name);
          if (child !== undefined && (match === undefined || match.test(name))) next.push({ name, node: child });
        }
      }
      found = next;
    }
    return found.some(({ node }) => (node.mode & constants.S_IFMT) === constants.S_IFLNK) ? undefined : found;
  }

  #find(parts: readonly string[]): IndexNode | undefined {
    let at: IndexNode | undefined = this.#root;
    for (const part of parts) at = at?.children?.get(part);
    return at;
  }
}

function directory(mode: number): IndexNode {
  return { mode: constants.S_IFDIR | mode, data: '', xattrs: undefined, children: new Map() };
}

/** Undefined for a path that leads out. */
function partsOf(path: string): string[] | undefined {
  const parts = path.split('/').filter(part => part !== '' && part !== '.');
  return parts.includes('..') ? undefined : parts;
}

const sorted = (children: ReadonlyMap<string, IndexNode>): string[] =>
  [...children.keys()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

function walk(hash: Hash, node: IndexNode, prefix: string, rules: IgnoreRules | undefined): void {
  for (const name of sorted(node.children!)) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const ignored = rules?.ignores(path) ?? false;
    const child = node.children!.get(name)!;
    if (!ignored) add(hash, child, path);
    if (child.children !== undefined && (!ignored || rules!.hasExceptions)) walk(hash, child, path, rules);
  }
}

const add = (hash: Hash, { mode, data, xattrs }: IndexNode, path: string): void =>
  hashEntry(hash, path, { mode, owner: '0:0', data, xattrs });
