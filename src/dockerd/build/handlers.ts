// The endpoints of builds.

import { parseFilters } from '../../api/index.ts';
import { describe, InvalidArgument } from '../../errdefs/index.ts';
import { serveGrpc } from '../buildkit/grpc/server.ts';
import type { Call } from '../server/call.ts';
import type { Handlers } from '../server/server.ts';
import type { BuildService } from './build-service.ts';
import { pruneCache } from './cache-usage.ts';
import { classicBuild } from './classic-build.ts';

type Names = 'build' | 'buildPrune' | 'buildCancel' | 'session' | 'grpc';

export function buildHandlers(service: BuildService): Pick<Handlers, Names> {
  const { log } = service.parts.services;
  return {
    build: call => classicBuild(service, call),

    buildPrune: call => prune(service, call),

    buildCancel(call) {
      const id = call.query.text('id');
      if (id === '') throw new InvalidArgument('build ID not provided');
      service.running.get(id)?.abort(new DOMException('build cancelled', 'AbortError'));
      service.control.cancel(id);
      call.empty(200);
    },

    session(call) {
      const socket = upgrade(call);
      const header = (name: string): string => call.header(name);
      const methods = call.request.headersDistinct['x-docker-expose-session-grpc-method'] ?? [];
      service.sessions.accept(
        header('x-docker-expose-session-uuid'),
        header('x-docker-expose-session-sharedkey'),
        methods,
        socket,
      );
    },

    grpc(call) {
      const socket = upgrade(call);
      serveGrpc(socket, service.control.services(), line => log.debug(line)).catch(err =>
        log.warn(`grpc: ${describe(err)}`),
      );
    },
  };
}

function upgrade(call: Call) {
  if (!call.upgraded || call.header('upgrade') !== 'h2c') {
    throw new InvalidArgument('error upgrading connection: this endpoint speaks h2c');
  }
  const { socket, head } = call.hijack({ upgraded: 'application/vnd.docker.raw-stream', plain: '' });
  if (head.length > 0) socket.unshift(head);
  // Reading was stopped for the hand-over, behind the back of Node's stream; HTTP/2 takes the handle next and does not start it.
  (socket as unknown as { _handle?: { readStart?(): void } | null })._handle?.readStart?.();
  return socket;
}

/** POST /build/prune: Docker's `CachesDeleted` and `SpaceReclaimed`. */
async function prune(service: BuildService, call: Call): Promise<void> {
  const filters = parseFilters(call.query.text('filters'));
  const [age] = filters.get('until');
  const until = age === undefined ? undefined : new Date(Date.now() - durationMs(age));
  const keepBytes =
    call.query.integer('keep-storage') || call.query.integer('reserved-space') || call.query.integer('max-used-space');
  const dropped = await pruneCache(service.builder, {
    all: call.query.bool('all'),
    ...(until !== undefined && { until }),
    ...(keepBytes && { keepBytes }),
  });
  await service.parts.images.containerd.gc.collect();
  const bytes = dropped.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  service.parts.services.events.publish('builder', 'prune', '', { reclaimed: String(bytes) });
  call.json(200, {
    CachesDeleted: dropped.length === 0 ? null : dropped.map(({ id }) => id),
    SpaceReclaimed: bytes,
  });
}

/** `24h`, `1h30m`, or a time. */
function durationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  if (parts.length === 0) {
    const at = Date.parse(text);
    if (Number.isNaN(at)) throw new InvalidArgument(`invalid until value "${text}"`);
    return Date.now() - at;
  }
  const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
  return parts.reduce((sum, [, value, unit]) => sum + Number(value) * units[unit as keyof typeof units], 0);
}
