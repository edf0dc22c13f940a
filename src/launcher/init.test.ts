// berth-init, process 1 of a container started with --init.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { nativeFile, type Op } from './index.ts';
import { child, NEWNS, NEWPID, needsRoot, outputOf, privateMounts } from './probe.ts';

/** Runs a command under berth-init in a pid namespace. */
const underInit = (...args: string[]) =>
  outputOf(
    child(
      NEWNS | NEWPID,
      privateMounts,
      { op: 'fsmount', slot: 0, type: 'proc', source: 'proc', options: [], attributes: 14 },
      { op: 'moveMount', slot: 0, path: '/proc' },
      {
        op: 'exec',
        candidates: [nativeFile('berth-init')],
        args: ['/sbin/docker-init', ...args],
        env: ['PATH=/usr/bin:/bin'],
      } satisfies Op,
    ),
  );

describe('berth-init', { skip: needsRoot }, () => {
  test("ends with the command's code, or 128 and the signal", async () => {
    assert.equal((await underInit('--', 'sh', '-c', 'exit 42')).code, 42);
    assert.equal((await underInit('sh', '-c', 'kill -9 $$')).code, 137);
  });

  test('has the codes of a shell for a command that cannot run', async () => {
    const missing = await underInit('--', 'nonexistent');
    assert.equal(missing.code, 127);
    assert.match(missing.text, /exec nonexistent failed: No such file or directory/);
    assert.equal((await underInit('--', '/etc/passwd')).code, 126);
    assert.equal((await underInit()).code, 2);
  });

  test('passes signals on, even those that process 1 would ignore', async () => {
    const { text, code } = await underInit(
      '--',
      'sh',
      '-c',
      'trap "echo got it; exit 3" TERM; kill -TERM 1; sleep 5 & wait',
    );
    assert.deepEqual([text, code], ['got it\n', 3]);
  });

  test('reaps orphans, and gives the command signals at their defaults', async () => {
    const script =
      '(sh -c "sleep 0.01 &"); sleep 0.1; grep -l "State:.Z" /proc/[0-9]*/status; grep -E "Sig(Blk|Ign)" /proc/self/status';
    const { text, code } = await underInit('--', 'sh', '-c', script);
    assert.match(text, /^SigBlk:\s0+\nSigIgn:\s0+\n$/);
    assert.equal(code, 0);
  });
});
