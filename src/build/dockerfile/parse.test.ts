import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyInstruction, RunInstruction } from './instruction.ts';
import { parseDockerfile } from './parse.ts';

const only = (text: string) => parseDockerfile(`FROM scratch\n${text}`).stages[0]!.instructions[0]!;

test('continuations join, comments inside them vanish, empty lines are told', () => {
  const file = parseDockerfile('FROM a\nRUN one \\\n# comment\n\n  two \\\nthree\n');
  const run = file.stages[0]!.instructions[0] as RunInstruction;
  assert.deepEqual(run.command, { form: 'shell', text: 'one   two three' });
  assert.deepEqual(run.range, { start: 2, end: 6 });
  assert.deepEqual(file.emptyContinuations, [6]);
});

test('directives are read before anything else, each once', () => {
  const file = parseDockerfile('# syntax = docker/dockerfile:1\n# escape=`\nFROM a\nRUN a `\n b\n');
  assert.deepEqual(file.directives, { syntax: 'docker/dockerfile:1', escape: '`' });
  assert.equal(parseDockerfile('# a comment\n# escape=`\nFROM a').directives.escape, '\\');
  assert.throws(
    () => parseDockerfile('# escape=`\n# escape=`\nFROM a'),
    /only one escape parser directive can be used/,
  );
});

test('a heredoc is the content of what it stands in, and its lines are no instructions', () => {
  const run = only('RUN <<EOF cat\nFROM x\n$y\nEOF\n') as RunInstruction;
  assert.deepEqual(run.heredocs, [{ name: 'EOF', content: 'FROM x\n$y\n', expand: true, chomp: false }]);
  const copy = only('COPY <<-"A" <<B /dst/\n\tone\n\tA\ntwo\nB\n') as CopyInstruction;
  assert.deepEqual(
    copy.heredocs.map(doc => [doc.name, doc.content, doc.expand]),
    [
      ['A', 'one\n', false],
      ['B', 'two\n', true],
    ],
  );
  assert.deepEqual([copy.sources, copy.destination], [[], '/dst/']);
  assert.throws(() => only('RUN <<EOF\nno end'), /unterminated heredoc/);
});

test('stages have names, platforms and images', () => {
  const file = parseDockerfile('ARG V=1\nFROM --platform=$BUILDPLATFORM a:$V AS Build\nFROM build\n');
  assert.equal(file.globalArgs[0]!.args[0]!.value, '1');
  assert.deepEqual(
    file.stages.map(stage => [stage.from.image, stage.from.name, stage.from.platform]),
    [
      ['a:$V', 'build', '$BUILDPLATFORM'],
      ['build', undefined, undefined],
    ],
  );
});

test('RUN takes mounts with all their keys', () => {
  const run = only(
    'RUN --mount=type=cache,target=/c,sharing=locked,mode=0700 --mount=type=secret,id=s,required --mount=from=x,dst=/m,rw --network=none id',
  ) as RunInstruction;
  assert.deepEqual(run.mounts, [
    { type: 'cache', target: '/c', sharing: 'locked', mode: '0700' },
    { type: 'secret', id: 's', required: true },
    { type: 'bind', from: 'x', target: '/m', readOnly: false },
  ]);
  assert.equal(run.network, 'none');
});

test('COPY and ADD take their flags, and names with spaces in JSON form', () => {
  const copy = only(
    'COPY --from=b --chown=1:2 --chmod=0644 --link --exclude=*.md --exclude=x ["a b", "/c d/"]',
  ) as CopyInstruction;
  assert.deepEqual(
    [copy.from, copy.chown, copy.chmod, copy.link, copy.exclude, copy.sources, copy.destination],
    ['b', '1:2', '0644', true, ['*.md', 'x'], ['a b'], '/c d/'],
  );
});

const refused: readonly [string, RegExp][] = [
  ['', /file with no instructions/],
  ['RUN x', /no build stage in current context/],
  ['FROM', /FROM requires either one or three arguments/],
  ['FROM a AS', /FROM requires either one or three arguments/],
  ['FROM a AS 1x', /invalid name for build stage: "1x"/],
  ['FROM a\nRNU x', /unknown instruction: RNU \(did you mean RUN\?\)/],
  ['FROM a\nCOPY x', /COPY requires at least two arguments/],
  ['FROM a\nCOPY --form=x a b', /unknown flag: --form \(did you mean from\?\)/],
  ['FROM a\nRUN --mount=tpye=cache x', /unexpected key 'tpye' in 'tpye=cache' \(did you mean type\?\)/],
  ['FROM a\nRUN --mount=type=cache x', /target required/],
  ['FROM a\nENV a', /ENV must have two arguments/],
  ['FROM a\nENV a=1 b', /can't find = in "b"/],
  ['FROM a\nLABEL', /LABEL requires at least one argument/],
  ['FROM a\nSHELL x', /SHELL requires the arguments to be in JSON form/],
  ['FROM a\nONBUILD ONBUILD RUN x', /Chaining ONBUILD/],
  ['FROM a\nONBUILD FROM b', /FROM isn't allowed as an ONBUILD trigger/],
  ['FROM a\nHEALTHCHECK x', /unknown type "X" in HEALTHCHECK/],
  ['FROM a\nHEALTHCHECK --interval=5 CMD x', /invalid duration "5"/],
  ['FROM a\nVOLUME', /VOLUME requires at least one argument/],
];

for (const [text, reason] of refused) {
  test(`${JSON.stringify(text)} is refused with the line`, () => {
    assert.throws(
      () => parseDockerfile(text),
      (err: Error & { range?: { start: number } }) => reason.test(err.message) && (err.range?.start ?? 0) >= 1,
    );
  });
}

test('whatever bytes come, the parser ends with a tree or a clear error', () => {
  const pieces = [
    'FROM a\n',
    'RUN ',
    '<<E ',
    '\\\n',
    '"',
    "'",
    '--mount=',
    'type=cache',
    ',',
    '=',
    '[',
    ']',
    '#',
    '\n',
    'ONBUILD ',
    '${',
    '}',
    'COPY ',
  ];
  let seed = 1;
  const next = (n: number): number => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed % n;
  };
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: next(24) }, () => pieces[next(pieces.length)]).join('');
    try {
      parseDockerfile(text);
    } catch (err) {
      assert.equal((err as { code?: string }).code, 'InvalidArgument', `${JSON.stringify(text)}: ${err}`);
    }
  }
});
