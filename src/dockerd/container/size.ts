// How much a container's own layer, and its whole root file system, occupy.

import type { SnapshotInfo } from '../../containerd/index.ts';
import type { Container } from './container.ts';
import type { ContainerServices } from './services.ts';

export async function sizeRw(services: ContainerServices, container: Container): Promise<number> {
  return (await services.snapshotter.usage(container.id)).sizeBytes;
}

/** Own layer and all below it. */
export async function sizesOf(
  services: ContainerServices,
  container: Container,
): Promise<{ SizeRw: number; SizeRootFs: number }> {
  const own = await sizeRw(services, container).catch(() => 0);
  let total = own;
  let parent: string | undefined = container.record.imageChainId;
  while (parent !== undefined && parent !== '') {
    const info: SnapshotInfo | undefined = await services.snapshotter.stat(parent);
    if (info === undefined) break;
    total += (await services.snapshotter.usage(parent)).sizeBytes;
    parent = info.parent;
  }
  return { SizeRw: own, SizeRootFs: total };
}
