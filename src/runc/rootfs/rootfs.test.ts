import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { native } from '../../launcher/index.ts';
import type { Mount } from '../../oci/index.ts';
import { hostFacts } from '../compilation.ts';
import { MNT_DETACH, MS_BIND, MS_SHARED } from '../numbers.ts';
import { cannotRun, TestContainers } from '../testing/containers.ts';

describe("a container's root", { skip: cannotRun }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());
  const run: TestContainers['run'] = (...args) => containers.run(...args);

  it('mounts what the spec lists, in its order, with its options', async () => {
    writeFileSync(join(containers.bundle, 'one'), 'one\n');
    mkdirSync(join(containers.bundle, 'tree'), { recursive: true });
    writeFileSync(join(containers.bundle, 'tree/file'), 'two\n');
    const mounts: Mount[] = [
      { destination: '/new/dir/file', type: 'bind', source: join(containers.bundle, 'one'), options: ['bind', 'ro'] },
      { destination: '/tree', type: 'bind', source: 'tree', options: ['rbind', 'rprivate', 'nosuid', 'noexec'] },
      { destination: '/scratch', type: 'tmpfs', source: 'none', options: ['size=64k', 'mode=700', 'noatime'] },
      { destination: '/scratch/inner', type: 'tmpfs', source: 'inner', options: ['ro'] },
    ];
    const { output } = await run(
      'cat /new/dir/file /tree/file; echo x >/new/dir/file; echo y >/tree/new; grep -E " /(new|tree|scratch)" /proc/mounts',
      { mounts },
    );
    assert.match(output, /^one\ntwo\n/);
    assert.match(output, /can't create \/new\/dir\/file: Read-only file system/);
    assert.match(output, / \/new\/dir\/file \S+ ro,/);
    assert.match(output, / \/tree \S+ rw,nosuid,noexec/);
    assert.match(output, /none \/scratch tmpfs rw,noatime,size=64k,mode=700/);
    assert.match(output, /inner \/scratch\/inner tmpfs ro/);
    assert.equal(readFileSync(join(containers.bundle, 'tree/new'), 'utf8'), 'y\n');
  });

  it('shares mounts with the host as far as it is told to', async () => {
    const { mount, umount2 } = native();
    const volume = join(containers.bundle, 'volume');
    mkdirSync(volume);
    mount(volume, volume, '', MS_BIND, '');
    try {
      mount('', volume, '', MS_SHARED, '');
      for (const name of ['inside', 'outside']) mkdirSync(join(volume, name));
      const admin = ['CAP_SYS_ADMIN'];
      // What the host then sees of the container's mount, and the container of the host's.
      const expected = { rshared: ['mark', 'mark'], rslave: ['', 'mark'], rprivate: ['', ''] };
      for (const [mode, [host, guest]] of Object.entries(expected)) {
        const script = `mount -t tmpfs tmpfs /volume/inside; touch /volume/inside/mark; touch /volume/ready
          while [ ! -e /volume/go ]; do sleep 0.02; done; ls /volume/outside; umount /volume/inside; echo done`;
        const container = await containers.start({
          process: {
            args: ['sh', '-c', script],
            capabilities: { bounding: admin, effective: admin, permitted: admin },
          },
          linux: { rootfsPropagation: mode === 'rprivate' ? '' : mode.slice(1) },
          mounts: [{ destination: '/volume', type: 'bind', source: volume, options: ['rbind', mode] }],
        });
        const until = async (condition: () => boolean) => {
          for (let i = 0; i < 500 && !condition(); i++) await new Promise(resolve => setTimeout(resolve, 10));
        };
        await until(() => existsSync(join(volume, 'ready')));
        assert.equal(readdirSync(join(volume, 'inside')).join(), host, mode);
        mount('tmpfs', join(volume, 'outside'), 'tmpfs', 0, '');
        writeFileSync(join(volume, 'outside/mark'), '');
        writeFileSync(join(volume, 'go'), '');
        await until(() => container.output().endsWith('done\n'));
        umount2(join(volume, 'outside'), MNT_DETACH);
        assert.equal(container.output(), guest === '' ? 'done\n' : `${guest}\ndone\n`, mode);
        await container.end();
        for (const name of ['go', 'ready']) rmSync(join(volume, name));
      }
    } finally {
      umount2(volume, MNT_DETACH);
    }
  });

  it('keeps private what is private beside a shared mount', async () => {
    const volume = join(containers.bundle, 'shared-volume');
    mkdirSync(volume);
    native().mount(volume, volume, '', MS_BIND, '');
    try {
      native().mount('', volume, '', MS_SHARED, '');
      const { output } = await run(
        `awk '$5 == "/own" || $5 == "/kept" || $5 == "/proc" || $5 == "/theirs" { print $5, ($7 ~ /shared/) }' /proc/self/mountinfo`,
        {
          linux: { rootfsPropagation: 'shared' },
          mounts: [
            { destination: '/own', type: 'tmpfs', source: 'tmpfs' },
            { destination: '/kept', type: 'bind', source: volume, options: ['rbind', 'rprivate'] },
            { destination: '/theirs', type: 'bind', source: volume, options: ['rbind', 'rshared'] },
          ],
        },
      );
      assert.deepEqual(output.trim().split('\n').toSorted(), ['/kept 0', '/own 0', '/proc 0', '/theirs 1']);
    } finally {
      native().umount2(volume, MNT_DETACH);
    }
  });

  it('copies what was there into a tmpfs with tmpcopyup', async () => {
    mkdirSync(join(containers.rootfs, 'full'), { recursive: true });
    writeFileSync(join(containers.rootfs, 'full/file'), 'kept\n');
    chmodSync(join(containers.rootfs, 'full/file'), 0o640);
    const mounts: Mount[] = [{ destination: '/full', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }];
    const { output } = await run(
      'cat /full/file; stat -c %a /full/file; grep -c " /full tmpfs" /proc/mounts; rm /full/file',
      { mounts },
    );
    assert.equal(output, 'kept\n640\n1\n');
    assert.equal(readFileSync(join(containers.rootfs, 'full/file'), 'utf8'), 'kept\n');
  });

  it('takes an overlay for its root, seen by nobody else', async () => {
    for (const name of ['upper', 'work']) mkdirSync(join(containers.bundle, name), { recursive: true });
    const options = [
      `lowerdir=${containers.rootfs}`,
      `upperdir=${containers.bundle}/upper`,
      `workdir=${containers.bundle}/work`,
    ];
    const rootfs: Mount[] = [{ destination: '/', type: 'overlay', source: 'overlay', options }];
    const { output } = await run(
      'echo new >/etc/new; cat /etc/new; grep -c "^overlay / overlay" /proc/mounts',
      {},
      { rootfs },
    );
    assert.equal(output, 'new\n1\n');
    assert.equal(readFileSync(join(containers.bundle, 'upper/etc/new'), 'utf8'), 'new\n');
    assert.doesNotMatch(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(containers.bundle));
  });

  it('takes an overlay on a kernel that cannot take its layers one by one', async () => {
    for (const name of ['upper3', 'work3']) mkdirSync(join(containers.bundle, name), { recursive: true });
    const options = [
      `lowerdir=${containers.rootfs}`,
      `upperdir=${containers.bundle}/upper3`,
      `workdir=${containers.bundle}/work3`,
    ];
    const rootfs: Mount[] = [{ destination: '/', type: 'overlay', source: 'overlay', options }];
    const facts = { ...hostFacts(), kernel: [5, 15] as const };
    const { output } = await run(
      'echo new >/etc/new; cat /etc/new; grep "^overlay / " /proc/mounts',
      {},
      { rootfs, facts },
    );
    // Relative to the directory that the layers share.
    assert.match(output, /^new\noverlay \/ overlay \S*lowerdir=rootfs,upperdir=upper3,workdir=work3/);
  });

  it('can do without pivot_root, for a root on the initramfs', async () => {
    const { output } = await run(
      'ls -d /bin /usr /var 2>/dev/null; ls -d /../../usr 2>/dev/null; echo $$',
      {},
      { noPivot: true },
    );
    assert.equal(output, '/bin\n1\n');
  });

  it('may have a hundred lower directories', async () => {
    const layers = Array.from({ length: 100 }, (_, index) =>
      join(containers.bundle, `layer-with-a-rather-long-name-${index}`),
    );
    for (const [index, layer] of layers.entries()) {
      mkdirSync(join(layer, 'layers'), { recursive: true });
      writeFileSync(join(layer, 'layers', String(index)), '');
    }
    for (const name of ['upper2', 'work2']) mkdirSync(join(containers.bundle, name), { recursive: true });
    const options = [
      `lowerdir=${[...layers, containers.rootfs].join(':')}`,
      `upperdir=${containers.bundle}/upper2`,
      `workdir=${containers.bundle}/work2`,
    ];
    const rootfs: Mount[] = [{ destination: '/', type: 'overlay', source: 'overlay', options }];
    assert.equal((await run('ls /layers | wc -l', {}, { rootfs })).output, '100\n');
  });

  it('has a read-only root where the spec says so', async () => {
    const { output } = await run('touch /x; touch /dev/x && echo dev', {
      spec: { root: { path: 'rootfs', readonly: true } },
    });
    assert.match(output, /touch: \/x: Read-only file system/);
    assert.match(output, /^dev$/m);
  });

  it('hides masked paths and protects read-only ones', async () => {
    const { output } = await run(
      'wc -c </proc/keys; ls -A /sys/firmware | wc -l; echo 1 >/proc/sys/kernel/panic; echo 1 >/proc/irq/default_smp_affinity',
    );
    assert.match(output, /^0\n0\n/);
    assert.equal(output.match(/Read-only file system/g)?.length, 2);
  });
});
