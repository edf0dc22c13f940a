// Ping, version, info, events, df, auth.

import { authConfigShape, type BuildCacheRecord } from '../../../api/index.ts';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { nowNs } from '../../clock.ts';
import { summarise } from '../../container/list.ts';
import type { ContainerServices } from '../../container/services.ts';
import { sizesOf } from '../../container/size.ts';
import { eventFilterKeys, eventMatcher } from '../../event/event-filter.ts';
import { type EngineEvent, type EventLog, eventJson } from '../../event/event-log.ts';
import type { SystemFacts } from '../../system/facts.ts';
import { infoOf } from '../../system/info.ts';
import { versionOf } from '../../system/version.ts';
import { directorySize } from '../../volume/size.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../server.ts';
import { writeAll } from '../stream.ts';
import { type ImageNames, imageNamer } from './container.ts';

type Names = 'ping' | 'pingHead' | 'version' | 'info' | 'events' | 'systemDf' | 'auth';

/** What these endpoints ask of the images. */
export interface SystemImages {
  count(): number;
  /** The `Images` of df, and the bytes of all layers, each counted once. */
  diskUsage(): Promise<{ layersSize: number; images: readonly unknown[] }>;
}

/** Tests credentials against a registry. */
export type Login = (
  auth: { username: string; password: string; serveraddress: string; identitytoken: string },
  signal: AbortSignal,
) => Promise<{ Status: string; IdentityToken: string }>;

export interface SystemServices {
  readonly containers: ContainerServices;
  readonly images: SystemImages;
  readonly names: ImageNames;
  readonly events: EventLog;
  readonly facts: SystemFacts;
  readonly login: Login;
  readonly buildCache: () => Promise<readonly BuildCacheRecord[]>;
}

export function systemHandlers(services: SystemServices): Pick<Handlers, Names> {
  const pingHeaders = {
    'Builder-Version': '2',
    Swarm: 'inactive',
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
  };
  return {
    ping: call => call.send(200, 'text/plain; charset=utf-8', 'OK', pingHeaders),
    pingHead: call =>
      call.empty(200, { ...pingHeaders, 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': '0' }),
    version: call => call.json(200, versionOf(services.facts, services.containers.config)),
    info: call => call.json(200, infoOf(services, call.version)),
    events: call => streamEvents(services.events, call),
    systemDf: call => diskUsage(services, call),
    async auth(call) {
      const auth = await call.body(authConfigShape, 'AuthConfig');
      call.json(200, await services.login(auth, call.signal));
    },
  };
}

/** Backlog first, then what happens, until `until` or the client's end. */
async function streamEvents(events: EventLog, call: Call): Promise<void> {
  const since = call.query.timeNs('since');
  const until = call.query.timeNs('until');
  if (since !== undefined && until !== undefined && until < since) {
    throw new InvalidArgument(
      `\`since\` time (${since / 1_000_000_000n}) cannot be after \`until\` time (${until / 1_000_000_000n})`,
    );
  }
  const matches = eventMatcher(call.filters(eventFilterKeys));
  const signal = call.signal;
  const out = call.stream('application/json');
  const text = (event: EngineEvent): string => `${eventJson(event, true)}\n`;
  if (until !== undefined && until <= nowNs()) {
    for (const event of events.between(since, until)) if (matches(event)) out.write(text(event));
    out.end();
    return;
  }
  const subscription = events.subscribe(since, event => {
    // A reader that is far behind loses what it cannot take, as in Docker.
    if (matches(event) && out.writableLength < 1 << 20) out.write(text(event));
  });
  try {
    for (const event of subscription.backlog) if (matches(event)) await writeAll(out, text(event), signal);
    await new Promise<void>(resolve => {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      if (until !== undefined) setTimeout(resolve, Number((until - nowNs()) / 1_000_000n)).unref();
    });
  } finally {
    subscription.close();
  }
  out.end();
}

async function diskUsage(services: SystemServices, call: Call): Promise<void> {
  const types = call.below('1.42') ? [] : call.query.all('type');
  for (const type of types) {
    if (!['container', 'image', 'volume', 'build-cache'].includes(type))
      throw new InvalidArgument(`unknown object type: ${type}`);
  }
  const wants = (type: string): boolean => types.length === 0 || types.includes(type);
  const { containers: services_, images } = services;
  const imageUsage = wants('image') ? await images.diskUsage() : { layersSize: 0, images: null };
  let containers: unknown[] | null = null;
  if (wants('container')) {
    containers = [];
    const now = Date.now();
    const imageName = imageNamer(services.names);
    for (const container of services_.store.all()) {
      containers.push(summarise(container, imageName, now, await sizesOf(services_, container)));
    }
  }
  const volumes = wants('volume')
    ? await Promise.all(
        services_.volumes.list().map(async volume => ({
          ...services_.volumes.inspect(volume),
          UsageData: {
            RefCount: services_.volumes.users(volume.name).length,
            Size: await directorySize(services_.volumes.mountpoint(volume.name)).catch(() => -1),
          },
        })),
      )
    : null;
  call.json(200, {
    LayersSize: imageUsage.layersSize,
    Images: imageUsage.images,
    Containers: containers,
    Volumes: volumes,
    BuildCache: wants('build-cache') ? await services.buildCache() : null,
  });
}
