// An engine inside another program: made, used and ended without a process of its own.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { configFrom, createEngine, createLog, parseFlags } from '../../src/dockerd/index.ts';

const skip = process.getuid!() !== 0 && 'needs root';

function get(socketPath: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false }, answer => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', chunk => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

test('two engines live in one process, and end without a trace', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-embed-'));
  try {
    const engines = await Promise.all(
      [0, 1].map(number =>
        createEngine({
          config: configFrom(
            parseFlags([
              `--data-root=${directory}/data${number}`,
              `--exec-root=${directory}/exec${number}`,
              `--host=unix://${directory}/${number}.sock`,
              '--bridge=none',
            ]),
          ),
          log: createLog('error'),
        }),
      ),
    );
    const ids = new Set<string>();
    for (const number of [0, 1]) {
      const socket = join(directory, `${number}.sock`);
      assert.equal((await get(socket, '/_ping')).text, 'OK');
      ids.add((JSON.parse((await get(socket, '/v1.51/info')).text) as { ID: string }).ID);
      assert.equal((await get(socket, '/v1.23/info')).status, 400);
    }
    assert.equal(ids.size, 2, 'each engine has an id of its own');
    await Promise.all(engines.map(engine => engine.close()));
    assert.ok(!existsSync(join(directory, '0.sock')), 'the socket is gone');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
