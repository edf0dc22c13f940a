import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseProcess, parseRuntimeSpec, stringifyRuntimeSpec } from './index.ts';

const minimal = { ociVersion: '1.2.0', process: { user: { uid: 0, gid: 0 }, cwd: '/' } };
const parse = (change: object) => parseRuntimeSpec(JSON.stringify({ ...minimal, ...change }));

describe('config.json', () => {
  it('is taken when it follows the spec, whatever else is in it', () => {
    assert.equal(parse({ x: 1 }).process?.cwd, '/');
    assert.deepEqual(parse({ mounts: null, hooks: { prestart: null } }), { ...minimal, hooks: {} });
  });

  it('is refused with the name of what is wrong', () => {
    const refused = (change: object, message: RegExp) => assert.throws(() => parse(change), message);
    assert.throws(() => parseRuntimeSpec('{'), /invalid config.json: /);
    assert.throws(() => parseRuntimeSpec('[]'), /document must be an object/);
    assert.throws(() => parseRuntimeSpec('{}'), /ociVersion is missing/);
    refused({ ociVersion: '2.0.0' }, /unsupported ociVersion "2.0.0"/);
    refused({ process: { user: {} } }, /process.cwd is missing/);
    refused({ process: { ...minimal.process, args: ['a', 1] } }, /process.args\[1\] must be a string/);
    refused({ process: { ...minimal.process, user: { uid: -1 } } }, /process.user.uid must be zero or more/);
    refused(
      { process: { ...minimal.process, user: { uid: 2 ** 33 } } },
      /process.user.uid must be a number of 32 bits/,
    );
    refused({ mounts: {} }, /mounts must be a list/);
    refused({ mounts: [{}] }, /mounts\[0\].destination is missing/);
    refused({ linux: { sysctl: { a: 1 } } }, /linux.sysctl.a must be a string/);
    refused(
      { linux: { resources: { memory: { limit: 1.5 } } } },
      /linux.resources.memory.limit must be a whole number/,
    );
    refused({ hooks: { prestart: [{ args: [] }] } }, /hooks.prestart\[0\].path is missing/);
  });

  it('keeps all 64 bits of what seccomp compares', () => {
    const text = JSON.stringify({
      ...minimal,
      linux: {
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [{ names: ['a'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 77, op: 'SCMP_CMP_EQ' }] }],
        },
      },
    });
    const value = (spec: ReturnType<typeof parseRuntimeSpec>) => spec.linux?.seccomp?.syscalls?.[0]?.args?.[0]?.value;
    assert.equal(value(parseRuntimeSpec(text.replace('77', '18446744073709551615'))), 18446744073709551615n);
    assert.equal(value(parseRuntimeSpec(text)), 77);
    const large = parseRuntimeSpec(text.replace('77', '18446744073709551615'));
    assert.deepEqual(parseRuntimeSpec(stringifyRuntimeSpec(large)), large);
  });

  it('has a process that may stand alone', () => {
    assert.equal(parseProcess('{"user":{"uid":1,"gid":2},"cwd":"/","args":["x"]}').user.gid, 2);
    assert.throws(() => parseProcess('{"cwd":"/"}'), /process.user is missing/);
  });
});
