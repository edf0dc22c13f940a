// A missing working directory of a container whose root is read-only: the runtime could not make it (moby container.SetupWorkingDirectory).

import { closeSync } from 'node:fs';
import { openMergedView } from '../../containerd/index.ts';
import { makeDirectories } from '../image/init-files.ts';
import { cleanPath } from './mounts/bind.ts';
import type { ContainerRecord } from './record.ts';
import type { Layers } from './spec/layers.ts';

/** Makes it in the container's own layer. Elsewhere the runtime does, in the container. */
export function makeWorkingDirectory(record: ContainerRecord, [upper, ...lower]: Layers): void {
  const path = cleanPath(`/${record.config.WorkingDir}`);
  if (!record.hostConfig.ReadonlyRootfs || path === '/' || upper === undefined) return;
  const inMount = record.mounts.some(({ Destination }) => path === Destination || path.startsWith(`${Destination}/`));
  if (inMount) return;
  using view = openMergedView([upper, ...lower]);
  const parts = path.split('/').filter(Boolean);
  for (let known = parts.length; known >= 0; known--) {
    const found = view.lookup(parts.slice(0, known).join('/'));
    if (found === undefined) continue;
    // What is there is real; what is missing below it is made as it is named.
    if (found.kind !== 'directory' || known === parts.length) return;
    closeSync(makeDirectories(upper, view, [found.path, ...parts.slice(known)].filter(Boolean).join('/')));
    return;
  }
}
