import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { testdata } from './registry.ts';
import { ScriptedRegistry } from './scripted.ts';

const image = makeImage([{ a: 'proxy' }]);

/** A proxy that brings every CONNECT to `target`, and remembers whom it was asked for. */
async function startProxy(target: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(500).end();
  });
  server.on('connect', (request, client) => {
    asked.push(request.url ?? '');
    const [host, port] = target.split(':');
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    client.on('close', () => upstream.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    asked,
    url: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('a registry is reached through the proxy of the environment, one on this machine is not', async () => {
  const tls = {
    key: readFileSync(join(testdata, 'server.key'), 'utf8'),
    cert: readFileSync(join(testdata, 'server.crt'), 'utf8'),
  };
  await using away = await ScriptedRegistry.start(tls);
  await using near = await ScriptedRegistry.start();
  await using proxy = await startProxy(away.host);
  for (const server of [away, near]) server.add('x', 'latest', image);
  const certsDir = await mkdtemp(join(tmpdir(), 'berth-proxy-'));
  try {
    await mkdir(join(certsDir, 'away.test'));
    await writeFile(join(certsDir, 'away.test', 'hosts.toml'), 'server = "https://away.test"\nskip_verify = true\n');
    using registry = new Registry({
      certsDirs: [certsDir],
      proxyEnvironment: { https_proxy: proxy.url, HTTP_PROXY: proxy.url },
    });
    await registry.pull({ reference: parseReference('away.test/x'), store: new MemoryStore() });
    await registry.pull({ reference: parseReference(`${near.host}/x`), store: new MemoryStore() });
    assert.ok(proxy.asked.length > 0);
    assert.ok(
      proxy.asked.every(address => address === 'away.test:443'),
      proxy.asked.join(),
    );
  } finally {
    await rm(certsDir, { recursive: true, force: true });
  }
});
