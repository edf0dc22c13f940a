// Owners as a Dockerfile names them: `user[:group]`, by name or number, looked up in the destination's own files.

import { closeSync, readFileSync } from 'node:fs';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { Tree } from './tree.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Throws InvalidArgument where a name is not in the destination. A user without a group has, by name, its own from passwd, by number the same number. */
export function ownerOf(text: string, tree: Tree | undefined): Owner {
  const [user = '', group] = text.split(':');
  let uid = number(user);
  let gid = uid;
  if (uid === undefined) {
    const entry = lines(tree, '/etc/passwd').find(fields => fields[0] === user);
    if (entry === undefined)
      throw new InvalidArgument(
        `unable to convert uid/gid chown string to host mapping: can't find uid for user ${user}: no such user: ${user}`,
      );
    uid = number(entry[2] ?? '') ?? 0;
    gid = number(entry[3] ?? '') ?? 0;
  }
  if (group !== undefined && group !== '') {
    gid = number(group);
    if (gid === undefined) {
      const entry = lines(tree, '/etc/group').find(fields => fields[0] === group);
      if (entry === undefined)
        throw new InvalidArgument(
          `unable to convert uid/gid chown string to host mapping: can't find gid for group ${group}: no such group: ${group}`,
        );
      gid = number(entry[2] ?? '') ?? 0;
    }
  }
  return { uid, gid: gid ?? 0 };
}

const number = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);

function lines(tree: Tree | undefined, path: string): string[][] {
  if (tree?.view.lookup(path) === undefined) return [];
  const fd = tree.view.openFile(path);
  try {
    return readFileSync(fd, 'utf8')
      .split('\n')
      .map(line => line.split(':'));
  } finally {
    closeSync(fd);
  }
}
