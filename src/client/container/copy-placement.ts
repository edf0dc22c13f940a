// Where a copy lands and under which name: the rules of cp, as moby's archive package states them.

import { posix } from 'node:path';

export interface CopySource {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Written as "dir/.": what is in it, not itself. */
  readonly contentOnly: boolean;
}

export interface CopyTarget {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** Written with a slash at its end. */
  readonly mustBeDirectory: boolean;
}

export interface Placement {
  /** The existing directory to extract into. */
  readonly directory: string;
  /** The name of the top entry there; '' for its content alone. */
  readonly name: string;
}

/** Decides; throws Errors in Docker's words. */
export function placeCopy(source: CopySource, target: CopyTarget): Placement {
  const parent = posix.dirname(target.path.replace(/(.)\/\.?$/, '$1'));
  const base = posix.basename(target.path.replace(/(.)\/\.?$/, '$1'));
  if (target.exists && target.isDirectory) {
    return { directory: target.path, name: source.isDirectory && source.contentOnly ? '' : source.name };
  }
  if (target.exists) {
    if (source.isDirectory) throw new Error('cannot copy directory');
    if (target.mustBeDirectory) throw new Error('not a directory');
    return { directory: parent, name: base };
  }
  if (source.isDirectory) return { directory: parent, name: base };
  if (target.mustBeDirectory) throw new Error('no such directory');
  return { directory: parent, name: base };
}
