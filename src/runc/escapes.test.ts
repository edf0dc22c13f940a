// The published ways out of containers, each as a test that fails when the defence is taken out.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { AT_FDCWD, native, runProgram } from '../launcher/index.ts';
import type { Mount } from '../oci/index.ts';
import { openCgroup } from './cgroups/cgroup.ts';
import { planCreate } from './create.ts';
import { S_IFIFO } from './numbers.ts';
import { cannotRun, TestContainers } from './testing/containers.ts';
import { baseSpec } from './testing/specs.ts';

describe('a container cannot escape', { skip: cannotRun }, () => {
  let containers: TestContainers;
  before(() => {
    containers = new TestContainers();
  });
  after(() => containers[Symbol.asyncDispose]());
  const run: TestContainers['run'] = (...args) => containers.run(...args);
  /** All mounts but those below these destinations. */
  const without = (...destinations: string[]) =>
    (baseSpec({}).mounts ?? []).filter(mount => !destinations.some(d => mount.destination.startsWith(d)));

  it('by writing to the runtime through /proc/PID/exe (CVE-2019-5736)', async () => {
    const fifo = join(containers.bundle, 'exec.fifo');
    native().mknodat(AT_FDCWD, fifo, S_IFIFO | 0o600, 0, 0);
    const { id, spec } = containers.spec({});
    const plan = planCreate({ id, spec, bundle: containers.bundle, stdio: 'inherit', startGate: 'fifo', fifo });
    const { pid } = await runProgram(plan.program, { stdio: [-1, -1, -1] });
    try {
      // What a container would reach is a copy in memory that nobody can change, not the file on the host.
      assert.match(readlinkSync(`/proc/${pid}/exe`), /^\/memfd:/);
      assert.throws(() => openSync(`/proc/${pid}/exe`, 'r+'), /EPERM|ETXTBSY|EACCES/);
    } finally {
      const cgroup = openCgroup(plan.cgroups);
      await cgroup.killAll(9);
      await cgroup.remove();
    }
  });

  it('by a working directory or a program behind a leaked descriptor (CVE-2024-21626)', async () => {
    for (let fd = 3; fd < 16; fd++) {
      await assert.rejects(run('true', { process: { cwd: `/proc/self/fd/${fd}` } }), `cwd ${fd}`);
      await assert.rejects(run('true', { process: { cwd: `/proc/self/fd/${fd}/../../..` } }), `cwd up from ${fd}`);
      await assert.rejects(run('', { process: { args: [`/proc/self/fd/${fd}/bin/busybox`, 'true'] } }), `args ${fd}`);
    }
    const { output } = await run('for f in /proc/self/fd/*; do echo "$f $(readlink $f)"; done');
    // 3 and up are the shell's own: the directory it lists, its pipe.
    assert.doesNotMatch(output, /host|berth|memfd|\/proc\/self\/fd\/(?:[4-9]|\d\d) \/(?!proc)/);
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    for (let fd = 3; fd < 16; fd++) {
      await assert.rejects(container.exec({ args: ['true'], cwd: `/proc/self/fd/${fd}` }), `exec cwd ${fd}`);
    }
    await container.end();
  });

  it('by links in the image on the way to a mount point (CVE-2021-30465)', async () => {
    const outside = join(containers.bundle, 'outside');
    mkdirSync(outside);
    symlinkSync(outside, join(containers.rootfs, 'absolute'));
    symlinkSync('../../../../../../../../'.repeat(4) + outside.slice(1), join(containers.rootfs, 'relative'));
    symlinkSync('/proc/self/root', join(containers.rootfs, 'magic'));
    for (const link of ['absolute', 'relative']) {
      const mounts: Mount[] = [
        { destination: `/${link}/dir`, type: 'tmpfs', source: 'tmpfs' },
        { destination: `/${link}/file`, type: 'bind', source: '/etc/hostname', options: ['bind'] },
      ];
      const { output } = await run(`grep -c " ${outside}" /proc/mounts`, { mounts });
      // The links lead, but from the container's own root.
      assert.equal(output, '2\n', link);
      assert.deepEqual(readdirSync(outside), []);
    }
    rmSync(join(containers.rootfs, 'tmp'), { recursive: true });
    mkdirSync(join(containers.rootfs, 'tmp'));
    const through: Mount[] = [{ destination: '/magic/dir', type: 'tmpfs', source: 'tmpfs' }];
    await assert.rejects(
      run('true', { mounts: through }),
      /too many levels of symbolic links|invalid cross-device link/,
    );
  });

  it('by a /dev/null that is something else (CVE-2025-31133)', async () => {
    const dev = join(containers.bundle, 'dev');
    mkdirSync(join(dev, 'pts'), { recursive: true });
    const mounts = [...without('/dev'), { destination: '/dev', type: 'bind', source: dev, options: ['rbind'] }];
    for (const make of [
      () => symlinkSync('/proc/sys/kernel/core_pattern', join(dev, 'null')),
      () => writeFileSync(join(dev, 'null'), ''),
    ]) {
      rmSync(join(dev, 'null'), { force: true });
      make();
      await assert.rejects(run('true', { spec: { mounts } }), /error opening \/dev\/null/);
    }
  });

  it('into a /dev of the host that is bound for it', async () => {
    const dev = join(containers.bundle, 'dev3');
    mkdirSync(join(dev, 'pts'), { recursive: true });
    native().mknodat(AT_FDCWD, join(dev, 'null'), 0o020666, 1, 3);
    for (const type of ['bind', 'none']) {
      const options = type === 'bind' ? ['rprivate'] : ['rbind'];
      const mounts = [...without('/dev'), { destination: '/dev', type, source: dev, options }];
      assert.equal((await run('ls /dev', { spec: { mounts } })).output, 'null\npts\n');
    }
    // Neither nodes nor links were made in it.
    assert.deepEqual(readdirSync(dev), ['null', 'pts']);
  });

  it('by a /dev/console that leads elsewhere (CVE-2025-52565)', async () => {
    const dev = join(containers.bundle, 'dev2');
    mkdirSync(join(dev, 'pts'), { recursive: true });
    native().mknodat(AT_FDCWD, join(dev, 'null'), 0o020666, 1, 3);
    symlinkSync('/proc/sys/kernel/core_pattern', join(dev, 'console'));
    const pts = baseSpec({}).mounts!.find(mount => mount.destination === '/dev/pts')!;
    const mounts = [...without('/dev'), { destination: '/dev', type: 'bind', source: dev, options: ['rbind'] }, pts];
    const consoleSocket = join(containers.bundle, 'c.sock');
    const server = createServer(socket => socket.resume());
    await new Promise<void>(resolve => server.listen(consoleSocket, resolve));
    try {
      await assert.rejects(
        run('true', { process: { args: ['true'], terminal: true }, spec: { mounts } }, { consoleSocket }),
        /unable to set up the console: too many levels of symbolic links/,
      );
    } finally {
      server.close();
    }
  });

  it('by redirecting what the runtime writes to procfs (CVE-2025-52881)', async () => {
    const fake = join(containers.rootfs, 'proc/sys/net/ipv4');
    mkdirSync(fake, { recursive: true });
    writeFileSync(join(fake, 'ip_forward'), 'fake');
    const mounts = [...without('/proc'), { destination: '/real', type: 'proc', source: 'proc' }];
    const { output } = await run('cat /real/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_forward', {
      spec: { mounts },
      linux: { sysctl: { 'net.ipv4.ip_forward': '1' }, readonlyPaths: [], maskedPaths: [] },
    });
    assert.equal(output, '1\nfake');
    rmSync(join(containers.rootfs, 'proc/sys'), { recursive: true });
    for (const destination of ['/proc/sys', '/proc/self/attr', '/proc/../proc/sys/kernel']) {
      await assert.rejects(
        run('true', { mounts: [{ destination, type: 'tmpfs', source: 'x' }] }),
        /cannot be mounted because it is inside \/proc/,
      );
    }
  });

  it('by a procfs or sysfs that the image sends elsewhere (CVE-2019-16884, CVE-2019-19921)', async () => {
    for (const name of ['proc', 'sys']) {
      const path = join(containers.rootfs, name);
      rmSync(path, { recursive: true });
      symlinkSync('/etc', path);
      try {
        await assert.rejects(
          run('true'),
          new RegExp(`error mounting "\\w+" to rootfs at "/${name}": too many levels of symbolic links`),
        );
      } finally {
        rmSync(path);
        mkdirSync(path);
      }
    }
  });

  it('by inheritable capabilities (CVE-2022-29162)', async () => {
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    for (const pid of ['1', 'self']) {
      const { output } = await container.exec({ args: ['grep', '^CapInh', `/proc/${pid}/status`] });
      assert.equal(output, 'CapInh:\t0000000000000000\n');
    }
    await container.end();
  });

  it('by the release_agent of its cgroups', async () => {
    const mounts: Mount[] = [
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] },
    ];
    const script = `for d in $(awk '$3 ~ /^cgroup/ {print $2}' /proc/mounts); do
      echo $d
      for f in release_agent notify_on_release cgroup.procs; do echo 1 >$d/$f && echo "wrote $d/$f"; done
    done`;
    const { output } = await run(script, { mounts });
    assert.match(output, /^\/sys\/fs\/cgroup/m);
    assert.doesNotMatch(output, /wrote/);
  });

  it('by core_pattern and other files of the kernel', async () => {
    const files = [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/vm/panic_on_oom',
      '/sys/kernel/uevent_helper',
    ];
    for (const file of files.filter(name => existsSync(name))) {
      const before = readFileSync(file, 'utf8');
      const { output } = await run(`echo x >${file} && echo wrote`);
      assert.doesNotMatch(output, /wrote/);
      assert.equal(readFileSync(file, 'utf8'), before);
    }
  });

  it("by the session keyring of the host's", async () => {
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    const id = container.spec.linux!.cgroupsPath!.split('/').at(-1);
    // Joined by the init alone, which then became the program.
    assert.match(readFileSync('/proc/keys', 'utf8'), new RegExp(` _ses\\.${id}: `));
    await container.end();
  });

  it('by way of the root that was before its own', async () => {
    const capabilities = {
      bounding: ['CAP_SYS_CHROOT', 'CAP_DAC_OVERRIDE'],
      effective: ['CAP_SYS_CHROOT', 'CAP_DAC_OVERRIDE'],
      permitted: ['CAP_SYS_CHROOT', 'CAP_DAC_OVERRIDE'],
    };
    const { output } = await run(
      'cd /../../..; ls -d usr var 2>/dev/null; cat /proc/self/mountinfo | awk \'{print $5}\' | grep -c "^/$"',
      { process: { capabilities } },
    );
    assert.equal(output, '1\n');
  });
});
