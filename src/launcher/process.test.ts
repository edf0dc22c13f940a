// Processes, namespaces, credentials and failures, on the real kernel.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { launcherBinary, type Op, type Program, runProgram } from './index.ts';
import {
  child,
  failureOf,
  NEWNET,
  NEWNS,
  NEWPID,
  NEWUSER,
  NEWUTS,
  needsRoot,
  outputOf,
  privateMounts,
  shell,
} from './probe.ts';

describe('processes', { skip: needsRoot }, () => {
  test('a child lives in the namespaces it was cloned into', async () => {
    const { text, code } = await outputOf(
      child(
        NEWNS | NEWPID | NEWUTS | NEWNET,
        privateMounts,
        { op: 'fsmount', slot: 0, type: 'proc', source: 'proc', options: [], attributes: 14 },
        { op: 'moveMount', slot: 0, path: '/proc' },
        { op: 'sethostname', name: 'launched' },
        { op: 'setdomainname', name: 'example' },
        shell(
          'echo $$ $(hostname) $(cat /proc/sys/kernel/domainname) $(ls /sys/class/net | wc -l) $(ls -d /proc/[0-9]* | wc -l); exit 7',
        ),
      ),
    );
    const [pid, host, domain, , processes] = text.trim().split(' ');
    assert.deepEqual([pid, host, domain, code], ['1', 'launched', 'example', 7]);
    assert.ok(Number(processes) <= 4, `${processes} processes are seen`);
  });

  test('parent and child wait for each other', async () => {
    const { text } = await outputOf([
      {
        op: 'clone',
        flags: NEWUTS,
        program: [
          { op: 'await', peer: 'parent' },
          { op: 'notify', peer: 'parent' },
          { op: 'await', peer: 'parent' },
          shell('echo both'),
        ],
      },
      { op: 'notify', peer: 'child' },
      { op: 'await', peer: 'child' },
      { op: 'notify', peer: 'child' },
      { op: 'await', peer: 'exec' },
    ]);
    assert.equal(text, 'both\n');
  });

  test('a process cloned with CLONE_PARENT takes the place of its intermediate', async () => {
    const { text, code } = await outputOf([
      {
        op: 'clone',
        flags: 0,
        program: [
          { op: 'clone', flags: 0x8000, program: [shell('echo $PPID; exit 5')] },
          { op: 'await', peer: 'exec' },
          { op: 'exit', code: 0 },
        ],
      },
      { op: 'await', peer: 'exec' },
    ]);
    assert.equal(code, 5, 'the code is that of the process, not of the intermediate');
    assert.match(text, /^\d+\n$/);
  });

  test('uid and gid maps are written from outside', async () => {
    const { text } = await outputOf([
      {
        op: 'clone',
        flags: NEWUSER,
        program: [
          { op: 'await', peer: 'parent' },
          { op: 'setgid', gid: 0 },
          { op: 'setuid', uid: 0 },
          shell('id -u; cat /proc/self/uid_map'),
        ],
      },
      { op: 'writeIdMap', file: 'uid_map', data: '0 100000 1000\n' },
      { op: 'writeIdMap', file: 'setgroups', data: 'deny' },
      { op: 'writeIdMap', file: 'gid_map', data: '0 100000 1000\n' },
      { op: 'notify', peer: 'child' },
      { op: 'await', peer: 'exec' },
    ]);
    assert.match(text, /^0\n\s+0\s+100000\s+1000\n$/);
  });

  test('credentials, limits and masks hold in the program', async () => {
    const { text } = await outputOf(
      child(
        0,
        { op: 'setsid' },
        { op: 'rlimit', resource: 7, soft: 100n, hard: 200n },
        { op: 'umask', mask: 0o27 },
        { op: 'capBounding', keep: 0b1n },
        { op: 'prctl', option: 8, args: [1] },
        { op: 'setgroups', gids: [10, 20] },
        { op: 'setgid', gid: 1234 },
        { op: 'setuid', uid: 4321 },
        { op: 'capset', effective: 1n, permitted: 1n, inheritable: 1n },
        { op: 'capAmbient', raise: 1n },
        { op: 'prctl', option: 38, args: [1, 0, 0, 0] },
        shell(
          'id -u; id -G; umask; ulimit -Sn; ulimit -Hn; grep -E "Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs" /proc/self/status',
        ),
      ),
    );
    const one = '0000000000000001';
    assert.deepEqual(text.split(/\s+/).filter(Boolean), [
      ...['4321', '1234', '10', '20', '0027', '100', '200'],
      ...['CapInh:', one, 'CapPrm:', one, 'CapEff:', one, 'CapBnd:', one, 'CapAmb:', one, 'NoNewPrivs:', '1'],
    ]);
  });

  test('a limit beyond the hard limit is clamped where that is asked for', async () => {
    const lower: Op = { op: 'rlimit', resource: 7, soft: 64n, hard: 64n };
    const raise = { op: 'rlimit', resource: 7, soft: 1_000_000_000_000n, hard: 1_000_000_000_000n } as const;
    const drop: Op = { op: 'capset', effective: 0n, permitted: 0n, inheritable: 0n };
    const { text } = await outputOf(child(0, lower, drop, { ...raise, clamp: true }, shell('ulimit -Sn; ulimit -Hn')));
    assert.equal(text, '64\n64\n');
    const failure = await failureOf(child(0, lower, drop, raise, shell('true')));
    assert.deepEqual([failure.path, failure.code], [[0, 2], 'EPERM']);
  });

  test('a seccomp filter decides over system calls', async () => {
    // ld [nr]; jeq mkdir/mkdirat → EACCES; allow. Numbers of this machine.
    const [mkdir, mkdirat] = process.arch === 'x64' ? [83, 258] : [34, 34];
    const instructions = [
      [0x20, 0, 0, 0],
      [0x15, 1, 0, mkdir],
      [0x15, 0, 1, mkdirat],
      [0x06, 0, 0, 0x00050000 | 13],
      [0x06, 0, 0, 0x7fff0000],
    ];
    const filter = Buffer.alloc(8 * instructions.length);
    instructions.forEach(([code, yes, no, k], i) => {
      filter.writeUInt16LE(code!, 8 * i);
      filter.writeUInt8(yes!, 8 * i + 2);
      filter.writeUInt8(no!, 8 * i + 3);
      filter.writeUInt32LE(k!, 8 * i + 4);
    });
    const { text } = await outputOf(
      child(0, { op: 'seccomp', filter, flags: 0 }, shell('mkdir /tmp/berth-never 2>&1')),
    );
    assert.match(text, /Permission denied/);
  });

  test('the session keyring is new', async () => {
    const keyring = (...ops: Op[]) => outputOf(child(0, ...ops, shell('cat /proc/self/status > /dev/null; echo ok')));
    assert.equal((await keyring({ op: 'joinSessionKeyring', name: '_ses.test', tolerate: ['ENOSYS'] })).text, 'ok\n');
  });
});

describe('exec', { skip: needsRoot }, () => {
  const tries = (...candidates: string[]) =>
    child(0, { op: 'exec', candidates, args: ['sh', '-c', 'echo $0 ran', 'it'], env: [] });

  test('takes the first candidate that can be executed', async () => {
    assert.equal(
      (await outputOf(tries('/nonexistent/sh', '/etc/passwd/sh', '/etc/passwd', '/bin/sh'))).text,
      'it ran\n',
    );
  });

  test('fails as execvp does', async () => {
    const code = async (...candidates: string[]) => (await failureOf(tries(...candidates))).code;
    assert.equal(await code('/nonexistent'), 'ENOENT');
    assert.equal(await code('/nonexistent', '/etc/passwd/x'), 'ENOENT');
    assert.equal(await code('/nonexistent', '/etc/passwd', '/nonexistent'), 'EACCES');
    assert.equal(await code('/etc/passwd'), 'EACCES');
  });

  test('tells a directory from what is forbidden', async () => {
    const failure = await failureOf(tries('/etc'));
    assert.deepEqual([failure.code, failure.detail], ['EACCES', 'is a directory']);
  });

  test('checkExec fails beforehand, and runs nothing', async () => {
    const check = (...candidates: string[]) => failureOf(child(0, { op: 'checkExec', candidates }, shell('true')));
    assert.equal((await check('/nonexistent', '/nonexistent2')).code, 'ENOENT');
    assert.equal((await check('/etc/passwd')).code, 'EACCES');
    assert.equal((await check('/etc')).detail, 'is a directory');
    assert.equal(
      (await outputOf(child(0, { op: 'checkExec', candidates: ['/nope', '/bin/sh'] }, shell('echo ok')))).text,
      'ok\n',
    );
  });

  test('a program has only its standard streams', async () => {
    const { text } = await outputOf(
      child(
        0,
        { op: 'open', slot: 0, flags: 0, path: '/etc/passwd' },
        { op: 'open', slot: 200, flags: 0, path: '/etc/group' },
        { op: 'pipe', read: 1, write: 2, size: 0 },
        { op: 'exec', candidates: ['/bin/ls'], args: ['ls', '/proc/self/fd'], env: [] },
      ),
    );
    assert.deepEqual(text.trim().split('\n'), ['0', '1', '2', '3'], '3 is the directory that ls reads');
  });

  test('a program has the descriptors that were given to the launcher', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-extra-'));
    const fds = ['one', 'two', 'output'].map(name => openSync(join(folder, name), 'w+'));
    try {
      const run = await runProgram(child(0, shell('echo first >&3; echo second >&4; ls /proc/self/fd')), {
        stdio: [-1, fds[2]!, 2],
        extra: fds.slice(0, 2),
        wait: true,
      });
      assert.equal((await run.exited)?.code, 0);
      const [one, two, output] = ['one', 'two', 'output'].map(name => readFileSync(join(folder, name), 'utf8'));
      assert.deepEqual([one, two, output], ['first\n', 'second\n', '0\n1\n2\n3\n4\n5\n']);
    } finally {
      fds.forEach(closeSync);
      rmSync(folder, { recursive: true });
    }
  });

  test('the launcher runs from sealed memory, which no container can reach on disk or change', async () => {
    const look: Op = {
      op: 'run',
      path: '/bin/sh',
      args: ['sh', '-c', 'readlink /proc/$PPID/exe >&2; exit 1'],
      env: ['PATH=/bin:/usr/bin'],
      stdin: '',
      timeoutMs: 5000,
    };
    assert.match((await failureOf([look])).detail, /\/memfd:berth \(deleted\)/);
    const change = await failureOf([{ op: 'open', slot: 0, path: '/proc/self/exe', flags: 1 }]);
    assert.equal(change.code, 'ETXTBSY');
    assert.throws(() => writeSync(launcherBinary(), 'x'), { code: 'EPERM' });
  });

  test('no signal is blocked or ignored', async () => {
    const { text } = await outputOf(child(0, shell('grep -E "Sig(Blk|Ign)" /proc/self/status')));
    assert.match(text, /SigBlk:\s0+\nSigIgn:\s0+\n/);
  });
});

describe('failures', { skip: needsRoot }, () => {
  const nowhere: Op = { op: 'chdir', path: '/nonexistent' };

  test('a failure names the op by its path, and its errno', async () => {
    const cases: [Program, number[]][] = [
      [[nowhere], [0]],
      [[{ op: 'umask', mask: 0 }, nowhere], [1]],
      [child(0, { op: 'setsid' }, nowhere), [0, 1]],
      [child(0, ...child(0, ...child(0, nowhere)), { op: 'exit', code: 0 }), [0, 0, 0, 0]],
    ];
    for (const [program, path] of cases) {
      const failure = await failureOf(program);
      assert.deepEqual([failure.path, failure.code, failure.detail], [path, 'ENOENT', '']);
    }
  });

  test('the message is in the words of whoever composed the op', async () => {
    const failure = await failureOf([
      { ...nowhere, failure: 'chdir to cwd ("/nonexistent") set in config.json failed' },
    ]);
    assert.equal(failure.message, 'chdir to cwd ("/nonexistent") set in config.json failed: no such file or directory');
    assert.equal((await failureOf([nowhere])).message, 'op 0 (chdir): no such file or directory');
  });

  test('a tolerated errno is no failure', async () => {
    const { text } = await outputOf(child(0, { ...nowhere, tolerate: ['EPERM', 'ENOENT'] }, shell('echo on')));
    assert.equal(text, 'on\n');
  });

  test('the death of a child without a word is ECHILD', async () => {
    const failure = await failureOf([
      { op: 'clone', flags: 0, program: [{ op: 'exit', code: 1 }] },
      { op: 'await', peer: 'child' },
    ]);
    assert.deepEqual([failure.path, failure.code], [[1], 'ECHILD']);
  });

  test("a child's failure is told rather than what it makes of the parent's own calls", async () => {
    const failure = await failureOf([
      { op: 'clone', flags: 0, program: [nowhere] },
      // By now the child is gone, or soon.
      { op: 'run', path: '/bin/sleep', args: ['sleep', '0.05'], env: [], stdin: '', timeoutMs: 5000 },
      { op: 'notify', peer: 'child' },
    ]);
    assert.deepEqual([failure.path, failure.code], [[0, 0], 'ENOENT']);
  });

  test('a child that waits does not outlive the failure of its parent', async () => {
    const marker = `berth-orphan-${process.pid}`;
    await failureOf([
      {
        op: 'clone',
        flags: 0,
        program: [
          { op: 'prctl', option: 4, args: [1] },
          { op: 'write', path: '/proc/self/comm', data: marker.slice(0, 15) },
          { op: 'notify', peer: 'parent' },
          { op: 'await', peer: 'parent' },
          { op: 'exit', code: 0 },
        ],
      },
      { op: 'await', peer: 'child' },
      nowhere,
    ]);
    await delay(20);
    const left = readdirSync('/proc').filter(pid => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === marker.slice(0, 15);
      } catch {
        return false;
      }
    });
    assert.deepEqual(left, []);
  });

  test('the words that only a shim knows fail without one', async () => {
    assert.equal((await failureOf([{ op: 'ready' }])).code, 'ENOSYS');
    assert.equal((await failureOf([{ op: 'stdio' }])).code, 'ENOSYS');
  });
});

describe('hooks', { skip: needsRoot }, () => {
  const hook = (script: string, more: Partial<Extract<Op, { op: 'run' }>> = {}): Op => ({
    op: 'run',
    path: '/bin/sh',
    args: ['sh', '-c', script],
    env: ['PATH=/usr/bin:/bin', 'X=y'],
    stdin: '',
    timeoutMs: 5000,
    ...more,
  });

  test('a hook gets its state with the pid put in', async () => {
    const stdin = `{"pid":@PID@,"pad":"${'x'.repeat(200_000)}"}`;
    const failure = await failureOf([
      {
        op: 'clone',
        flags: 0,
        program: [
          { op: 'await', peer: 'parent' },
          { op: 'exit', code: 0 },
        ],
      },
      hook('read -r line; echo "${#line} ${line%%,*} $X" >&2; exit 3', { stdin: `${stdin}\n`, pidToken: '@PID@' }),
    ]);
    assert.deepEqual([failure.path, failure.code], [[1], 'EIO']);
    assert.match(failure.detail, /^exit status 3, stdout: , stderr: 2000\d\d \{"pid":\d+ y\n$/);
  });

  test('a hook that does not read its state, and says much, ends well', async () => {
    const { text } = await outputOf([
      hook('head -c 300000 /dev/zero', { stdin: 'x'.repeat(300_000) }),
      ...child(0, shell('echo fine')),
    ]);
    assert.equal(text, 'fine\n');
  });

  test('a hook that takes too long is killed', async () => {
    const failure = await failureOf([hook('sleep 60', { timeoutMs: 50 })]);
    assert.match(failure.detail, /^timed out/);
  });

  test('a hook that is not there says so', async () => {
    assert.equal((await failureOf([hook('', { path: '/nonexistent' })])).code, 'ENOENT');
  });
});
