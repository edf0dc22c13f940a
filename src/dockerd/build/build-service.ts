// The builds of one engine: the builder with what the daemon gives it, and the doors that lead to it.

import { rmSync } from 'node:fs';
import path from 'node:path';
import { Builder } from '../../build/index.ts';
import type { NetworkController } from '../../network/index.ts';
import { Control } from '../buildkit/control/control.ts';
import { ContextDirectories } from '../buildkit/session/context-directories.ts';
import { Sessions } from '../buildkit/session/session.ts';
import type { ContainerServices } from '../container/services.ts';
import type { ImageDeps } from '../image/deps.ts';
import type { SystemFacts } from '../system/facts.ts';
import { Bases } from './bases.ts';
import { DaemonTargets } from './export-targets.ts';
import { TaskRunner } from './runner.ts';

export interface BuildParts {
  readonly services: ContainerServices;
  readonly images: ImageDeps;
  readonly facts: SystemFacts;
}

export class BuildService implements AsyncDisposable {
  readonly parts: BuildParts;
  readonly builder: Builder;
  readonly sessions = new Sessions();
  readonly directories: ContextDirectories;
  readonly targets: DaemonTargets;
  readonly control: Control;
  /** Files that live as long as a build. */
  readonly scratch: string;
  /** Builds of the classic door under way, by the id that their client gave. */
  readonly running = new Map<string, AbortController>();

  constructor(parts: BuildParts) {
    this.parts = parts;
    const { services, images, facts } = parts;
    const { containerd } = images;
    const root = path.join(services.config.dataRoot, 'build');
    this.scratch = path.join(root, 'tmp');
    // A killed engine's.
    rmSync(this.scratch, { recursive: true, force: true });
    this.builder = new Builder({
      root,
      metadata: containerd.metadata,
      leases: containerd.leases,
      images: containerd.images,
      snapshotter: containerd.snapshotter,
      differ: containerd.differ,
      stores: lease => containerd.leased(lease),
      bases: new Bases(containerd, images.registry),
      runner: new TaskRunner(services, path.join(this.scratch, 'runs')),
    });
    this.directories = new ContextDirectories(path.join(root, 'contexts'));
    this.targets = new DaemonTargets(images, this.builder);
    this.control = new Control({
      builder: this.builder,
      sessions: this.sessions,
      directories: this.directories,
      targets: this.targets,
      engineId: facts.engineId,
      version: '0.1.0',
      hostGateway: () => gatewayOf(services.networks),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const abort of this.running.values()) abort.abort(new DOMException('the engine ends', 'AbortError'));
    await this.builder[Symbol.asyncDispose]();
  }
}

const gatewayOf = (networks: NetworkController): string | undefined => networks.hostGateways()[0];
