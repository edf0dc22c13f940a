// Others' engines with our runtime: podman and containerd of Debian, in a root file system of their own (ORACLE_DIR), started for the test
// alone. Skipped where that is missing: `npm test` says so.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const oracle = process.env.ORACLE_DIR ?? '/var/tmp/oracle';
const root = join(oracle, 'rootfs');
const checkout = join(import.meta.dirname, '../..');
const has = (program: string) => ['usr/bin', 'usr/sbin'].some(directory => existsSync(join(root, directory, program)));
const missing = (...programs: string[]) =>
  process.geteuid?.() !== 0
    ? 'needs root'
    : !existsSync('/bin/busybox')
      ? 'needs a static busybox'
      : programs.every(has)
        ? false
        : `needs ${programs.join(' and ')} below ${root} (ORACLE_DIR)`;

/** The checkout is at /mnt in there, and what is written to /run and /var/tmp goes with the mount namespace. */
const enter = `
set -e
mount --make-rslave /
mount --bind "$ROOT" "$ROOT"; mount --bind "$CHECKOUT" "$ROOT/mnt"; cd "$ROOT"
mkdir -p old
mount --bind /proc proc; mount --rbind /sys sys; mount --rbind /dev dev
mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs var/tmp; mkdir -p run/lock
pivot_root . old; cd /; umount -l /old; mount --make-rshared /
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/var/tmp LANG=C.UTF-8 PODMAN_IGNORE_CGROUPSV1_WARNING=1 bash -c "$SCRIPT"
`;

/** Runs a script in there; sections of its output begin with "== name". */
async function inside(script: string): Promise<Record<string, string>> {
  const child = spawn('unshare', ['-m', '--propagation', 'slave', 'bash', '-c', enter], {
    env: { ...process.env, ROOT: root, CHECKOUT: checkout, SCRIPT: script },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', data => {
      text += data;
    });
  }
  await new Promise(resolve => child.on('close', resolve));
  const sections = text.split(/^== /m).slice(1);
  assert.ok(sections.length > 0, text);
  return Object.fromEntries(
    sections.map(section => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n') + 1)]),
  );
}

/** Deepest first; what is not there is nobody's. */
function removeCgroups(directory: string): void {
  if (!existsSync(directory)) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroups(join(directory, entry.name));
  }
  rmdirSync(directory);
}

describe("our runtime in others' engines", () => {
  let bundle: string;
  const name = `rnc-engines-${process.pid}`;
  before(() => {
    if (missing() !== false) return;
    bundle = mkdtempSync(join(root, 'tmp', 'rnc-'));
    // An image's root is open to all users.
    chmodSync(bundle, 0o755);
    for (const directory of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc']) mkdirSync(join(bundle, directory));
    cpSync('/bin/busybox', join(bundle, 'bin/busybox'));
    for (const applet of ['sh', 'id', 'sleep', 'cat', 'echo', 'grep', 'hostname'])
      symlinkSync('busybox', join(bundle, 'bin', applet));
  });
  after(() => {
    if (bundle !== undefined) rmSync(bundle, { recursive: true, force: true });
    const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
    const hierarchies = unified ? ['.'] : readdirSync('/sys/fs/cgroup');
    for (const hierarchy of hierarchies) removeCgroups(join('/sys/fs/cgroup', hierarchy, name));
  });

  it('podman runs, executes, pauses, logs, stops and removes', {
    skip: missing('podman', 'conmon'),
    timeout: 110_000,
  }, async () => {
    const output = await inside(`
      P="podman --root /var/tmp/pod --runroot /run/pod --cgroup-manager cgroupfs --runtime /mnt/bin/berth-runc --storage-driver vfs --events-backend file"
      R="--network none --cgroup-parent /${name}"
      tar -C ${bundle.slice(root.length)} -cf /var/tmp/b.tar . && $P import -q /var/tmp/b.tar box >/dev/null
      echo "== run"; $P run --rm $R box sh -c 'echo $$; id -u; exit 3'; echo $?
      echo "== missing"; $P run --rm $R box nosuch; echo $?
      echo "== detached"; $P run -d --name a $R box sh -c 'echo logged; sleep 1000' >/dev/null; $P ps --format '{{.Names}} {{.State}}'
      echo "== exec"; $P exec -u 5:6 -w /tmp -e X=y a sh -c 'id -u; id -g; pwd; echo $X; exit 4'; echo $?
      echo "== pause"; $P pause a >/dev/null; $P ps -a --format '{{.State}}'; $P unpause a >/dev/null; $P ps --format '{{.State}}'
      echo "== logs"; $P logs a
      echo "== stop"; $P stop -t 0 a >/dev/null 2>&1; $P ps -a --format '{{.State}} {{.ExitCode}}'
      echo "== rm"; $P rm a >/dev/null; $P ps -aq
      echo "== options"; $P run --rm $R --memory 32m --pids-limit 20 --read-only --cap-drop all --user 5:6 --tmpfs /x --ulimit nofile=100 --hostname hh --sysctl net.ipv4.ip_forward=1 box sh -c 'id -u; ulimit -n; hostname; cat /proc/sys/net/ipv4/ip_forward; grep CapEff /proc/self/status; echo >/y'
      rm -rf /var/tmp/pod/* 2>/dev/null
    `);
    assert.equal(output.run, '1\n0\n3\n');
    assert.match(output.missing!, /executable file not found in \$PATH[\s\S]*^127$/m);
    assert.equal(output.detached, 'a running\n');
    assert.equal(output.exec, '5\n6\n/tmp\ny\n4\n');
    assert.equal(output.pause, 'paused\nrunning\n');
    assert.equal(output.logs, 'logged\n');
    assert.equal(output.stop, 'exited 137\n');
    assert.equal(output.rm, '');
    assert.match(output.options!, /^5\n100\nhh\n1\nCapEff:\t0{16}\n.*Read-only file system/);
  });

  it('containerd runs, executes, pauses, kills and deletes', {
    skip: missing('containerd', 'ctr', 'containerd-shim-runc-v2'),
    timeout: 110_000,
  }, async () => {
    const output = await inside(`
      mkdir -p /run/ctd; cat >/run/ctd/c.toml <<X
version = 3
root = "/var/tmp/ctd"
state = "/run/ctd/state"
disabled_plugins = ["io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/ctd/c.sock"
X
      containerd -c /run/ctd/c.toml >/run/ctd/log 2>&1 & pid=$!
      for i in $(seq 200); do [ -S /run/ctd/c.sock ] && break; sleep 0.05; done
      C="ctr -a /run/ctd/c.sock -n ${name}"
      R="--runc-binary /mnt/bin/berth-runc --rootfs ${bundle.slice(root.length)}"
      echo "== run"; $C run --rm $R one /bin/sh -c 'echo $$; exit 3'; echo $?
      echo "== missing"; $C run --rm $R two nosuch; echo $?
      echo "== detached"; $C run -d $R three /bin/sleep 1000; $C task ls | grep -o 'three.*RUNNING' | grep -o RUNNING
      echo "== exec"; $C task exec --exec-id e three /bin/sh -c 'echo in; exit 5'; echo $?
      echo "== pause"; $C task pause three; $C task ls | grep -o PAUSED; $C task resume three; $C task ls | grep -o RUNNING
      echo "== metrics"; $C task metrics three | grep -c memory.usage_in_bytes
      echo "== kill"; $C task kill -s KILL three; for i in $(seq 100); do $C task ls | grep -q STOPPED && break; sleep 0.05; done; $C task ls | grep -o STOPPED
      $C task rm three 2>/dev/null; $C container rm three; echo "== rm"; $C task ls -q; $C container ls -q
      kill $pid; wait $pid
    `);
    assert.equal(output.run, '1\n3\n');
    assert.match(
      output.missing!,
      /OCI runtime create failed: runc create failed: unable to start container process: .*executable file not found in \$PATH/,
    );
    assert.equal(output.detached, 'RUNNING\n');
    assert.equal(output.exec, 'in\n5\n');
    assert.equal(output.pause, 'PAUSED\nRUNNING\n');
    assert.equal(output.metrics, '1\n');
    assert.equal(output.kill, 'STOPPED\n');
    assert.equal(output.rm, '');
  });
});
