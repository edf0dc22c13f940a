import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonFileDecoder, laterThan } from './json-file-decoder.ts';

const line = (log: string, stream = 'stdout', time = '2026-11-24T14:22:10.969863964Z') =>
  `${JSON.stringify({ log, stream, time })}\n`;

const all = { stdout: true, stderr: true, timestamps: false, details: false, framed: false };

const decode = (text: string, options: Partial<ConstructorParameters<typeof JsonFileDecoder>[0]> = {}) =>
  new JsonFileDecoder({ ...all, ...options }).push(Buffer.from(text));

test('lines come out as they were written, escapes and all', () => {
  const texts = ['plain\n', 'tab\tquote"back\\slash/\n', 'ctrl\u0001\u001b[0m\r\n', 'ünïcode 漢字 😀\n', '\n', ''];
  assert.equal(decode(texts.map(text => line(text)).join('')).toString(), texts.join(''));
  const escaped =
    '{"log":"\\u003cb\\u003e\\u0026 \\ud83d\\ude00 \\u2028\\n","stream":"stdout","time":"2026-11-24T14:22:10Z"}\n';
  assert.equal(decode(escaped).toString(), '<b>& 😀 \u2028\n');
});

test('frames carry the stream and the length', () => {
  const out = decode(line('out\n') + line('err\n', 'stderr'), { framed: true });
  assert.deepEqual(
    [...out],
    [1, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from('out\n'), 2, 0, 0, 0, 0, 0, 0, 4, ...Buffer.from('err\n')],
  );
});

test('one stream alone, time stamps, details', () => {
  const text = line('out\n') + line('err\n', 'stderr');
  assert.equal(decode(text, { stdout: false }).toString(), 'err\n');
  assert.equal(decode(line('x\n'), { timestamps: true }).toString(), '2026-11-24T14:22:10.969863964Z x\n');
  const attributed = '{"log":"x\\n","stream":"stdout","attrs":{"b":"2","a":"1 2"},"time":"2026-11-24T14:22:10Z"}\n';
  assert.equal(decode(attributed, { details: true }).toString(), 'a=1%202,b=2 x\n');
  assert.equal(decode(attributed).toString(), 'x\n');
});

test('since and until compare instants whose fractions differ in length', () => {
  const times = [
    '2026-11-24T14:22:10Z',
    '2026-11-24T14:22:10.5Z',
    '2026-11-24T14:22:10.500000001Z',
    '2026-11-24T14:22:11Z',
  ];
  const text = times.map((time, i) => line(`${i}\n`, 'stdout', time)).join('');
  assert.equal(decode(text, { since: '2026-11-24T14:22:10.5Z' }).toString(), '1\n2\n3\n');
  assert.equal(decode(text, { until: '2026-11-24T14:22:10.5Z' }).toString(), '0\n1\n');
  assert.equal(laterThan('2026-11-24T14:22:10.1Z', '2026-11-24T14:22:10.09Z'), true);
});

test('pieces may be cut anywhere; what is no JSON is left out', () => {
  const text = `${line('one\n')}garbage\n${line('two é\n', 'stderr')}`;
  const bytes = Buffer.from(text);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const decoder = new JsonFileDecoder(all);
    const out = Buffer.concat([decoder.push(bytes.subarray(0, cut)), decoder.push(bytes.subarray(cut))]);
    assert.equal(out.toString(), 'one\ntwo é\n');
  }
});

test('several lines of one stream share a frame where that is asked for', () => {
  const out = decode(line('a\n') + line('b\n') + line('c\n', 'stderr') + line('d\n'), { framed: true, merged: true });
  const head = (stream: number, length: number) => [stream, 0, 0, 0, 0, 0, 0, length];
  const bytes = (text: string) => [...Buffer.from(text)];
  assert.deepEqual(
    [...out],
    [...head(1, 4), ...bytes('a\nb\n'), ...head(2, 2), ...bytes('c\n'), ...head(1, 2), ...bytes('d\n')],
  );
});
