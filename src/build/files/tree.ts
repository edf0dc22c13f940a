// Reads trees: look-ups through MergedView, and walks that hold no more descriptors than the tree is deep.

import { closeSync, constants, readdirSync } from 'node:fs';
import { encodeName, isOpaque, type MergedDirectory, MergedView } from '../../containerd/index.ts';
import { InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { native, type Stat } from '../../launcher/index.ts';
import { IgnoreRules, patternSource } from '../../patternmatcher/index.ts';
import type { TreeLocation } from './protocol.ts';

const oPath = 0o10000000;
const atSymlinkNoFollow = 0x100;
/** Deeper trees were made to hurt. */
const maxDepth = 1000;

/** Something in a tree. `dirFd` and `name` are where to open it; valid until the walk goes on. */
export interface Node {
  /** Relative to what was walked; '' is the source itself. */
  readonly path: string;
  readonly dirFd: number;
  readonly name: string;
  readonly stat: Stat;
}

/** One thing that a source pattern selected. */
export interface Selected {
  /** Absolute path in the tree, without links. */
  readonly path: string;
  readonly baseName: string;
  readonly directory: MergedDirectory | undefined;
  readonly node: Node;
}

export class Tree implements Disposable {
  readonly view: MergedView;
  readonly context: boolean;

  constructor(location: TreeLocation) {
    this.view = new MergedView(location.layers);
    this.context = location.context;
  }

  [Symbol.dispose](): void {
    this.view.close();
  }

  /** What a source names: itself, or what its wildcards match, in the order of their names. Throws NotFound in Docker's words. */
  select(source: string): Selected[] {
    const clean = source.replace('/./', '/');
    const paths = /[*?[\\]/.test(clean) ? this.#glob(clean) : [clean];
    if (paths.length === 0) throw new NotFound(`"${source}": not found`);
    return paths.map(path => this.#one(path, source));
  }

  #one(path: string, source: string): Selected {
    const found = this.view.lookup(path);
    if (found === undefined) throw new NotFound(`"${source}": not found`);
    const baseName =
      path
        .split('/')
        .filter(part => part !== '')
        .at(-1) ?? '';
    if (found.kind === 'directory') {
      return {
        path: `/${found.path}`,
        baseName,
        directory: found.directory,
        node: { path: '', dirFd: found.directory.fds[0]!, name: '.', stat: found.stat },
      };
    }
    return {
      path: `/${found.path}`,
      baseName,
      directory: undefined,
      node: { path: '', dirFd: found.fd, name: found.name, stat: found.stat },
    };
  }

  /** Paths that match, component by component: `*` does not cross a slash. */
  #glob(pattern: string): string[] {
    let paths = [''];
    for (const part of pattern.split('/').filter(word => word !== '')) {
      const next: string[] = [];
      if (!/[*?[\\]/.test(part)) {
        for (const path of paths) if (this.view.lookup(`${path}/${part}`) !== undefined) next.push(`${path}/${part}`);
      } else {
        const match = new RegExp(`^${patternSource(part.replaceAll('**', '*'))}$`, 's');
        for (const path of paths) {
          const found = this.view.lookup(path === '' ? '/' : path);
          if (found?.kind !== 'directory') continue;
          for (const name of namesOf(found.directory)) if (match.test(name)) next.push(`${path}/${name}`);
        }
      }
      paths = next;
    }
    return paths;
  }

  /** All below a directory, a directory before what is in it, names in order; not the directory itself. */
  *walk(
    directory: MergedDirectory,
    exclude: readonly string[],
    signal?: { readonly cancelled: boolean },
  ): Generator<Node> {
    const rules = exclude.length === 0 ? undefined : IgnoreRules.of(exclude);
    yield* walkDirectory(directory.fds, '', rules, signal, 0);
  }
}

function* walkDirectory(
  fds: readonly number[],
  prefix: string,
  rules: IgnoreRules | undefined,
  signal: { readonly cancelled: boolean } | undefined,
  depth: number,
): Generator<Node> {
  if (depth > maxDepth)
    throw new InvalidArgument(`directories are nested deeper than ${maxDepth}: "${prefix.slice(0, 200)}…"`);
  for (const name of namesOf({ fds })) {
    if (signal?.cancelled) return;
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const ignored = rules?.ignores(path) ?? false;
    const child = openChild(fds, name);
    if (child === undefined) continue;
    try {
      if (!ignored) yield { path, dirFd: child.dirFd, name, stat: child.stat };
      // What is excluded may hold what an exception takes back.
      if (child.fds !== undefined && (!ignored || rules!.hasExceptions)) {
        yield* walkDirectory(child.fds, path, rules, signal, depth + 1);
      }
    } finally {
      for (const fd of child.fds ?? []) closeSync(fd);
    }
  }
}

/** Names that any of the layers has in a directory, sorted by bytes. */
export function namesOf(directory: Pick<MergedDirectory, 'fds'>): string[] {
  const names = new Set<string>();
  for (const fd of directory.fds) for (const name of readdirSync(`/proc/self/fd/${fd}`)) names.add(name);
  return [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** One name as the layers have it together; undefined where it is hidden. The descriptors are the caller's. */
function openChild(
  fds: readonly number[],
  name: string,
): { dirFd: number; stat: Stat; fds: number[] | undefined } | undefined {
  const encoded = encodeName(name);
  let top: { dirFd: number; stat: Stat } | undefined;
  const opened: number[] = [];
  for (const fd of fds) {
    let stat: Stat;
    try {
      stat = native().statx(fd, encoded, atSymlinkNoFollow);
    } catch (err) {
      if ((err as { code?: string }).code === 'ENOENT') continue;
      throw err;
    }
    const type = stat.mode & constants.S_IFMT;
    if (type === constants.S_IFCHR && stat.rdevMajor === 0 && stat.rdevMinor === 0) break;
    if (type !== constants.S_IFDIR) {
      if (top === undefined) return { dirFd: fd, stat, fds: undefined };
      break;
    }
    top ??= { dirFd: fd, stat };
    const directory = native().openat2(fd, encoded, oPath | constants.O_DIRECTORY | constants.O_NOFOLLOW, 0, 0);
    opened.push(directory);
    if (isOpaque(directory)) break;
  }
  return top === undefined ? undefined : { ...top, fds: opened };
}

/** Opens a regular file of a walk; the descriptor is the caller's. */
export const openNode = (node: Node): number =>
  native().openat2(
    node.dirFd,
    encodeName(node.name),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    0,
    0,
  );

/** Which file, and which state of it: whatever changes a file's bytes or attributes changes this. */
export const identityOf = (stat: Stat): string =>
  `${stat.dev}:${stat.ino}:${stat.size}:${stat.ctimeSec}.${stat.ctimeNsec}`;

/** Attributes of files that were looked at before: a build context is nearly the same from build to build. */
const knownXattrs = new Map<string, Map<string, Uint8Array> | undefined>();
const maxKnown = 200_000;

/** The extended attributes that are part of a file, by name. */
export function xattrsOf(node: Node): Map<string, Uint8Array> | undefined {
  const key = identityOf(node.stat);
  if (knownXattrs.has(key)) return knownXattrs.get(key);
  const found = readXattrs(node);
  if (knownXattrs.size >= maxKnown) knownXattrs.clear();
  knownXattrs.set(key, found);
  return found;
}

function readXattrs(node: Node): Map<string, Uint8Array> | undefined {
  let names: string[];
  const path = `/proc/self/fd/${node.dirFd}/${node.name}`;
  try {
    names = native().llistxattr(path);
  } catch {
    return undefined; // a file system without them
  }
  let found: Map<string, Uint8Array> | undefined;
  for (const name of names) {
    if (name.startsWith('trusted.overlay.') || name.startsWith('user.overlay.') || name === 'security.selinux')
      continue;
    const value = native().lgetxattr(path, name);
    if (value === null) continue;
    found ??= new Map();
    found.set(name, value);
  }
  return found;
}
