// Reading a file of a root file system that is not mounted: through the layers as the overlay would show it. Links are followed inside the
// root only; nothing that an image holds can lead out of it.

import { lstatSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';

/** Directories of the layers, topmost first. */
export type Layers = readonly string[];

const maxLinks = 40;

/** The text of a file, undefined where there is none; at most `maxBytes` of it. */
export function readLayeredFile(layers: Layers, file: string, maxBytes = 4 << 20): string | undefined {
  const found = resolve(layers, file);
  if (found === undefined || !found.stat.isFile() || found.stat.size > maxBytes) return undefined;
  return readFileSync(found.path, 'utf8');
}

/** Whether something stands at a path. */
export const existsInLayers = (layers: Layers, file: string): boolean => resolve(layers, file) !== undefined;

interface Found {
  readonly path: string;
  readonly stat: Stats;
}

/** Walks a path from the root, part by part, in the merged view. */
export function resolve(layers: Layers, file: string, followLast = true): Found | undefined {
  let links = 0;
  let pending = parts(file);
  let at: string[] = [];
  let found: Found | undefined = look(layers, '');
  while (pending.length > 0) {
    const part = pending.shift()!;
    if (part === '..') {
      at.pop();
      found = look(layers, at.join('/'));
      continue;
    }
    const next = look(layers, [...at, part].join('/'));
    if (next === undefined) return undefined;
    if (next.stat.isSymbolicLink() && (followLast || pending.length > 0)) {
      if (++links > maxLinks) return undefined;
      const target = readlinkSync(next.path);
      if (path.isAbsolute(target)) at = [];
      pending = [...parts(target), ...pending];
      found = look(layers, at.join('/'));
      continue;
    }
    if (pending.length > 0 && !next.stat.isDirectory()) return undefined;
    at.push(part);
    found = next;
  }
  return found;
}

const parts = (text: string): string[] => text.split('/').filter(part => part !== '' && part !== '.');

/** The topmost entry of a path whose parents are known to be directories of the merged view and no links. */
function look(layers: Layers, relative: string): Found | undefined {
  for (const layer of layers) {
    // A parent that is a whiteout, a link or a file in this layer hides what is below in all lower ones.
    const hidden = parentHides(layer, relative);
    if (hidden === 'absent') continue;
    if (hidden === 'hides') return undefined;
    const full = path.join(layer, relative);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (isWhiteout(stat)) return undefined;
    return { path: full, stat };
  }
  return undefined;
}

function parentHides(layer: string, relative: string): 'no' | 'absent' | 'hides' {
  let directory = layer;
  for (const part of parts(relative).slice(0, -1)) {
    directory = path.join(directory, part);
    const stat = lstatSync(directory, { throwIfNoEntry: false });
    if (stat === undefined) return 'absent';
    if (!stat.isDirectory()) return 'hides';
  }
  return 'no';
}

/** overlayfs: a character device 0:0. */
const isWhiteout = (stat: Stats): boolean => stat.isCharacterDevice() && stat.rdev === 0;
