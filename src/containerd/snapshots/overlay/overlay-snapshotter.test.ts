import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Containerd, openContainerd } from '../../containerd.ts';
import { snapshotFolders } from '../../testing/archives.ts';
import { snapshotterContract } from '../contract.ts';

snapshotterContract('OverlaySnapshotter', async () => {
  const root = mkdtempSync('/tmp/berth-snapshots-');
  let containerd: Containerd = await openContainerd({ root, workers: 1 });
  return {
    snapshotter: containerd.snapshotter,
    reopen: async () => {
      await containerd.close();
      containerd = await openContainerd({ root, workers: 1 });
      return containerd.snapshotter;
    },
    [Symbol.asyncDispose]: async () => {
      await containerd.close();
      rmSync(root, { recursive: true });
    },
  };
});

function temporary(t: TestContext): string {
  const root = mkdtempSync('/tmp/berth-snapshots-');
  t.after(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

test('the kernel mounts what mounts() says, and shows the layers together', async t => {
  const root = temporary(t);
  await using containerd = await openContainerd({ root, workers: 1 });
  const { snapshotter } = containerd;
  for (const [name, parent, file] of [
    ['one', '', 'a'],
    ['two', 'one', 'b'],
  ] as const) {
    const [mount] = await snapshotter.prepare('making', parent);
    writeFileSync(join(mount!.overlay?.upperdir ?? mount!.source, file), name);
    await snapshotter.commit(name, 'making');
  }
  const [mount] = await snapshotter.prepare('top', 'two');
  const target = join(root, 'target');
  mkdirSync(target);
  // In a mount namespace of its own: nothing is left behind whatever happens.
  const script = `mount -t ${mount!.type} -o '${mount!.options.join(',')}' ${mount!.source} ${target} && cat ${target}/a ${target}/b && echo new > ${target}/c`;
  assert.equal(execFileSync('unshare', ['-m', 'sh', '-ec', script], { encoding: 'utf8' }), 'onetwo');
  assert.ok(existsSync(join(mount!.overlay!.upperdir!, 'c')));
});

test("a snapshot's root has the attributes of the layer below", async t => {
  await using containerd = await openContainerd({ root: temporary(t), workers: 1 });
  const [first] = await containerd.snapshotter.prepare('making', '');
  chmodSync(first!.source, 0o1750);
  chownSync(first!.source, 12, 34);
  await containerd.snapshotter.commit('one', 'making');
  const [mount] = await containerd.snapshotter.prepare('top', 'one');
  const { mode, uid, gid } = lstatSync(mount!.overlay!.upperdir!);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o1750, 12, 34]);
});

test('paths with colons and commas are escaped in the options', async t => {
  const root = join(temporary(t), 'a:b,c');
  await using containerd = await openContainerd({ root, workers: 1 });
  await containerd.snapshotter.prepare('making', '');
  await containerd.snapshotter.commit('one', 'making');
  const [mount] = await containerd.snapshotter.prepare('top', 'one');
  assert.match(mount!.options.join('\n'), /lowerdir=.*a\\:b\\,c/);
  assert.ok(existsSync(mount!.overlay!.lowerdirs[0]!));
});

test('removed files vanish in the background; folders of nobody go at opening', async t => {
  const root = temporary(t);
  const first = await openContainerd({ root, workers: 1 });
  const [mount] = await first.snapshotter.prepare('big', '');
  for (let i = 0; i < 300; i++) writeFileSync(join(mount!.source, `f${i}`), 'x');
  await first.snapshotter.remove('big');
  await first.close();
  assert.deepEqual(readdirSync(join(root, 'trash')), []);
  assert.deepEqual(snapshotFolders(root), []);
  mkdirSync(join(root, 'snapshots/0a/99999/fs'), { recursive: true });
  const second = await openContainerd({ root, workers: 1 });
  assert.deepEqual(snapshotFolders(root), []);
  await second.close();
  assert.deepEqual(readdirSync(join(root, 'trash')), []);
});

test('preparing a container costs little', async t => {
  await using containerd = await openContainerd({ root: temporary(t), workers: 1 });
  const { snapshotter } = containerd;
  await snapshotter.prepare('making', '');
  await snapshotter.commit('one', 'making');
  const times: number[] = [];
  for (let i = 0; i < 50; i++) {
    const start = performance.now();
    await snapshotter.prepare(`c${i}`, 'one');
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  assert.ok(times[25]! < 2, `median ${times[25]} ms`);
});
