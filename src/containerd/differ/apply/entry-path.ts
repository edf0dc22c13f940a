// Names in an archive as paths below the root that it is unpacked to.

import { InvalidArgument } from '../../../errdefs/index.ts';

/**
 * The path without leading slashes, `.` and double slashes; '' is the root itself. `..` may go up within the name, never above
 * the root: such an archive was made to escape, and is refused.
 */
export function cleanPath(name: string, what: string): string {
  // Nearly every name is clean already.
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw new InvalidArgument(`${what} "${name}" is outside of the root`);
  }
  return parts.join('/');
}

export function splitPath(path: string): { parent: string; base: string } {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? { parent: '', base: path } : { parent: path.slice(0, slash), base: path.slice(slash + 1) };
}

export const joinPath = (parent: string, base: string): string => (parent === '' ? base : `${parent}/${base}`);
