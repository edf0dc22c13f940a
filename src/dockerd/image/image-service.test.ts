import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Filters, type ProgressMessage } from '../../api/index.ts';
import { type Containerd, layersOfMounts, openContainerd, openMergedView } from '../../containerd/index.ts';
import { sha256, snapshotFolders, tarOf } from '../../containerd/testing/archives.ts';
import { storeImage, type TestImage } from '../../containerd/testing/images.ts';
import { type Digest, mediaTypes } from '../../oci/index.ts';
import { Registry } from '../../registry/index.ts';
import type { ImageUser } from './deps.ts';
import { ImageService } from './image-service.ts';

let root: string;
let containerd: Containerd;
let service: ImageService;
let users: ImageUser[];
let events: string[];
let said: ProgressMessage[];
const output = (message: ProgressMessage) => void said.push(message);
const lines = () => said.map(message => (message.stream ?? message.status ?? '').trim());

beforeEach(async () => {
  root = mkdtempSync('/tmp/berth-images-');
  containerd = await openContainerd({ root, workers: 1 });
  users = [];
  events = [];
  said = [];
  service = new ImageService({
    containerd,
    registry: new Registry({}),
    events: {
      publish: (type, action, _id, attributes) => void events.push(`${type} ${action} ${attributes?.name}`),
    },
    users: () => users,
  });
});
afterEach(async () => {
  await containerd.close();
  rmSync(root, { recursive: true });
});

async function image(name: string, ...layers: Record<string, string>[]): Promise<TestImage> {
  const made = await storeImage(containerd, layers, { Cmd: ['sh'], Labels: { for: name } });
  containerd.images.put({ name: `docker.io/library/${name}:latest`, target: made.target });
  return made;
}

const list = (filters: Record<string, string[]> = {}) =>
  service.list({ filters: new Filters(Object.entries(filters)) });
const tags = async (filters?: Record<string, string[]>) =>
  (await list(filters)).map(item => item.RepoTags.join(',')).sort();

async function* cut(bytes: Buffer, step = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += step) yield new Uint8Array(bytes.subarray(at, at + step));
}

async function save(...names: string[]): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await service.save({ names })) pieces.push(piece);
  return Buffer.concat(pieces);
}

const load = (bytes: Buffer, step?: number) => service.load({ archive: cut(bytes, step) }, output);

/** A docker-archive as docker save wrote before version 25: the manifest at the end. */
function dockerArchive(name: string | null, layers: readonly Buffer[], change: Record<string, unknown> = {}): Buffer {
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      config: { Cmd: ['x'] },
      rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
      ...change,
    }),
  );
  const paths = layers.map((_, i) => `layer${i}/layer.tar`);
  const manifest = [{ Config: 'config.json', RepoTags: name === null ? null : [name], Layers: paths }];
  return tarOf([
    { path: 'config.json', data: config },
    ...layers.map((data, i) => ({ path: paths[i]!, data })),
    { path: 'manifest.json', data: JSON.stringify(manifest) },
  ]);
}

test('an image is found by name, tag, digest, id and the beginning of the id', async () => {
  const { target } = await image('box', { a: '1' });
  const hex = target.digest.slice(7);
  for (const text of [
    'box',
    'box:latest',
    'docker.io/library/box',
    `box@${target.digest}`,
    target.digest,
    hex,
    hex.slice(0, 12),
    `sha256:${hex.slice(0, 5)}`,
  ]) {
    assert.equal(service.id(text), target.digest, text);
  }
  for (const [text, words] of [
    ['nosuch', 'No such image: nosuch:latest'],
    ['box:2', 'No such image: box:2'],
    [`other@${target.digest}`, `No such image: other@${target.digest}`],
    [`sha256:${'0'.repeat(64)}`, `No such image: sha256:${'0'.repeat(64)}`],
  ] as const) {
    assert.throws(() => service.id(text), { code: 'NotFound', message: words });
  }
  assert.throws(() => service.id('UPPER'), { code: 'InvalidArgument', message: /must be lowercase/ });
});

test('a tag that looks like the beginning of an id wins; an ambiguous beginning is refused', async () => {
  const one = await image('one', { a: '1' });
  const prefix = one.target.digest.slice(7, 19);
  const two = await image('two', { b: '2' });
  containerd.images.put({ name: `docker.io/library/${prefix}:latest`, target: two.target });
  assert.equal(service.id(prefix), two.target.digest);
  const byFirst = new Map<string, number>();
  for (let i = 0; byFirst.size < 17 && ![...byFirst.values()].some(count => count > 1); i++) {
    const { target } = await image(`n${i}`, { [`f${i}`]: 'x' });
    byFirst.set(target.digest[7]!, (byFirst.get(target.digest[7]!) ?? 0) + 1);
  }
  const twice = [...byFirst].find(([, count]) => count > 1)![0];
  assert.throws(() => service.id(twice), { code: 'NotFound', message: `ambiguous reference: ${twice}` });
});

test('list, inspect and history speak as Docker does', async () => {
  const { target, diffIds } = await image('box', { a: '1' }, { b: '2' });
  containerd.images.put({ name: 'localhost:5000/x/box:2', target });
  const [item] = await list();
  assert.deepEqual(item?.RepoTags, ['box:latest', 'localhost:5000/x/box:2']);
  assert.deepEqual(item?.RepoDigests, [`box@${target.digest}`, `localhost:5000/x/box@${target.digest}`]);
  assert.deepEqual([item?.Id, item?.SharedSize, item?.Containers], [target.digest, -1, 0]);
  assert.ok(item!.Size > 8192);
  const inspected = await service.inspect('box');
  assert.deepEqual(inspected.RootFS, { Type: 'layers', Layers: diffIds });
  assert.equal(inspected.Config?.Entrypoint, null);
  assert.deepEqual(inspected.Config?.Cmd, ['sh']);
  const history = await service.history('box');
  assert.deepEqual(
    history.map(entry => [entry.Id, entry.CreatedBy]),
    [
      [target.digest, 'layer 1'],
      ['<missing>', 'layer 0'],
    ],
  );
  assert.deepEqual(history[0]?.Tags, ['box:latest', 'localhost:5000/x/box:2']);
});

test('list filters', async () => {
  await image('box', { a: '1' });
  await image('bag', { b: '1' });
  service.tag('bag', 'box', 'latest');
  assert.deepEqual(await tags(), ['', 'bag:latest,box:latest'].sort());
  assert.deepEqual(await tags({ dangling: ['true'] }), ['']);
  assert.deepEqual(await tags({ dangling: ['false'] }), ['bag:latest,box:latest']);
  assert.deepEqual(await tags({ reference: ['b?x'] }), ['box:latest']);
  assert.deepEqual(await tags({ reference: ['bag:l*', 'nothing'] }), ['bag:latest']);
  assert.deepEqual(await tags({ label: ['for=bag'] }), ['bag:latest,box:latest']);
  assert.deepEqual(await tags({ label: ['for=none'] }), []);
  assert.deepEqual(await tags({ until: ['2020-01-01'] }), []);
  assert.deepEqual((await tags({ until: ['1h'] })).length, 2);
  await assert.rejects(list({ nosuch: ['x'] }), { code: 'InvalidArgument', message: "invalid filter 'nosuch'" });
});

test('tagging over a name leaves its image dangling, and tagging that again ends it', async () => {
  const box = await image('box', { a: '1' });
  await image('bag', { b: '1' });
  service.tag('bag', 'box', '');
  const dangling = (await list({ dangling: ['true'] }))[0];
  assert.deepEqual([dangling?.Id, dangling?.RepoTags, dangling?.RepoDigests], [box.target.digest, [], []]);
  service.tag(box.target.digest, 'again', 'v1');
  assert.deepEqual(await list({ dangling: ['true'] }), []);
  assert.throws(() => service.tag('box', 'sha256', 'x'), { code: 'InvalidArgument' });
  assert.throws(() => service.tag('box', `box@${box.target.digest}`, ''), { code: 'InvalidArgument' });
  assert.throws(() => service.tag('box', 'x', 'a b'), { code: 'InvalidArgument' });
  assert.deepEqual(events, ['image tag box:latest', 'image tag again:v1']);
});

test('removing by name untags, and deletes with the last one', async () => {
  const { target } = await image('box', { a: '1' });
  service.tag('box', 'bag', 'x');
  assert.deepEqual(await service.remove('box'), [{ Untagged: 'box:latest' }]);
  assert.deepEqual(await service.remove('bag:x'), [{ Untagged: 'bag:x' }, { Deleted: target.digest }]);
  assert.deepEqual(await containerd.content.list(), []);
  await assert.rejects(service.remove('bag:x'), { code: 'NotFound', message: 'No such image: bag:x' });
});

test('removing by id takes all tags of a repository, and asks for force beyond', async () => {
  const { target } = await image('box', { a: '1' });
  service.tag('box', 'box', 'v2');
  service.tag('box', 'other', 'x');
  await assert.rejects(service.remove(target.digest), {
    code: 'Conflict',
    message: /must be forced\) - image is referenced in multiple repositories/,
  });
  await service.remove('other:x');
  const items = await service.remove(target.digest.slice(7, 19));
  assert.deepEqual(items, [{ Untagged: 'box:latest' }, { Untagged: 'box:v2' }, { Deleted: target.digest }]);
});

test('an image in use is not removed, in the words that clients know', async () => {
  const { target } = await image('box', { a: '1' });
  const id = 'c'.repeat(64);
  const short = target.digest.slice(7, 19);
  users = [{ id, imageId: target.digest, reference: 'box', running: false }];
  await assert.rejects(service.remove('box'), {
    code: 'Conflict',
    message: `conflict: unable to delete box:latest (must be forced) - container cccccccccccc is using its referenced image ${short}`,
  });
  await assert.rejects(service.remove(target.digest), {
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  });
  users = [{ ...users[0]!, running: true }];
  await assert.rejects(service.remove(target.digest, { force: true }), {
    message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
  });
  users = [{ ...users[0]!, running: false }];
  assert.deepEqual(await service.remove('box', { force: true }), [{ Untagged: 'box:latest' }]);
  assert.deepEqual(await tags(), ['']);
  assert.deepEqual((await service.prune(new Filters())).ImagesDeleted, null);
  users = [];
  const report = await service.prune(new Filters());
  assert.deepEqual(report.ImagesDeleted, [{ Untagged: target.digest }, { Deleted: target.digest }]);
  assert.ok(report.SpaceReclaimed > 0);
});

test('what was saved loads again, the same image', async () => {
  const box = await image('box', { a: '1', 'd/e': 'x'.repeat(70_000) }, { b: '2' });
  const bag = await image('bag', { a: '1', 'd/e': 'x'.repeat(70_000) }, { c: '3' });
  const saved = await save('box', 'bag', box.target.digest);
  assert.deepEqual(await save('box', 'bag', box.target.digest), saved);
  await service.remove('box');
  await service.remove('bag');
  assert.deepEqual(await containerd.content.list(), []);
  // xz.test.ts says where a machine has no xz.
  const { stdout, status } = spawnSync('xz', ['-c', '-0'], { input: saved });
  const xz = status === 0 ? [stdout] : [];
  for (const archive of [saved, gzipSync(saved), zstdCompressSync(saved), ...xz]) {
    said = [];
    await load(archive, 10_000);
    assert.deepEqual(lines().sort(), ['Loaded image: bag:latest', 'Loaded image: box:latest']);
    assert.equal(service.id('box'), box.target.digest);
    assert.equal(service.id('bag'), bag.target.digest);
    const { parent } = await service.resolve('bag', undefined);
    const [mount] = await containerd.snapshotter.prepare('c', parent);
    using view = openMergedView(layersOfMounts([mount!]));
    assert.equal(readFileSync(view.openFile('c'), 'utf8'), '3');
    assert.equal(readFileSync(view.openFile('d/e'), 'utf8').length, 70_000);
    await containerd.snapshotter.remove('c');
  }
  assert.deepEqual(await containerd.content.listStatuses(), []);
  assert.equal(containerd.leases.list().length, 0);
});

test('an archive of old loads: manifest last, layers linked, no name', async () => {
  const layers = [tarOf([{ path: 'a', data: '1' }]), tarOf([{ path: 'b', data: '2' }])];
  await load(dockerArchive('box:old', layers));
  assert.deepEqual(lines(), ['Loaded image: box:old']);
  await load(dockerArchive(null, layers, { author: 'me' }));
  assert.match(lines()[1]!, /^Loaded image ID: sha256:[0-9a-f]{64}$/);
  assert.deepEqual(await tags(), ['', 'box:old']);
  const linked = tarOf([
    {
      path: 'config.json',
      data: JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: [sha256(layers[0]!)] },
      }),
    },
    { path: 'first/layer.tar', data: layers[0]! },
    { path: 'second/layer.tar', type: 'symlink', linkName: '../first/layer.tar' },
    {
      path: 'manifest.json',
      data: JSON.stringify([{ Config: 'config.json', RepoTags: ['linked:1'], Layers: ['second/layer.tar'] }]),
    },
  ]);
  await load(linked);
  assert.ok((await tags()).includes('linked:1'));
});

const layer = tarOf([{ path: 'a', data: '1' }]);
const damaged: [string, Buffer, RegExp, string][] = [
  ['nothing', Buffer.alloc(0), /unrecognized image format/, 'InvalidArgument'],
  ['an archive without images', tarOf([{ path: 'x', data: 'y' }]), /unrecognized image format/, 'InvalidArgument'],
  ['garbage', Buffer.from('garbage '.repeat(100)), /invalid tar header/, 'InvalidArgument'],
  ['half an archive', dockerArchive('x', [layer]).subarray(0, 2000), /unexpected EOF/, 'InvalidArgument'],
  [
    'another diff id',
    dockerArchive('x', [layer], { rootfs: { type: 'layers', diff_ids: [sha256(Buffer.from('z'))] } }),
    /has diff id/,
    'DataLoss',
  ],
  [
    'too few diff ids',
    dockerArchive('x', [layer], { rootfs: { type: 'layers', diff_ids: [] } }),
    /names 0 layers, the manifest 1/,
    'DataLoss',
  ],
  [
    'a missing layer',
    tarOf([
      { path: 'c', data: JSON.stringify({ rootfs: { type: 'layers', diff_ids: [sha256(layer)] } }) },
      { path: 'manifest.json', data: '[{"Config":"c","Layers":["l"]}]' },
    ]),
    /layer "l" is not in the archive/,
    'NotFound',
  ],
  [
    'a config that is missing',
    tarOf([{ path: 'manifest.json', data: '[{"Config":"c","Layers":[]}]' }]),
    /config "c" is not in the archive/,
    'NotFound',
  ],
  [
    'a manifest that is no list',
    tarOf([{ path: 'manifest.json', data: '{}' }]),
    /malformed manifest.json/,
    'InvalidArgument',
  ],
  [
    'a hostile layer',
    dockerArchive('x', [tarOf([{ path: '../../etc/x', data: 'y' }])]),
    /outside of the root/,
    'InvalidArgument',
  ],
  ['an index that is none', tarOf([{ path: 'index.json', data: '{"schemaVersion":1}' }]), /schema/, 'InvalidArgument'],
];

for (const [what, archive, message, code] of damaged) {
  test(`loading ${what} fails clearly and leaves nothing`, async () => {
    await assert.rejects(load(archive), { message, code });
    assert.deepEqual(await containerd.snapshotter.list(), []);
    assert.deepEqual(await containerd.content.listStatuses(), []);
    assert.deepEqual(containerd.images.list(), []);
    await containerd.gc.collect();
    assert.deepEqual(await containerd.content.list(), []);
    assert.deepEqual(snapshotFolders(root), []);
  });
}

test('a blob in an OCI layout that is not what its name says is refused', async () => {
  const { layers } = await image('box', { a: '1' });
  const saved = await save('box');
  await service.remove('box');
  // The content of the file in the layer.
  saved[saved.indexOf(layers[0]!) + 512] = 0x32;
  await assert.rejects(load(saved), { code: 'DataLoss' });
  assert.deepEqual(await containerd.snapshotter.list(), []);
});

test('saving what is not here is refused before the first byte', async () => {
  await assert.rejects(service.save({ names: ['nosuch'] }), {
    code: 'NotFound',
    message: 'No such image: nosuch:latest',
  });
});

test('import makes an image of a root file system', async () => {
  const archive = tarOf([{ path: 'etc/' }, { path: 'etc/os-release', data: 'me' }]);
  const request = { repo: 'imp', tag: 'x', message: 'Imported from -', config: { Cmd: ['sh'] } };
  await service.import({ ...request, archive: cut(gzipSync(archive)) }, output);
  const inspected = await service.inspect('imp:x');
  assert.deepEqual(lines(), [inspected.Id]);
  assert.deepEqual([inspected.Comment, inspected.Config?.Cmd], ['Imported from -', ['sh']]);
  assert.deepEqual(inspected.RootFS.Layers, [sha256(archive)]);
  await assert.rejects(service.import({ ...request, archive: cut(Buffer.from('x'.repeat(2000))) }, output), {
    code: 'InvalidArgument',
  });
  await assert.rejects(service.import({ ...request, archive: cut(Buffer.alloc(0)) }, output), {
    code: 'InvalidArgument',
  });
});

test('a container gets an init layer with what its image lacks, with the attributes of the image', async () => {
  const files = tarOf([
    { path: 'etc/', mode: 0o700, uid: 5, mtimeSec: 1000 },
    { path: 'etc/hosts', data: 'own' },
    { path: 'dev/', mode: 0o711 },
    { path: 'proc', type: 'symlink', linkName: '/etc' },
  ]);
  await load(dockerArchive('box', [files]));
  const first = await service.resolve('box', undefined);
  assert.equal((await service.resolve('box', undefined)).parent, first.parent);
  assert.equal(first.id, service.id('box'));
  const [mount] = await containerd.snapshotter.prepare('c', first.parent);
  const init = mount!.overlay!.lowerdirs[0]!;
  assert.deepEqual(readdirSync(init).sort(), ['.dockerenv', 'dev', 'etc', 'sys']);
  assert.deepEqual(readdirSync(join(init, 'etc')).sort(), ['hostname', 'mtab', 'resolv.conf']);
  assert.deepEqual(readdirSync(join(init, 'dev')).sort(), ['console', 'pts', 'shm']);
  assert.equal(readlinkSync(join(init, 'etc/mtab')), '/proc/mounts');
  const etc = lstatSync(join(init, 'etc'));
  assert.deepEqual([etc.mode & 0o7777, etc.uid], [0o700, 5]);
  assert.equal(lstatSync(join(init, 'dev')).mode & 0o7777, 0o711);
  assert.ok(!existsSync(join(init, 'proc')));
});

test('disk usage counts what is shared once, and is what du says', async () => {
  const shared = { big: 'x'.repeat(300_000) };
  await image('one', shared, { a: '1' });
  await image('two', shared, { b: '2' });
  const usage = await service.diskUsage();
  const [one] = usage.images;
  assert.ok(one!.SharedSize >= 300_000);
  const folders = globSync(['content/blobs/sha256', 'snapshots/*/*/fs'], { cwd: root }).map(folder =>
    join(root, folder),
  );
  const du = execFileSync('du', ['-sc', '--block-size=1', ...folders], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .at(-1)!;
  const ratio = usage.layersSize / Number(du.split('\t')[0]);
  assert.ok(ratio > 0.9 && ratio <= 1, String(ratio));
});

test('an index lists its manifests, and says what is not here', async () => {
  const here = await storeImage(containerd, [{ a: '1' }], { Cmd: ['sh'] });
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const elsewhere = {
    ...here.target,
    digest: `sha256:${'0'.repeat(64)}` as Digest,
    platform: { os: 'linux', architecture: 's390x' },
  };
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [{ ...here.target, platform: { os: 'linux', architecture } }, elsewhere],
  };
  const stored = await containerd.content.writeBlob(Buffer.from(JSON.stringify(index)));
  containerd.images.put({
    name: 'docker.io/library/multi:latest',
    target: { mediaType: mediaTypes.ociIndex, ...stored },
  });
  assert.equal(service.id('multi'), stored.digest);
  const { Manifests } = await service.inspect('multi', { manifests: true });
  assert.deepEqual(
    (Manifests as { Available: boolean }[]).map(manifest => manifest.Available),
    [true, false],
  );
  await assert.rejects(service.resolve('multi', { os: 'linux', architecture: 's390x' }), {
    code: 'NotFound',
    message: /content for the platform \(linux\/s390x\) is not here/,
  });
  await assert.rejects(service.resolve('multi', { os: 'linux', architecture: 'riscv64' }), {
    code: 'NotFound',
    message: /does not provide the specified platform \(linux\/riscv64\)/,
  });
  await assert.rejects(service.remove('multi', { platforms: [{ os: 'linux', architecture: 's390x' }] }), {
    message: 'no matching manifest for linux/s390x',
  });
  const saved = await save('multi');
  await service.remove('multi');
  await load(saved);
  assert.equal(service.id('multi'), stored.digest);
  assert.equal((await service.resolve('multi', undefined)).config.config?.Cmd?.[0], 'sh');
  const { target } = here;
  assert.deepEqual(await service.remove('multi', { platforms: [{ os: 'linux', architecture }] }), [
    { Deleted: target.digest },
  ]);
  assert.deepEqual(
    (await containerd.content.list()).map(blob => blob.digest),
    [stored.digest],
  );
  await assert.rejects(service.resolve('multi', undefined), { code: 'NotFound' });
});
