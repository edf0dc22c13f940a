// The volume endpoints.

import type { Filters, Volume } from '../../../api/index.ts';
import { volumeCreateShape } from '../../../api/index.ts';
import { Conflict, NotFound, Unavailable } from '../../../errdefs/index.ts';
import type { EventSink } from '../../event/event-log.ts';
import { directorySize } from '../../volume/size.ts';
import { anonymousLabel, type VolumeRecord, type VolumeStore } from '../../volume/volume.ts';
import type { Handlers } from '../server.ts';

type Names = 'volumeList' | 'volumeCreate' | 'volumePrune' | 'volumeInspect' | 'volumeUpdate' | 'volumeRemove';

let pruning = false;

export function volumeHandlers(volumes: VolumeStore, events: EventSink): Pick<Handlers, Names> {
  return {
    volumeList(call) {
      const filters = call.filters(['dangling', 'driver', 'label', 'name']);
      const found = volumes.list().filter(volume => matches(volumes, volume, filters));
      const items: Volume[] = found.map(volume => volumes.inspect(volume)).sort((a, b) => (a.Name < b.Name ? -1 : 1));
      call.json(200, { Volumes: items, Warnings: null });
    },

    async volumeCreate(call) {
      const request = await call.body(volumeCreateShape, 'CreateOptions', volumeCreateShape.zero());
      if (request.ClusterVolumeSpec !== undefined) {
        throw new Unavailable(
          'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
        );
      }
      call.json(201, volumes.inspect(volumes.create(request)));
    },

    async volumePrune(call) {
      const filters = call.filters(['label', 'label!', 'all']);
      if (pruning) throw new Conflict('a prune operation is already running');
      pruning = true;
      try {
        // Named volumes too below 1.42, or when asked.
        const named = call.below('1.42') || filters.bool('all', false);
        const deleted: string[] = [];
        let space = 0;
        for (const volume of volumes.list()) {
          if (volumes.users(volume.name).length > 0) continue;
          if (!named && volume.labels?.[anonymousLabel] === undefined) continue;
          if (!filters.labels('label', volume.labels)) continue;
          if (filters.has('label!') && filters.labels('label!', volume.labels)) continue;
          const size = await directorySize(volumes.mountpoint(volume.name)).catch(() => 0);
          volumes.remove(volume.name);
          deleted.push(volume.name);
          space += size;
        }
        events.publish('volume', 'prune', '', { reclaimed: String(space) });
        call.json(200, { VolumesDeleted: deleted, SpaceReclaimed: space });
      } finally {
        pruning = false;
      }
    },

    volumeInspect(call) {
      call.json(200, volumes.inspect(volumes.get(call.param('id'))));
    },

    volumeUpdate() {
      throw new NotFound('only cluster volumes can be updated, and this engine has none');
    },

    volumeRemove(call) {
      volumes.remove(call.param('id'), call.query.bool('force'));
      call.empty(204);
    },
  };
}

function matches(volumes: VolumeStore, volume: VolumeRecord, filters: Filters): boolean {
  if (filters.has('dangling')) {
    const dangling = volumes.users(volume.name).length === 0;
    if (dangling !== filters.bool('dangling', false)) return false;
  }
  return (
    filters.exact('driver', 'local') && filters.match('name', volume.name) && filters.labels('label', volume.labels)
  );
}
