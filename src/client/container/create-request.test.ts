import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseLine } from '../command/flags.ts';
import { createFlags } from './create-flags.ts';
import { readCreateRequest } from './create-request.ts';

interface Recorded {
  readonly args: readonly string[];
  readonly body: Record<string, unknown>;
}

// The bodies that Docker's client 28.5.2 sent for these command lines, run in /. (It sends binds in any order; here in that given.)
const recorded = JSON.parse(readFileSync(`${import.meta.dirname}/testdata/create-bodies.json`, 'utf8')) as Recorded[];

for (const { args, body } of recorded) {
  test(`create ${args.join(' ')}`, () => {
    const before = process.cwd();
    process.chdir('/');
    try {
      const { flags, args: rest } = parseLine(args, createFlags, false);
      const { config, hostConfig, endpoints } = readCreateRequest(flags, rest);
      const sent = { ...config, HostConfig: hostConfig, NetworkingConfig: { EndpointsConfig: endpoints } };
      assert.deepEqual(JSON.parse(JSON.stringify(sent)), body);
    } finally {
      process.chdir(before);
    }
  });
}
