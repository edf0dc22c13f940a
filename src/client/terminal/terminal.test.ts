import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachWatcher, parseDetachKeys } from './detach-keys.ts';
import { ProgressDisplay, progressBar } from './progress.ts';
import { RawOutputFilter } from './raw-output.ts';

test('detach keys are read, and refused in the words of Docker', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [0x10, 0x11]);
  assert.deepEqual([...parseDetachKeys('a,ctrl-@,ctrl-[')], [0x61, 0, 0x1b]);
  assert.throws(() => parseDetachKeys('ctrl-p,xx'), { message: "Unknown character: 'xx'" });
});

test('bytes that may begin the sequence wait for the next ones', () => {
  const watcher = new DetachWatcher(parseDetachKeys('ctrl-p,ctrl-q'));
  const push = (text: string): [string, boolean] => {
    const { send, detached } = watcher.push(Buffer.from(text));
    return [send.toString(), detached];
  };
  assert.deepEqual(push('ab\x10'), ['ab', false]);
  assert.deepEqual(push('c'), ['\x10c', false]);
  assert.deepEqual(push('\x10\x10'), ['\x10', false]);
  assert.deepEqual(push('\x11rest'), ['', true]);
});

test('output of a raw terminal looks the same on one that adds carriage returns', () => {
  const filter = new RawOutputFilter();
  const push = (text: string): string => filter.push(Buffer.from(text)).toString();
  assert.equal(push('a\r\nb\nc'), 'a\nb\x1bDc');
  assert.equal(push('x\r'), 'x\r');
  assert.equal(push('\ny'), '\ny');
  assert.equal(push('\n\n'), '\x1bD\x1bD');
});

test('a progress bar shows its size only where there is room', () => {
  assert.equal(
    progressBar({ current: 1000, total: 4000 }, 200, 0),
    `[${'='.repeat(12)}>${' '.repeat(38)}]      1kB/4kB`,
  );
  assert.equal(progressBar({ current: 1000, total: 4000 }, 80, 0), '     1kB/4kB');
  assert.equal(progressBar({ current: 2000 }, 80, 0), '     2kB');
  assert.equal(progressBar({ current: 3, total: 4, units: 'steps' }, 80, 0), '3/4 steps');
  assert.equal(progressBar({}, 80, 0), '');
});

test('on a terminal each id keeps its line', () => {
  let out = '';
  const display = new ProgressDisplay(text => {
    out += text;
  }, 80);
  display.show({ status: 'Pulling from library/x', id: 'latest' });
  display.show({ status: 'Waiting', id: 'a', progressDetail: {} });
  display.show({ status: 'Waiting', id: 'b', progressDetail: {} });
  display.show({ status: 'Done', id: 'a', progressDetail: {} });
  assert.equal(
    out,
    'latest: Pulling from library/x\n' +
      '\n\x1b[1A\x1b[2K\ra: Waiting \r\x1b[1B' +
      '\n\x1b[1A\x1b[2K\rb: Waiting \r\x1b[1B' +
      '\x1b[2A\x1b[2K\ra: Done \r\x1b[2B',
  );
});
