// Giving names to images, and what becomes of those that lose theirs.

import type { Containerd, Labels } from '../../containerd/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { danglingName } from './names.ts';

/**
 * Makes `name` point at `target`. What it pointed at before, if it has no other name, stays as a dangling image: people still
 * have its containers, and Docker shows it as <none>.
 */
export function nameTarget(containerd: Containerd, name: string, target: Descriptor, labels: Labels = {}): void {
  const { images, metadata } = containerd;
  metadata.transaction(() => {
    const before = images.put({ name, target, labels });
    if (name !== danglingName(target.digest)) images.delete(danglingName(target.digest));
    if (before !== undefined && before.target.digest !== target.digest) keepDangling(containerd, before.target);
  });
}

/** Keeps a target that has lost its last name. */
export function keepDangling({ images }: Containerd, target: Descriptor): void {
  if (images.listByTarget(target.digest).length > 0) return;
  images.put({ name: danglingName(target.digest), target });
}
