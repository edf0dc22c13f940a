// What must hold for any input: decoders do not care how bytes are cut, and parsers refuse rubbish in their own words.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameDemultiplexer, frame, type StreamType } from '../../api/index.ts';
import { EngineError } from '../../errdefs/index.ts';
import { readTar } from '../archive/tar-reader.ts';
import { tarEnd, tarFile } from '../archive/tar-writer.ts';
import { parseLine, splitCommas, UsageError } from '../command/flags.ts';
import { createFlags } from '../container/create-flags.ts';
import { alignTable } from '../format/table.ts';
import { ChunkedDecoder } from '../http/chunked.ts';
import { parseReference } from '../image/reference.ts';
import { asMap, evaluate, parse, TemplateError } from '../template/index.ts';
import { Random } from './random.ts';

test('frames: any payloads, cut anywhere', () => {
  const random = new Random(1);
  for (let round = 0; round < 60; round++) {
    const sent = Array.from(
      { length: random.below(30) },
      () => [1 + random.below(2), random.bytes(random.below(random.pick([50, 50, 9000])))] as const,
    );
    const got: Record<number, string> = { 1: '', 2: '' };
    const order: number[] = [];
    const demultiplexer = new FrameDemultiplexer((stream, payload) => {
      got[stream] += payload.toString('hex');
      if (order.at(-1) !== stream) order.push(stream);
    });
    const wire = Buffer.concat(sent.map(([stream, payload]) => frame(stream as StreamType, payload)));
    for (const piece of random.pieces(wire)) demultiplexer.push(piece);
    for (const stream of [1, 2]) {
      assert.equal(
        got[stream],
        sent
          .filter(([of]) => of === stream)
          .map(([, payload]) => payload.toString('hex'))
          .join(''),
      );
    }
    const expected = sent.filter(([, payload]) => payload.length > 0).map(([stream]) => stream);
    assert.deepEqual(
      order,
      expected.filter((stream, i) => stream !== expected[i - 1]),
    );
    assert.ok(demultiplexer.atBoundary);
  }
});

test('chunked coding: any chunks, cut anywhere, and what follows is left alone', () => {
  const random = new Random(2);
  for (let round = 0; round < 200; round++) {
    const chunks = Array.from({ length: random.below(20) }, () => random.bytes(1 + random.below(40)));
    const coded = chunks.flatMap(chunk => [
      Buffer.from(`${chunk.length.toString(16)}${random.pick(['', ';a=b', ' '])}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]);
    const wire = Buffer.concat([
      ...coded,
      Buffer.from(`0\r\n${random.pick(['', 'A: b\r\n'])}\r\n`),
      Buffer.from('NEXT'),
    ]);
    const decoder = new ChunkedDecoder();
    const data: Buffer[] = [];
    const rest: Buffer[] = [];
    for (const piece of random.pieces(wire)) {
      if (decoder.done) rest.push(piece);
      else {
        data.push(Buffer.from(decoder.push(piece)));
        if (decoder.done) rest.push(Buffer.from(decoder.rest));
      }
    }
    assert.equal(Buffer.concat(data).toString('hex'), Buffer.concat(chunks).toString('hex'));
    assert.equal(Buffer.concat(rest).toString(), 'NEXT');
  }
});

test('tar: damaged anywhere, it is read or refused', async () => {
  const random = new Random(3);
  const whole = Buffer.concat([
    tarFile('a', Buffer.from('hello')),
    tarFile(`${'long'.repeat(40)}`, Buffer.alloc(700, 7)),
    tarEnd,
  ]);
  for (let round = 0; round < 300; round++) {
    const damaged = Buffer.from(whole);
    for (let i = random.below(8); i >= 0; i--) damaged[random.below(damaged.length)] = random.below(256);
    const pieces = async function* (): AsyncGenerator<Buffer> {
      yield* random.pieces(damaged.subarray(0, random.below(damaged.length) + 1));
    };
    try {
      for await (const entry of readTar(pieces())) for await (const _ of entry.content());
    } catch (err) {
      assert.ok(err instanceof EngineError, String(err));
    }
  }
});

test('templates: anything is a template or refused as none', () => {
  const random = new Random(4);
  const pieces = [
    '{{',
    '}}',
    '.',
    '.A',
    '.B.C',
    '$x',
    ':=',
    '=',
    '|',
    '(',
    ')',
    '"s"',
    '`r`',
    "'c'",
    '1',
    '-2.5',
    ' ',
    'if ',
    'else ',
    'end',
    'range ',
    'with ',
    'len ',
    'eq ',
    'printf ',
    'index ',
    'json ',
    'nil',
    'true',
    '-',
    '/*',
    '*/',
    'text',
    '\n',
    '"',
    'break',
    'define "t"',
    'template "t" .',
    '$',
    ',',
    'and ',
    'not ',
  ];
  const data = { A: 'a', B: asMap({ C: [1, 2] }), M: (text: string) => text };
  for (let round = 0; round < 5000; round++) {
    const source = random.text(pieces, 14);
    try {
      evaluate(parse(source), data);
    } catch (err) {
      if (err instanceof TemplateError) continue;
      assert.fail(`${JSON.stringify(source)}: ${(err as Error).stack}`);
    }
  }
});

test('command lines: anything is read or refused as a usage error', () => {
  const random = new Random(5);
  const words = [
    '-',
    '--',
    '-i',
    '-it',
    '-p',
    '80',
    '--name',
    '--name=',
    '--=x',
    '-e=a',
    '--memory',
    '1x',
    '--mount',
    'type=',
    '--gpus',
    'all',
    '--ulimit',
    'a=b',
    '-zz',
    '--no-such',
    'image',
    '',
    '--env',
    '=',
    '--device',
    ':::',
    '--cpus',
    '.',
  ];
  for (let round = 0; round < 5000; round++) {
    const line = Array.from({ length: random.below(6) }, () => random.pick(words));
    try {
      parseLine(line, createFlags, false);
    } catch (err) {
      assert.ok(err instanceof UsageError, `${JSON.stringify(line)}: ${(err as Error).stack}`);
    }
  }
});

test('references: what is accepted has a domain and a path', () => {
  const random = new Random(6);
  for (let round = 0; round < 5000; round++) {
    const text = random.text(
      [
        'a',
        'B',
        '/',
        ':',
        '@',
        '.',
        '-',
        '_',
        '__',
        '5000',
        'localhost',
        'sha256:',
        'f'.repeat(64),
        'docker.io',
        ' ',
        'é',
      ],
      8,
    );
    try {
      const { domain, path } = parseReference(text);
      assert.ok(domain !== '' && path !== '', text);
    } catch (err) {
      if (err instanceof assert.AssertionError) throw err;
      assert.match((err as Error).message, /invalid re/, text);
    }
  }
});

test('tables keep every cell, whatever the cells', () => {
  const random = new Random(7);
  for (let round = 0; round < 500; round++) {
    const rows = Array.from({ length: 1 + random.below(6) }, () =>
      Array.from({ length: 1 + random.below(5) }, () => random.text(['a', 'bb', 'é', '…', ''], 5)),
    );
    const out = alignTable(`${rows.map(cells => cells.join('\t')).join('\n')}\n`);
    assert.deepEqual(
      out
        .trimEnd()
        .split('\n')
        .map(line => line.replaceAll(' ', ''))
        .join('\n'),
      rows
        .map(cells => cells.join(''))
        .join('\n')
        .trimEnd(),
    );
  }
});

test('comma-separated values: quotes hold commas', () => {
  assert.deepEqual(splitCommas('a,b,,c'), ['a', 'b', '', 'c']);
  assert.deepEqual(splitCommas('a,"b,c",d="e,f"'), ['a', 'b,c', 'd="e', 'f"']);
  assert.deepEqual(splitCommas('"x""y"'), ['x"y']);
  assert.deepEqual(splitCommas(''), []);
});
