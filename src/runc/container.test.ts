import assert from 'node:assert/strict';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { NetlinkSocket, native } from '../launcher/index.ts';
import { addAddress, createLink, decodeLink, deleteLink, getLink, NetlinkClient, protocol } from '../netlink/index.ts';
import { openCgroup } from './cgroups/cgroup.ts';
import { cannotRun, TestContainers } from './testing/containers.ts';
import { baseSpec } from './testing/specs.ts';

const lines = (text: string) => text.trim().split('\n');

describe('a container', { skip: cannotRun }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());
  const run: TestContainers['run'] = (...args) => containers.run(...args);

  it('is alone in its namespaces, with its own name and root', async () => {
    const { code, output } = await run('echo $$; hostname; ls /; ls /sys/class/net; ps | wc -l');
    assert.equal(code, 0);
    const [pid, name] = lines(output);
    assert.equal(pid, '1');
    assert.equal(name, 'box');
    assert.match(output, /^lo$/m);
    assert.doesNotMatch(output, /^(eth0|usr|var)$/m);
  });

  it('ends with the code of its program', async () => {
    assert.equal((await run('exit 7')).code, 7);
    assert.equal(
      (await run('kill -9 $$; sleep 1', { process: { args: ['sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?'] } })).code,
      137,
    );
  });

  it('has the default devices and links', async () => {
    const { output } = await run(
      'ls -l /dev; echo x >/dev/null; head -c 3 /dev/zero | wc -c; for l in fd ptmx stdout; do readlink /dev/$l; done',
    );
    for (const name of ['null', 'zero', 'full', 'random', 'urandom', 'tty'])
      assert.match(output, new RegExp(`^crw-rw-rw-.* ${name}$`, 'm'));
    assert.deepEqual(lines(output).slice(-4), ['3', '/proc/self/fd', 'pts/ptmx', '/proc/self/fd/1']);
  });

  it('makes the devices of its spec with their owners and modes', async () => {
    const device = { path: '/dev/sub/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o640, uid: 3, gid: 4 };
    const { output } = await run('stat -c "%a %u %g %t:%T" /dev/sub/fuse', { linux: { devices: [device] } });
    assert.equal(output, '640 3 4 a:e5\n');
  });

  it('sets sysctls of its own namespaces, and refuses those of the host', async () => {
    const linux = (sysctl: Record<string, string>) => ({ linux: { sysctl } });
    assert.equal(
      (
        await run(
          'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni',
          linux({ 'net.ipv4.ip_forward': '1', 'kernel.shmmni': '77' }),
        )
      ).output,
      '1\n77\n',
    );
    await assert.rejects(
      run('true', linux({ 'kernel.core_pattern': '|/bin/sh' })),
      /sysctl "kernel.core_pattern" is not in a separate kernel namespace/,
    );
    await assert.rejects(
      run('true', linux({ 'net.ipv4.ip_forward': 'bad' })),
      /failed to write sysctl net.ipv4.ip_forward = "bad": invalid argument/,
    );
    await assert.rejects(
      run('true', linux({ 'net.foo': '1' })),
      /failed to write sysctl net.foo = "1": no such file or directory/,
    );
    await assert.rejects(run('true', linux({ 'net/../kernel/panic': '1' })), /invalid sysctl name/);
  });

  it('runs as its user, with its groups, umask, directory and environment', async () => {
    const process = {
      user: { uid: 1000, gid: 100, additionalGids: [5, 20], umask: 0o27 },
      cwd: '/made/here',
      env: ['PATH=/bin', 'A=b c'],
    };
    const { output } = await run(
      'id -u; id -g; id -G; umask; pwd; echo "$A"; stat -c "%a %u" .; grep -E "^Cap(Eff|Prm|Bnd)" /proc/self/status',
      { process },
    );
    assert.deepEqual(lines(output).slice(0, 7), ['1000', '100', '100 5 20', '0027', '/made/here', 'b c', '755 0']);
    assert.match(output, /^CapEff:\t0{16}$/m);
    assert.match(output, /^CapBnd:\t00000000000004e3$/m);
  });

  it('has exactly the capabilities of its spec', async () => {
    const capabilities = {
      bounding: ['CAP_CHOWN', 'CAP_KILL'],
      permitted: ['CAP_CHOWN', 'CAP_KILL'],
      effective: ['CAP_KILL'],
      inheritable: ['CAP_KILL'],
      ambient: ['CAP_KILL'],
    };
    const { output } = await run('grep ^Cap /proc/self/status', {
      process: { user: { uid: 5, gid: 5 }, capabilities },
    });
    assert.match(output, /CapInh:\t0{14}20\nCapPrm:\t0{14}20\nCapEff:\t0{14}20\nCapBnd:\t0{14}21\nCapAmb:\t0{14}20/);
  });

  it('has its limits, clamped where the machine gives no more', async () => {
    const rlimits = [
      { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
      { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
    ];
    const { output } = await run('ulimit -n; ulimit -Hn', { process: { rlimits } });
    assert.equal(output, '100\n200\n');
  });

  it('cannot gain privileges with noNewPrivileges, and obeys its seccomp profile either way', async () => {
    const seccomp = {
      defaultAction: 'SCMP_ACT_ALLOW' as const,
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' as const, errnoRet: 95 }],
    };
    for (const noNewPrivileges of [true, false]) {
      const { output } = await run('grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status; mkdir /tmp/x', {
        process: { noNewPrivileges },
        linux: { seccomp },
      });
      assert.match(output, new RegExp(`NoNewPrivs:\t${noNewPrivileges ? 1 : 0}\nSeccomp:\t2`));
      assert.match(output, /mkdir: can't create directory '\/tmp\/x': Operation not supported/);
    }
  });

  it('hands the listener of its seccomp profile to the agent, with its state', async () => {
    const listenerPath = join(containers.bundle, 'agent.sock');
    const server = createServer({ pauseOnConnect: true });
    await new Promise<void>(resolve => server.listen(listenerPath, resolve));
    const received = new Promise<{ text: string; fds: number }>(resolve => {
      server.on('connection', async socket => {
        const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
        for (;;) {
          const message = native().receiveFds(fd, 8192, 4);
          if (message !== null) {
            for (const one of message.fds) native().close(one);
            socket.destroy();
            return resolve({ text: message.bytes.toString(), fds: message.fds.length });
          }
          await new Promise(wait => setTimeout(wait, 2));
        }
      });
    });
    try {
      for (const noNewPrivileges of [true, false]) {
        const syscalls = [{ names: ['swapon'], action: 'SCMP_ACT_NOTIFY' as const }];
        const seccomp = { defaultAction: 'SCMP_ACT_ALLOW' as const, listenerPath, listenerMetadata: 'meta', syscalls };
        assert.equal((await run('exit 4', { process: { noNewPrivileges }, linux: { seccomp } })).code, 4);
      }
      const { text, fds } = await received;
      const state = JSON.parse(text) as {
        fds: string[];
        pid: number;
        metadata: string;
        state: { status: string; pid: number };
      };
      assert.equal(fds, 1);
      assert.ok(state.pid > 1 && state.pid < 5_000_000 && state.state.pid === state.pid, text);
      assert.deepEqual([state.fds, state.metadata, state.state.status], [['seccompFd'], 'meta', 'creating']);
    } finally {
      server.close();
    }
  });

  it('joins its cgroups with its limits, and cannot leave the machine', async () => {
    const resources = { memory: { limit: 32 << 20 }, pids: { limit: 17 }, cpu: { quota: 50000, period: 100000 } };
    const container = await containers.start({ process: { args: ['sleep', '100'] }, linux: { resources } });
    const cgroup = openCgroup(container.cgroups);
    const stats = cgroup.stats();
    assert.equal(stats.memory.limit, 32 << 20);
    assert.equal(stats.pids.limit, 17);
    assert.equal(stats.pids.current, 1);
    assert.deepEqual(cgroup.pids(), [container.pid]);
    cgroup.update({ memory: { limit: 64 << 20, swap: 64 << 20 }, pids: { limit: 30 } });
    assert.equal(cgroup.stats().memory.limit, 64 << 20);
    cgroup.update({ memory: { limit: 16 << 20, swap: 16 << 20 } });
    assert.equal(cgroup.stats().memory.limit, 16 << 20);
    assert.equal(cgroup.stats().pids.limit, 30);
    await cgroup.freeze();
    assert.equal(cgroup.frozen(), true);
    await cgroup.thaw();
    assert.equal(cgroup.frozen(), false);
    assert.equal((await container.end()).code, 137);
    assert.equal(cgroup.exists(), false);
  });

  it('is killed when it takes more memory than it may', async () => {
    const resources = { memory: { limit: 8 << 20, swap: 8 << 20 } };
    const { code } = await run('dd if=/dev/zero of=/dev/null bs=64M count=1; exit $?', { linux: { resources } });
    assert.equal(code, 137);
  });

  it('refuses devices that its rules do not allow', async () => {
    const rules = [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c', major: 1, minor: 5, access: 'r' },
    ];
    const { output } = await run('mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg; head -c 1 /dev/zero | wc -c', {
      process: {
        capabilities: {
          ...baseSpec({}).process!.capabilities,
          effective: ['CAP_MKNOD'],
          permitted: ['CAP_MKNOD'],
          bounding: ['CAP_MKNOD'],
        },
      },
      linux: { resources: { devices: rules } },
    });
    assert.match(output, /head: \/tmp\/kmsg: Operation not permitted/);
    assert.match(output, /^1$/m);
  });

  it('shares the namespaces it joins', async () => {
    const first = await containers.start({
      process: {
        args: ['sh', '-c', 'hostname shared; sleep 100'],
        capabilities: { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] },
      },
    });
    const path = (name: string) => `/proc/${first.pid}/ns/${name}`;
    const namespaces = [
      { type: 'mount' as const },
      { type: 'uts' as const, path: path('uts') },
      { type: 'network' as const, path: path('net') },
      { type: 'pid' as const, path: path('pid') },
      { type: 'ipc' as const, path: path('ipc') },
    ];
    const { output } = await run('ps; readlink /proc/self/ns/net', {
      linux: { namespaces },
      spec: { hostname: '' },
    });
    assert.match(output, /1 0 +sleep 100|1 0 .*hostname shared/);
    assert.equal(lines(output).at(-1), readlinkSync(path('net')));
    await first.end();
  });

  it('gets interfaces of the host, with their addresses', async () => {
    using client = new NetlinkClient(new NetlinkSocket(protocol.route));
    const outer = `rnc${process.pid % 100000}a`;
    const peer = `rnc${process.pid % 100000}b`;
    client.send([createLink({ name: outer }, { kind: 'veth', peer: { name: peer } })]);
    try {
      const { index } = decodeLink(client.send([getLink({ name: outer })])[0]!);
      client.send([addAddress({ index, address: '10.99.1.2', prefixLength: 24 })]);
      const { output } = await run(
        'ls /sys/class/net | grep -v lo; cat /proc/net/fib_trie | grep -c "10.99.1.2"; cat /sys/class/net/eth0/flags',
        {
          linux: { netDevices: { [outer]: { name: 'eth0' } } },
        },
      );
      assert.match(output, /^eth0\n[1-9]\d*\n0x1003\n$/);
      await assert.rejects(
        run('true', { linux: { netDevices: { nosuch0: {} } } }),
        /link not found for interface nosuch0/,
      );
    } finally {
      // It went with the container's namespace, and its peer with it.
      client.exchange([deleteLink({ name: peer })]);
    }
  });

  it('has clocks of its own with time offsets', async () => {
    const namespaces = [...baseSpec({}).linux!.namespaces!, { type: 'time' as const }];
    const { output } = await run('cat /proc/uptime', {
      linux: { namespaces, timeOffsets: { boottime: { secs: 1_000_000 } } },
    });
    assert.ok(Number(output.split(' ')[0]) > 1_000_000, output);
  });

  it("gets told apart by runc's words when it cannot start", async () => {
    writeFileSync(join(containers.rootfs, 'bin/noexec'), 'x');
    const start = (args: string[], more: Parameters<typeof baseSpec>[0]['process'] = {}) =>
      run('', { process: { ...more, args } });
    const failures: readonly (readonly [string[], string, object?])[] = [
      [['nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
      [['noexec'], 'exec: "noexec": executable file not found in $PATH'],
      [['/x'], 'exec: "/x": stat /x: no such file or directory'],
      [['/etc'], 'exec: "/etc": is a directory: permission denied'],
      [['/bin/noexec'], 'exec: "/bin/noexec": permission denied'],
      [['./x'], 'exec: "./x": stat ./x: no such file or directory'],
    ];
    for (const [args, message, more] of failures) {
      await assert.rejects(start(args, { env: ['PATH=/usr/bin:/bin'], ...more }), {
        message: `error during container init: ${message}`,
      });
    }
    await assert.rejects(start(['true'], { cwd: '/bin/busybox' }), /(mkdir|chdir).*\/bin\/busybox.*not a directory/);
    await assert.rejects(
      run('true', { mounts: [{ destination: '/x', type: 'bind', source: '/no/such/source', options: ['rbind'] }] }),
      {
        message:
          'error during container init: error mounting "/no/such/source" to rootfs at "/x": no such file or directory',
      },
    );
    await assert.rejects(
      run('true', { mounts: [{ destination: '/bin', type: 'bind', source: '/etc/hostname', options: ['rbind'] }] }),
      /error mounting "\/etc\/hostname" to rootfs at "\/bin": not a directory: Are you trying to mount a directory onto a file/,
    );
  });

  it('leaves nothing behind when it cannot start', async () => {
    const before = readFileSync('/proc/self/mounts', 'utf8');
    await assert.rejects(run('', { process: { args: ['nosuch'] } }));
    assert.equal(readFileSync('/proc/self/mounts', 'utf8'), before);
  });
});
