// Stores as a lease's holder sees them: whatever is written or found through them is kept by the lease.

import type { ContentStore } from '../content/content-store.ts';
import type { LocalContentStore } from '../content/local/local-content-store.ts';
import type { LayerUnpacker } from '../differ/layer-unpacker.ts';
import type { Unpacker } from '../differ/unpacker.ts';
import type { OverlaySnapshotter } from '../snapshots/overlay/overlay-snapshotter.ts';

export function leasedContent(content: LocalContentStore, lease: string): ContentStore {
  return {
    info: async digest => {
      const info = await content.info(digest);
      if (info !== undefined) content.hold(digest, lease);
      return info;
    },
    list: () => content.list(),
    readerAt: digest => content.readerAt(digest),
    read: (digest, options) => content.read(digest, options),
    readBlob: (digest, maxBytes) => content.readBlob(digest, maxBytes),
    writer: options => content.writer({ ...options, lease }),
    writeBlob: (bytes, options) => content.writeBlob(bytes, { ...options, lease }),
    label: (digest, labels) => content.label(digest, labels),
    delete: digest => content.delete(digest),
    status: ref => content.status(ref),
    listStatuses: () => content.listStatuses(),
    abort: ref => content.abort(ref),
  };
}

export function leasedUnpacker(unpacker: LayerUnpacker, snapshotter: OverlaySnapshotter, lease: string): Unpacker {
  return {
    exists: async chainId => {
      const exists = await unpacker.exists(chainId);
      if (exists) snapshotter.rows.hold(chainId, lease);
      return exists;
    },
    layer: (place, options) => unpacker.layer(place, { ...options, lease }),
    stage: options => unpacker.stage({ ...options, lease }),
  };
}
