// Networks in the engine's database.

import type { Collection } from '../../containerd/index.ts';
import type { NetworkRecord, NetworkStore } from '../../network/index.ts';

export const networkStore = (records: Collection<NetworkRecord>): NetworkStore => ({
  load: () => records.list().map(({ value }) => value),
  save: record => records.put(record.id, record),
  delete: id => {
    records.delete(id);
  },
});
