import assert from 'node:assert/strict';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Mount } from '../oci/index.ts';
import { cannotRun, TestContainers } from './testing/containers.ts';
import { baseSpec } from './testing/specs.ts';
import { formatIdMap, hostId } from './user-namespace.ts';

const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
const namespaces = [...baseSpec({}).linux!.namespaces!, { type: 'user' as const }];
const linux = { namespaces, uidMappings: ids, gidMappings: ids };

describe('id maps', () => {
  it('are written as the kernel reads them, and translate', () => {
    const two = [
      { containerID: 0, hostID: 1000, size: 1 },
      { containerID: 1, hostID: 100000, size: 10 },
    ];
    assert.equal(formatIdMap(two), '0 1000 1\n1 100000 10\n');
    assert.equal(hostId(two, 0), 1000);
    assert.equal(hostId(two, 10), 100009);
    assert.equal(hostId(two, 11), undefined);
    assert.equal(hostId(undefined, 11), 11);
  });
});

describe('a container with a user namespace', { skip: cannotRun }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());
  // The container's root must be able to enter its bundle.
  if (cannotRun === false) for (const path of [containers.bundle, containers.rootfs]) chownSync(path, 100000, 100000);

  it('has a root that is nobody outside, all mounts and devices', async () => {
    const script =
      'id -u; id -G; cat /proc/self/uid_map; echo x >/dev/null; head -c 2 /dev/zero | wc -c; ls /sys | head -n 1; grep -c . /proc/mounts; touch /made';
    const { code, output } = await containers.run(script, {
      linux,
      process: { user: { uid: 0, gid: 0, additionalGids: [7] } },
    });
    assert.equal(code, 0, output);
    assert.match(output, /^0\n0 7\n +0 +100000 +65536\n2\n/);
    assert.equal(statSync(join(containers.rootfs, 'made')).uid, 100000);
  });

  it('binds sources that its root may not enter by itself', async () => {
    const closed = join(containers.bundle, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    writeFileSync(join(closed, 'file'), 'seen\n', { mode: 0o644 });
    const mounts: Mount[] = [
      { destination: '/file', type: 'bind', source: join(closed, 'file'), options: ['bind', 'ro'] },
    ];
    assert.equal((await containers.run('cat /file', { linux, mounts })).output, 'seen\n');
  });

  it('can be entered by an exec', async () => {
    const container = await containers.start({ linux, process: { args: ['sleep', '100'] } });
    const { output } = await container.exec({
      args: ['sh', '-c', 'id -u; cat /proc/self/uid_map; touch /by-exec'],
      user: { uid: 0, gid: 0 },
    });
    assert.match(output, /^0\n +0 +100000/);
    assert.equal(statSync(join(containers.rootfs, 'by-exec')).uid, 100000);
    await container.end();
  });

  it('shows files of the host as its own through an id-mapped mount', async () => {
    const data = join(containers.bundle, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'file'), '');
    const mounts: Mount[] = [
      {
        destination: '/data',
        type: 'bind',
        source: data,
        options: ['rbind', 'idmap'],
        uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
        gidMappings: ids,
      },
    ];
    const { output } = await containers.run('stat -c %u /data/file; touch /data/new; stat -c %u /data/new', {
      linux,
      mounts,
    });
    assert.equal(output, '0\n0\n');
    assert.equal(statSync(join(data, 'new')).uid, 0);
  });

  it('may have id-mapped mounts without a user namespace too', async () => {
    const data = join(containers.bundle, 'data2');
    mkdirSync(data);
    writeFileSync(join(data, 'file'), '');
    const map = [{ containerID: 0, hostID: 5000, size: 10 }];
    const mounts: Mount[] = [
      { destination: '/data', type: 'bind', source: data, options: ['bind'], uidMappings: map, gidMappings: map },
    ];
    assert.equal((await containers.run('stat -c "%u %g" /data/file', { mounts })).output, '5000 5000\n');
  });

  it('can be joined, with new namespaces of every other kind in it', async () => {
    const first = await containers.start({ linux, process: { args: ['sleep', '100'] } });
    const joined = namespaces.map(one =>
      one.type === 'user' ? { type: 'user' as const, path: `/proc/${first.pid}/ns/user` } : one,
    );
    const { code, output } = await containers.run(
      'echo $$; id -u; cat /proc/self/uid_map; hostname; ls /sys/class/net; echo x >/dev/null; exit 3',
      {
        linux: { namespaces: joined },
      },
    );
    assert.equal(code, 3, output);
    assert.match(output, /^1\n0\n +0 +100000 +65536\nbox\nlo\n$/);
    await assert.rejects(containers.run('', { linux: { namespaces: joined }, process: { args: ['nosuch'] } }), {
      message: 'error during container init: exec: "nosuch": executable file not found in $PATH',
    });
    await first.end();
  });

  it('is refused without maps', async () => {
    await assert.rejects(
      containers.run('true', { linux: { namespaces } }),
      /user namespaces enabled, but no uid or gid mappings found/,
    );
    await assert.rejects(
      containers.run('true', { linux: { uidMappings: ids } }),
      /user namespace mappings specified, but user namespace is not enabled/,
    );
  });
});
