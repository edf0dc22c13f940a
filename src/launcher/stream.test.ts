// Pipes, terminals and descriptors that travel, on the real kernel.
import assert from 'node:assert/strict';
import { mkdtempSync, readSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { native, type Op, runProgram } from './index.ts';
import { child, failureOf, needsRoot, outputOf, shell } from './probe.ts';

describe('streams', { skip: needsRoot }, () => {
  test('a pipe joins two processes', async () => {
    const { text } = await outputOf([
      { op: 'pipe', read: 0, write: 1, size: 1 << 20, uid: 1000, gid: 1000 },
      {
        op: 'clone',
        flags: 0,
        program: [{ op: 'dup', slot: 1, fd: 1 }, shell('echo through the pipe; stat -Lc "%u %g" /proc/self/fd/1')],
      },
      { op: 'await', peer: 'exec' },
      { op: 'close', slot: 1 },
      { op: 'clone', flags: 0, program: [{ op: 'dup', slot: 0, fd: 0 }, shell('cat')] },
      { op: 'await', peer: 'exec' },
    ]);
    assert.equal(text, 'through the pipe\n1000 1000\n');
  });

  test('dup moves away what the program still holds at that number', async () => {
    const open = (slot: number, path: string): Op => ({ op: 'open', slot, flags: 0, path });
    const { text } = await outputOf(
      child(
        0,
        ...Array.from({ length: 8 }, (_, i) => open(i, i === 0 ? '/proc/version' : '/dev/null')),
        ...[3, 4, 5, 6, 7, 8, 9, 10].map((fd): Op => ({ op: 'dup', slot: 0, fd })),
        open(9, '/dev/null'),
        shell('for fd in 3 4 5 6 7 8 9; do readlink /proc/self/fd/$fd; done'),
      ),
    );
    assert.equal(text, '/proc/version\n'.repeat(7));
  });

  test('a pseudo terminal becomes the controlling one of a session', async () => {
    const { text } = await outputOf([
      {
        op: 'clone',
        flags: 0,
        program: [
          { op: 'setsid' },
          { op: 'openPty', path: '/dev/ptmx', master: 0, slave: 1, rows: 33, columns: 99, uid: 0 },
          { op: 'sendFd', slot: 0 },
          { op: 'close', slot: 0 },
          { op: 'controllingTty', slot: 1 },
          ...[0, 1, 2].map((fd): Op => ({ op: 'dup', slot: 1, fd })),
          shell('stty size < /dev/tty; tty | grep -c pts'),
        ],
      },
      { op: 'receiveFd', slot: 5 },
      { op: 'await', peer: 'exec' },
      { op: 'clone', flags: 0, program: [{ op: 'dup', slot: 5, fd: 0 }, shell('cat 2>/dev/null || true')] },
      { op: 'await', peer: 'exec' },
    ]);
    assert.equal(text, '33 99\r\n1\r\n');
  });

  test('a descriptor is sent to a socket, as --console-socket wants it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-send-'));
    const socket = join(folder, 'socket');
    const server = createServer({ pauseOnConnect: true });
    try {
      await new Promise<void>(resolve => server.listen(socket, resolve));
      const accepted = new Promise<number>(resolve => {
        server.on('connection', connection => {
          const handle = (connection as unknown as { _handle: { fd: number } })._handle;
          resolve(native().dup(handle.fd));
          connection.destroy();
        });
      });
      await runProgram([
        { op: 'pipe', read: 0, write: 1, size: 0 },
        { op: 'sendFdTo', socket, slot: 0, data: '/dev/pts/0' },
        { op: 'write', path: '/proc/self/fd/5', data: 'sent along', tolerate: ['ENOENT', 'EACCES'] },
      ]);
      const connection = await accepted;
      const received = native().receiveFds(connection, 64, 4);
      assert.equal(received?.bytes.toString(), '/dev/pts/0');
      assert.equal(received?.fds.length, 1);
      readSync(received.fds[0]!, Buffer.alloc(64)); // the pipe, whatever it holds
      for (const fd of [connection, ...received.fds]) native().close(fd);
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
    assert.equal((await failureOf([{ op: 'sendFdTo', socket, slot: 0, data: '' }])).code, 'ENOENT');
  });

  test('the gate of a FIFO opens with a byte', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-gate-'));
    const path = join(folder, 'exec.fifo');
    try {
      const { text } = await outputOf([
        { op: 'mknod', path, mode: 0o10622, major: 0, minor: 0 },
        { op: 'open', slot: 0, path, flags: 2 },
        {
          op: 'clone',
          flags: 0,
          program: [{ op: 'notify', peer: 'parent' }, { op: 'awaitByte', slot: 0 }, shell('echo open')],
        },
        { op: 'await', peer: 'child' },
        { op: 'write', path, data: '0' },
        { op: 'await', peer: 'exec' },
      ]);
      assert.equal(text, 'open\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
