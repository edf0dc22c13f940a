// runtime-spec config.md "Linux mount options": what each word of a mount's `options` asks for.

import * as n from '../numbers.ts';
import { own } from '../own.ts';

/** A mount's options, sorted by who obeys them. */
export interface MountOptions {
  /** MOUNT_ATTR_* to set and to clear on the mount itself; the atime modes are one field, so setting one clears them all first. */
  readonly set: number;
  readonly clear: number;
  /** The same for the mount and all below it (`rro`, `rnosuid` ...). */
  readonly recursiveSet: number;
  readonly recursiveClear: number;
  /** Flags of the super block, as fsconfig(2) takes them (`sync`, `lazytime` ...), and every option the file system itself knows. */
  readonly data: readonly string[];
  /** MS_PRIVATE and such, each possibly with MS_REC, in order. */
  readonly propagation: readonly number[];
  readonly bind: boolean;
  /** `rbind`: with all mounts below the source. */
  readonly recursive: boolean;
  readonly readonly: boolean;
  readonly tmpcopyup: boolean;
  readonly idmap?: 'idmap' | 'ridmap';
}

interface AttributeWord {
  readonly set?: number;
  readonly clear?: number;
}

const attributeWords: Readonly<Record<string, AttributeWord>> = {
  ro: { set: n.MOUNT_ATTR_RDONLY },
  rw: { clear: n.MOUNT_ATTR_RDONLY },
  nosuid: { set: n.MOUNT_ATTR_NOSUID },
  suid: { clear: n.MOUNT_ATTR_NOSUID },
  nodev: { set: n.MOUNT_ATTR_NODEV },
  dev: { clear: n.MOUNT_ATTR_NODEV },
  noexec: { set: n.MOUNT_ATTR_NOEXEC },
  exec: { clear: n.MOUNT_ATTR_NOEXEC },
  nodiratime: { set: n.MOUNT_ATTR_NODIRATIME },
  diratime: { clear: n.MOUNT_ATTR_NODIRATIME },
  nosymfollow: { set: n.MOUNT_ATTR_NOSYMFOLLOW },
  symfollow: { clear: n.MOUNT_ATTR_NOSYMFOLLOW },
  relatime: { clear: n.MOUNT_ATTR__ATIME },
  norelatime: { clear: n.MOUNT_ATTR__ATIME },
  atime: { clear: n.MOUNT_ATTR__ATIME },
  nostrictatime: { clear: n.MOUNT_ATTR__ATIME },
  noatime: { set: n.MOUNT_ATTR_NOATIME, clear: n.MOUNT_ATTR__ATIME },
  strictatime: { set: n.MOUNT_ATTR_STRICTATIME, clear: n.MOUNT_ATTR__ATIME },
};

/** Words for the super block: mount(2) has flags for them, fsconfig(2) wants them as options. */
const superWords: ReadonlySet<string> = new Set(['sync', 'dirsync', 'lazytime', 'mand', 'silent', 'iversion']);

/** Defaults, or the absence of a super block's word: nothing to do for a new mount. */
const nothingWords: ReadonlySet<string> = new Set([
  'defaults',
  'async',
  'nolazytime',
  'nomand',
  'loud',
  'noiversion',
  'remount',
]);

const propagationWords: Readonly<Record<string, number>> = {
  private: n.MS_PRIVATE,
  shared: n.MS_SHARED,
  slave: n.MS_SLAVE,
  unbindable: n.MS_UNBINDABLE,
  rprivate: n.MS_PRIVATE | n.MS_REC,
  rshared: n.MS_SHARED | n.MS_REC,
  rslave: n.MS_SLAVE | n.MS_REC,
  runbindable: n.MS_UNBINDABLE | n.MS_REC,
};

/** All words that `features` can list: what parseMountOptions does not hand on to the file system. */
export const knownMountOptions: readonly string[] = [
  ...Object.keys(attributeWords),
  ...Object.keys(attributeWords).map(word => `r${word}`),
  ...superWords,
  ...nothingWords,
  ...Object.keys(propagationWords),
  'bind',
  'rbind',
  'tmpcopyup',
  'idmap',
  'ridmap',
].sort();

/** Sorts the options of a mount. A later word wins over an earlier one, as in mount(8). */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let set = 0;
  let clear = 0;
  let recursiveSet = 0;
  let recursiveClear = 0;
  let bind = false;
  let recursive = false;
  let tmpcopyup = false;
  let idmap: 'idmap' | 'ridmap' | undefined;
  const data: string[] = [];
  const propagation: number[] = [];
  for (const word of options) {
    const attribute = own(attributeWords, word);
    if (attribute !== undefined) {
      set = (set & ~(attribute.clear ?? 0)) | (attribute.set ?? 0);
      clear = (clear & ~(attribute.set ?? 0)) | (attribute.clear ?? 0);
      continue;
    }
    const mode = own(propagationWords, word);
    if (mode !== undefined) {
      propagation.push(mode);
      continue;
    }
    const below = word.startsWith('r') ? own(attributeWords, word.slice(1)) : undefined;
    if (below !== undefined) {
      recursiveSet = (recursiveSet & ~(below.clear ?? 0)) | (below.set ?? 0);
      recursiveClear = (recursiveClear & ~(below.set ?? 0)) | (below.clear ?? 0);
      continue;
    }
    if (word === 'bind' || word === 'rbind') {
      bind = true;
      recursive ||= word === 'rbind';
    } else if (word === 'tmpcopyup') tmpcopyup = true;
    else if (word === 'idmap' || word === 'ridmap') idmap = word;
    else if (word !== '' && !nothingWords.has(word)) data.push(word);
  }
  return {
    set,
    clear,
    recursiveSet,
    recursiveClear,
    data,
    propagation,
    bind,
    recursive,
    readonly: ((set | recursiveSet) & n.MOUNT_ATTR_RDONLY) !== 0,
    tmpcopyup,
    ...(idmap !== undefined && { idmap }),
  };
}

/** `rslave` and such of linux.rootfsPropagation as mount(2) flags; undefined for a word that is none. */
export const propagationFlags = (word: string): number | undefined => own(propagationWords, word);
