import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseToml } from './toml.ts';

const parse = (text: string): unknown => JSON.parse(JSON.stringify(parseToml(text, 'hosts.toml')));

test('a hosts.toml of containerd’s documentation is read', () => {
  const text = `# mirrors
server = "https://registry-1.docker.io"    # the server

[host."https://mirror.registry"]
  capabilities = ["pull", 'resolve',]
  ca = "/etc/certs/mirror.pem"
  client = [["/a.cert", "/a.key"], [
    "/b.cert", # with a comment
    "/b.key"
  ]]
  skip_verify = false
  dial_timeout = 1_000
  [host."https://mirror.registry".header]
    x-custom-2 = ["value1", "value2"]
`;
  assert.deepEqual(parse(text), {
    server: 'https://registry-1.docker.io',
    host: {
      'https://mirror.registry': {
        capabilities: ['pull', 'resolve'],
        ca: '/etc/certs/mirror.pem',
        client: [
          ['/a.cert', '/a.key'],
          ['/b.cert', '/b.key'],
        ],
        skip_verify: false,
        dial_timeout: 1000,
        header: { 'x-custom-2': ['value1', 'value2'] },
      },
    },
  });
});

test('an empty file, and one of Windows, are read', () => {
  assert.deepEqual(parse(''), {});
  assert.deepEqual(parse('a = "x"\r\nb.c = true\r\n'), { a: 'x', b: { c: true } });
});

const bad: [text: string, message: RegExp][] = [
  ['a = 1\na = 2', /hosts.toml, line 2: "a" is given twice/],
  ['a', /line 1: "=" is missing/],
  ['a = ', /line 1: a value of a kind/],
  ['a = 1.5', /line 1: a value of a kind/],
  ['a = "x" b = "y"', /line 1: unexpected text after a value/],
  ['a = "x', /a value of a kind/],
  ['[[host]]', /arrays of tables are not supported/],
  ['a = 1\n[a.b]', /table "a" is a value already/],
  ['a = [1, 2', /"]" is missing|a value of a kind/],
  ['= 1', /a key is missing/],
];
for (const [text, message] of bad) {
  test(`${JSON.stringify(text)} is refused with its line`, () => {
    assert.throws(() => parseToml(text, 'hosts.toml'), message);
  });
}

test('a key named like what all objects have is only a key', () => {
  const parsed = parseToml('[__proto__]\npolluted = true\n', 'x');
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  assert.ok(Object.hasOwn(parsed, '__proto__'));
});
