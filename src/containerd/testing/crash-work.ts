// What crash.test.ts lets die: stores, names, prepares, removes and collects, telling on stdout what is acknowledged.

import { writeSync } from 'node:fs';
import { type Digest, digestOf } from '../../oci/index.ts';
import { openContainerd } from '../containerd.ts';
import { crashPoint } from '../crash-point.ts';
import { sha256, tarOf } from './archives.ts';
import { storeImage } from './images.ts';

const say = (what: string, name: string) => writeSync(1, `${what} ${name}\n`);

const root = process.argv[2]!;
const containerd = await openContainerd({ root, workers: 1 });
const records = containerd.metadata.collection<boolean>('test');
records.put('a', true);
say('record', 'a');

const expected = { digest: digestOf('one blob'), size: 8 };
const writer = await containerd.content.writer({ ref: 'one', expected });
await writer.write(new Uint8Array(Buffer.from('one blob')));
await writer.commit();
await containerd.content.delete(expected.digest);

const kept = await storeImage(containerd, [{ a: '1' }, { 'b/c': '2' }]);
containerd.images.put({ name: 'kept', target: kept.target });
say('image', 'kept');
const lost = await storeImage(containerd, [{ a: '1' }, { 'd/e': '3' }]);
containerd.images.put({ name: 'lost', target: lost.target });

await containerd.snapshotter.prepare('container', kept.chain);
say('snapshot', 'container');
await containerd.snapshotter.prepare('other', kept.chain);
await containerd.snapshotter.remove('other');
say('removed', 'other');

const tar = tarOf([{ path: 'half', data: 'x'.repeat(100_000) }]);
const diffId = sha256(tar) as Digest;
const layer = await containerd.unpacker.layer(
  {
    descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: tar.length },
    diffId,
    chainId: diffId,
  },
  { ref: 'half' },
);
await layer.write(new Uint8Array(tar.subarray(0, 50_000)));
crashPoint('unpack.half');
await layer.close();

containerd.images.delete('lost');
await containerd.gc.collect();
say('record', 'a');
await containerd.close();
