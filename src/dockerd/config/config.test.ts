import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { configFrom, parseHost, parseSize, parseUlimit, readInvocation } from './config.ts';
import { parseFlags } from './flags.ts';

function withFile(json: string) {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-config-'));
  const file = path.join(directory, 'daemon.json');
  writeFileSync(file, json);
  return { file, [Symbol.dispose]: () => rmSync(directory, { recursive: true }) };
}

test("flags as dockerd's: long, short, with and without =", () => {
  const config = configFrom(
    parseFlags([
      '-H',
      'unix:///a.sock',
      '--host=tcp://:2375',
      '-D',
      '--bip',
      '10.0.0.1/24',
      '--log-opt',
      'max-size=1m',
      '--icc=false',
    ]),
  );
  assert.deepEqual(config.hosts, ['unix:///a.sock', 'tcp://127.0.0.1:2375']);
  assert.equal(config.debug, true);
  assert.equal(config.logLevel, 'debug');
  assert.equal(config.bip, '10.0.0.1/24');
  assert.deepEqual(config.logOptions, { 'max-size': '1m' });
  assert.equal(config.icc, false);
  assert.throws(() => parseFlags(['--nosuch']), { message: 'unknown flag: --nosuch' });
  assert.throws(() => parseFlags(['--bip']), { message: 'flag needs an argument: --bip' });
});

test('options without effect here are told by name, those with effect are not', () => {
  const config = configFrom(
    parseFlags(['--userland-proxy=false', '--iptables=false', '--ip-masq=false', '--ip-forward=false']),
  );
  assert.deepEqual(config.ineffective, ['userland-proxy', 'iptables']);
  assert.deepEqual([config.ipMasquerade, config.ipForward], [false, false]);
});

test('daemon.json fills what flags leave open; unknown keys and doubles are refused by name', () => {
  using good = withFile(
    '{"data-root": "/d", "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1, "Hard": 2}}, "mtu": 1400}',
  );
  const { config } = readInvocation(['--config-file', good.file, '--exec-root', '/e']);
  assert.equal(config.dataRoot, '/d');
  assert.equal(config.execRoot, '/e');
  assert.equal(config.mtu, 1400);
  assert.deepEqual(config.defaultUlimits, [{ Name: 'nofile', Soft: 1, Hard: 2 }]);
  assert.throws(() => readInvocation(['--config-file', good.file, '--data-root', '/x']), {
    message:
      /the following directives are specified both as a flag and in the configuration file: data-root: \(from flag: \/x, from file: \/d\)$/,
  });
  using bad = withFile('{"nosuch": 1}');
  assert.throws(() => readInvocation(['--config-file', bad.file]), {
    message: /the following directives don't match any configuration option: nosuch$/,
  });
});

test('hosts, sizes, ulimits', () => {
  assert.equal(parseHost('unix://'), 'unix:///var/run/docker.sock');
  assert.equal(parseHost('tcp://0.0.0.0'), 'tcp://0.0.0.0:2375');
  assert.throws(() => parseHost('http://x'), { code: 'InvalidArgument' });
  assert.equal(parseSize('64m'), 64 << 20);
  assert.equal(parseSize('1.5k'), 1536);
  assert.throws(() => parseSize('x'), { code: 'InvalidArgument' });
  assert.deepEqual(parseUlimit('nofile=1:2'), { Name: 'nofile', Soft: 1, Hard: 2 });
});
