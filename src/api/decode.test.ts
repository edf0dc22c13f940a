import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerCreateShape, decodeBody, networkCreateShape } from './index.ts';

// Request body and message, as Docker 28.5.2 answers them.
const refused: readonly (readonly [string, string])[] = [
  ['{"Image":5}', 'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string'],
  [
    '{"HostConfig":{"Memory":"x"}}',
    'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    '{"HostConfig":{"Memory":1.5}}',
    'invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64',
  ],
  [
    '{"HostConfig":{"Binds":"a"}}',
    'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Binds of type []string',
  ],
  [
    '{"HostConfig":{"PortBindings":{"80/tcp":5}}}',
    'invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig.PortBindings.80~1tcp of type []nat.PortBinding',
  ],
  [
    '{"HostConfig":5}',
    'invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig of type container.HostConfig',
  ],
  [
    '{"HostConfig":{"Mounts":[{"Type":3}]}}',
    'invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig.Mounts.0.Type of type mount.Type',
  ],
  ['{"Cmd":5}', 'invalid JSON: json: cannot unmarshal number into Go value of type string'],
  ['["Image"]', 'invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest'],
  ['5', 'invalid JSON: json: cannot unmarshal number into Go value of type container.CreateRequest'],
  ['{"Image":"x"} {}', 'unexpected content after JSON'],
  ['{"Image":"x"', 'invalid JSON: unexpected EOF'],
  ['{"Image":}', "invalid JSON: invalid character '}' looking for beginning of value"],
  ['{Image:"x"}', "invalid JSON: invalid character 'I' looking for beginning of object key string"],
  ['{"Image":"x",}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
  ['{"Image":tru}', "invalid JSON: invalid character '}' in literal true (expecting 'e')"],
  ['{"HostConfig":{"Memory":01}}', "invalid JSON: invalid character '1' after object key:value pair"],
  ['{"Image":"a\\qb"}', 'invalid JSON: invalid escape sequence `\\q` in string'],
  ['{"Image":"a\nb"}', "invalid JSON: invalid character '\\n' in string"],
  ['', 'invalid JSON: got EOF while reading request body'],
];

for (const [json, message] of refused) {
  test(`refuses ${JSON.stringify(json)} in the engine's words`, () => {
    assert.throws(() => decodeBody(containerCreateShape, json), { code: 'InvalidArgument', message });
  });
}

test('keys match in any case, null leaves the default, unknown fields are ignored', () => {
  const request = decodeBody(
    containerCreateShape,
    '{"image":"x","HOSTCONFIG":{"memory":7,"Binds":null},"Bogus":{},"Cmd":"ls","Tty":null,"Entrypoint":["a","b"]}',
  );
  assert.equal(request.Image, 'x');
  assert.equal(request.HostConfig?.Memory, 7);
  assert.equal(request.HostConfig?.Binds, null);
  assert.equal(request.HostConfig?.MemorySwappiness, null);
  assert.equal(request.Tty, false);
  assert.deepEqual(request.Cmd, ['ls']);
  assert.deepEqual(request.Entrypoint, ['a', 'b']);
  assert.equal(request.NetworkingConfig, undefined);
  assert.ok(!('Bogus' in request));
});

test('the root of a path is the one that the endpoint names', () => {
  assert.throws(() => decodeBody(networkCreateShape, '{"Name":5}', 'CreateRequest'), {
    message: 'invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Name of type string',
  });
});

test('a label named __proto__ is only a label', () => {
  const request = decodeBody(containerCreateShape, '{"Labels":{"__proto__":"x"}}');
  assert.deepEqual(Object.entries(request.Labels ?? {}), [['__proto__', 'x']]);
  assert.equal(Object.getPrototypeOf(request.Labels), Object.prototype);
});

test('deep nesting neither overflows nor passes', () => {
  assert.throws(() => decodeBody(containerCreateShape, `{"Image":${'['.repeat(200_000)}`), {
    message: 'invalid JSON: unexpected EOF',
  });
});
