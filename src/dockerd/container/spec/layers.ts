// Reading a file of a root file system that is not mounted: through the layers as the overlay would show it. Links are followed inside the
// root only; nothing that an image or a running container holds can lead out of it.

import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { openMergedView } from '../../../containerd/index.ts';
import { isInvalidArgument, isNotFound } from '../../../errdefs/index.ts';

/** Directories of the layers, topmost first. */
export type Layers = readonly string[];

/** The texts of files, '' where there is no such file or it is larger than `maxBytes`. */
export function readLayeredFiles(layers: Layers, files: readonly string[], maxBytes = 4 << 20): string[] {
  if (layers.length === 0) return files.map(() => '');
  using view = openMergedView(layers);
  return files.map(file => {
    let fd: number;
    try {
      fd = view.openFile(file);
    } catch (err) {
      if (isNotFound(err) || isInvalidArgument(err)) return '';
      throw err;
    }
    try {
      return fstatSync(fd).size > maxBytes ? '' : readFileSync(fd, 'utf8');
    } finally {
      closeSync(fd);
    }
  });
}
