// All handlers together: one per route.

import type { Containerd } from '../../containerd/index.ts';
import { NotImplemented } from '../../errdefs/index.ts';
import { toAuthConfig } from '../../registry/index.ts';
import type { BuildService } from '../build/build-service.ts';
import { cacheUsage } from '../build/cache-usage.ts';
import { buildHandlers } from '../build/handlers.ts';
import type { ContainerServices } from '../container/services.ts';
import type { EventLog } from '../event/event-log.ts';
import { type ImageDeps, ImageService } from '../image/index.ts';
import { resolveImage } from '../image/names.ts';
import type { Log } from '../log.ts';
import { engineVersion, type SystemFacts } from '../system/facts.ts';
import { archiveHandlers } from './routes/archive.ts';
import { containerHandlers, type ImageNames } from './routes/container.ts';
import { execHandlers } from './routes/exec.ts';
import { imageHandlers } from './routes/image.ts';
import { networkHandlers } from './routes/network.ts';
import { refusedHandlers } from './routes/refused.ts';
import { systemHandlers } from './routes/system.ts';
import { volumeHandlers } from './routes/volume.ts';
import { ApiServer, type Handlers } from './server.ts';

export interface ApiParts {
  readonly services: ContainerServices;
  readonly images: ImageDeps;
  readonly builds: BuildService;
  readonly events: EventLog;
  readonly facts: SystemFacts;
  readonly log: Log;
}

/** The server over all parts of the engine. */
export function createApiServer(parts: ApiParts): ApiServer {
  const { services, images, events, facts, log } = parts;
  const { containerd } = images;
  const names = imageNames(containerd);
  const imageService = new ImageService(images);
  const later = (what: string) => () => {
    throw new NotImplemented(`${what} is not implemented yet`);
  };
  const handlers = {
    ...refusedHandlers,
    ...containerHandlers(services, names),
    ...archiveHandlers(services, images),
    ...execHandlers(services),
    ...volumeHandlers(services.volumes, events),
    ...networkHandlers(services),
    ...imageHandlers(imageService, images.registry),
    ...systemHandlers({
      containers: services,
      images: {
        count: () => new Set(containerd.images.list().map(image => image.target.digest)).size,
        diskUsage: () => imageService.diskUsage(),
      },
      names,
      events,
      facts,
      login: (auth, signal) => images.registry.login(toAuthConfig(auth), signal),
      buildCache: async () => (await cacheUsage(parts.builds.builder)).map(({ mutable: _, ...record }) => record),
    }),
    imageAttestations: later('attestations'),
    ...buildHandlers(parts.builds),
  } satisfies Handlers;
  return new ApiServer({
    handlers,
    engineVersion,
    minApiVersion: services.config.minApiVersion,
    experimental: services.config.experimental,
    log,
  });
}

function imageNames({ images }: Containerd): ImageNames {
  const idOf = (reference: string): string | undefined => {
    try {
      return resolveImage(images, reference).id;
    } catch {
      return undefined;
    }
  };
  return {
    ancestors: reference => {
      const id = idOf(reference);
      return id === undefined ? [] : [id];
    },
    stillNames: (reference, imageId) => idOf(reference) === imageId,
  };
}
