// The files of a result, for who takes them without an image: the outputs `local` and `tar`.

import { constants } from 'node:fs';
import { decodeName, encodeName } from '../../containerd/index.ts';
import { native, type Stat } from '../../launcher/index.ts';
import { Tree, xattrsOf } from '../files/tree.ts';

export interface ResultFile {
  /** Relative to the root; directories come before what is in them. */
  readonly path: string;
  readonly stat: Stat;
  /** Of a symbolic link. */
  readonly linkName: string;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

export class ResultFiles implements Disposable {
  readonly #tree: Tree | undefined;

  /** Directories of the layers, topmost first; none for an empty result. */
  constructor(layers: readonly string[]) {
    this.#tree = layers.length === 0 ? undefined : new Tree({ layers, context: false });
  }

  [Symbol.dispose](): void {
    this.#tree?.[Symbol.dispose]();
  }

  *list(): Generator<ResultFile> {
    const root = this.#tree?.view.lookup('/');
    if (root?.kind !== 'directory') return;
    for (const node of this.#tree!.walk(root.directory, [])) {
      const isLink = (node.stat.mode & constants.S_IFMT) === constants.S_IFLNK;
      yield {
        path: node.path,
        stat: node.stat,
        linkName: isLink ? decodeName(native().readlinkat(node.dirFd, encodeName(node.name))) : '',
        xattrs: xattrsOf(node) ?? new Map(),
      };
    }
  }

  /** Opens a regular file; the descriptor is the caller's. */
  open(path: string): number {
    return this.#tree!.view.openFile(`/${path}`);
  }
}
