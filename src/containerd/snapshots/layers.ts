import { MergedView } from './overlay/merged-view.ts';
import type { SnapshotMount } from './snapshotter.ts';

/** Layer directories of a snapshot's mounts, topmost (its own, where it is writable) first. */
export function layersOfMounts(mounts: readonly SnapshotMount[]): string[] {
  const [mount] = mounts;
  if (mount === undefined) return [];
  if (mount.overlay === undefined) return [mount.source];
  const { upperdir, lowerdirs } = mount.overlay;
  return upperdir === undefined ? [...lowerdirs] : [upperdir, ...lowerdirs];
}

/** The root file system that layers (topmost first) make together, for looking things up without mounting it. */
export const openMergedView = (layers: readonly string[]): MergedView => new MergedView(layers);
