// Copies what an image has at a volume's place into the empty volume, once, when the container is made.

import {
  chmodSync,
  chownSync,
  copyFileSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import path from 'node:path';
import { type Layers, resolve } from '../spec/layers.ts';

/** Files between two breaths for the event loop. */
const batch = 64;

/** Fills `target` from the merged view of the layers, unless it has something already. */
export async function copyUp(layers: Layers, source: string, target: string): Promise<void> {
  if (readdirSync(target).length > 0) return;
  const found = resolve(layers, source);
  if (found === undefined || !found.stat.isDirectory()) return;
  const counter = { files: 0 };
  await copyDirectory(layers, source, target, found.stat, counter);
}

async function copyDirectory(
  layers: Layers,
  source: string,
  target: string,
  stat: Stats,
  counter: { files: number },
): Promise<void> {
  for (const name of namesIn(layers, source)) {
    const from = resolve(layers, `${source}/${name}`, false);
    if (from === undefined) continue;
    const to = path.join(target, name);
    if (++counter.files % batch === 0) await new Promise(setImmediate);
    if (from.stat.isDirectory()) {
      mkdirSync(to);
      await copyDirectory(layers, `${source}/${name}`, to, from.stat, counter);
    } else if (from.stat.isSymbolicLink()) {
      symlinkSync(readlinkSync(from.path), to);
      lchownSync(to, from.stat.uid, from.stat.gid);
      lutimesSync(to, from.stat.atime, from.stat.mtime);
    } else if (from.stat.isFile()) {
      copyFileSync(from.path, to);
      setAttributes(to, from.stat);
    }
  }
  setAttributes(target, stat);
}

function setAttributes(file: string, stat: Stats): void {
  chownSync(file, stat.uid, stat.gid);
  // After the owner: chown clears setuid and setgid.
  chmodSync(file, stat.mode & 0o7777);
  utimesSync(file, stat.atime, stat.mtime);
}

/** Names in a directory over all layers; whether each is still there is seen when it is looked up. */
function namesIn(layers: Layers, directory: string): string[] {
  const names = new Set<string>();
  for (const layer of layers) {
    const found = resolve([layer], directory);
    if (found?.stat.isDirectory() === true) for (const name of readdirSync(found.path)) names.add(name);
  }
  return [...names].sort();
}
