import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { codeOf, describe } from '../../src/errdefs/index.ts';
import { type PullEvent, parseReference, Registry, RegistryError } from '../../src/registry/index.ts';
import { makeImage, noise } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { type Behaviour, type Exchange, refuse, ScriptedRegistry } from './scripted.ts';

const image = makeImage([{ small: 'x' }, { big: noise(200_000) }]);
const [config, , layer] = image.blobs;
assert.ok(config && layer);
const size = layer.descriptor.size;
const layerPath = `/blobs/${layer.descriptor.digest}`;

let server: ScriptedRegistry;
const registry = new Registry({
  retry: { attempts: 3, baseMs: 1, retryAfterMaxMs: 1500 },
  idleTimeoutMs: 200,
  answerTimeoutMs: 400,
});
before(async () => {
  server = await ScriptedRegistry.start();
  server.add('x', 'latest', image);
});
afterEach(() => {
  server.behave = exchange => exchange.next();
  server.ranges = true;
  server.tellDigest = true;
  server.requests.length = 0;
});
after(async () => {
  registry.close();
  await server[Symbol.asyncDispose]();
});

const pull = async (store: MemoryStore, events: PullEvent[] = []) => {
  const reference = parseReference(`${server.host}/x`);
  try {
    return await registry.pull({
      reference,
      store,
      platform: { os: 'linux', architecture: 'amd64' },
      onEvent: event => events.push(event),
    });
  } finally {
    store.verify();
  }
};

/** Misbehaves on GETs of the layer, so many times. */
const onLayer = (times: number, misbehave: Behaviour): Behaviour => {
  let left = times;
  return exchange => {
    const hit = exchange.request.method === 'GET' && exchange.request.path.includes(layerPath);
    if (hit && left-- > 0) misbehave(exchange);
    else exchange.next();
  };
};

/** Sends so many bytes of the layer and hangs up. */
const dropAt = (bytes: number): Behaviour => {
  return ({ request, response, socket }: Exchange) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': size - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${size - 1}/${size}` }),
    });
    response.flushHeaders();
    const part = layer.bytes.subarray(start, start + bytes);
    if (part.byteLength === 0) socket.destroy();
    else response.write(part, () => setTimeout(() => socket.destroy(), 5));
  };
};

for (const bytes of [0, 1, 511, 512, 16_383, 65_536, 100_000, size - 1]) {
  test(`a connection that drops after ${bytes} bytes is taken up by Range`, async () => {
    server.behave = onLayer(1, dropAt(bytes));
    await pull(new MemoryStore());
    const ranges = server.requests.filter(({ path }) => path.includes(layerPath)).map(({ headers }) => headers.range);
    assert.deepEqual(ranges, [undefined, bytes === 0 ? undefined : `bytes=${bytes}-${size - 1}`]);
  });
}

test('a connection that drops again and again gets there as long as it gets further', async () => {
  server.behave = onLayer(9, dropAt(20_000));
  await pull(new MemoryStore());
});

test('a server without Range is read past what is there', async () => {
  server.ranges = false;
  server.behave = onLayer(1, dropAt(50_000));
  await pull(new MemoryStore());
});

test('a connection that always drops at once fails after the attempts, saying where', async () => {
  server.behave = onLayer(99, dropAt(0));
  const store = new MemoryStore();
  await assert.rejects(pull(store), (err: Error) => {
    assert.equal(codeOf(err), 'Unavailable');
    assert.match(describe(err), /^Get "http:\/\/127\.0\.0\.1:\d+\/v2\/x\/blobs\/sha256:[0-9a-f]+": .*EOF/);
    return true;
  });
  assert.equal(server.count(new RegExp(layerPath)), 3);
  assert.ok(!store.blobs.has(layer.descriptor.digest));
});

test('a pull that failed resumes where it was', async () => {
  const store = new MemoryStore();
  let drops = 0;
  server.behave = onLayer(99, exchange => (drops++ === 0 ? dropAt(70_000)(exchange) : dropAt(0)(exchange)));
  await assert.rejects(pull(store));
  server.behave = exchange => exchange.next();
  server.requests.length = 0;
  await pull(store);
  assert.equal(server.requests.find(({ path }) => path.includes(layerPath))?.headers.range, `bytes=70000-${size - 1}`);
});

test('an ingest with wrong bytes is dropped, and the layer fetched anew', async () => {
  const store = new MemoryStore();
  store.ingests.set(`layer-${layer.descriptor.digest}`, noise(1000, 9));
  await pull(store);
  assert.equal(server.count(new RegExp(`GET .*${layerPath}`)), 2);
});

test('a layer with wrong bytes is refused and never in the store', async () => {
  const wrong = Buffer.from(layer.bytes);
  wrong[1234] = (wrong[1234] as number) ^ 1;
  server.behave = onLayer(99, ({ response }) => response.writeHead(200, { 'content-length': size }).end(wrong));
  const store = new MemoryStore();
  await assert.rejects(pull(store), (err: Error) => {
    assert.match(
      describe(err),
      new RegExp(`^filesystem layer verification failed for digest ${layer.descriptor.digest}`),
    );
    return codeOf(err) === 'DataLoss';
  });
  assert.ok(!store.blobs.has(layer.descriptor.digest));
  assert.equal(store.ingests.size, 0);
});

const lengths: [what: string, answer: Behaviour, code: string][] = [
  [
    'longer than its manifest says',
    ({ response }) =>
      response.writeHead(200, { 'content-length': size + 5 }).end(Buffer.concat([layer.bytes, Buffer.alloc(5)])),
    'DataLoss',
  ],
  [
    'longer, without telling',
    ({ response }) => response.writeHead(200).end(Buffer.concat([layer.bytes, Buffer.alloc(5)])),
    'DataLoss',
  ],
  [
    'shorter, with a length that fits',
    ({ response }) => response.writeHead(200, { 'content-length': 10 }).end(layer.bytes.subarray(0, 10)),
    'Unavailable',
  ],
  [
    'shorter, without telling',
    ({ response }) => response.writeHead(200).end(layer.bytes.subarray(0, 10)),
    'Unavailable',
  ],
  ['empty', ({ response }) => response.writeHead(200).end(), 'Unavailable'],
];
for (const [what, answer, code] of lengths) {
  test(`a layer that is ${what} is refused`, async () => {
    const misbehave: Behaviour = exchange => {
      // Once anew from wherever we are: it keeps answering the same.
      answer(exchange);
    };
    server.behave = onLayer(99, misbehave);
    const store = new MemoryStore();
    await assert.rejects(pull(store), (err: Error) => codeOf(err) === code);
    assert.ok(!store.blobs.has(layer.descriptor.digest));
  });
}

test('a server that answers a Range from elsewhere is refused', async () => {
  server.behave = onLayer(99, exchange => {
    if (exchange.request.headers.range === undefined) return dropAt(1000)(exchange);
    exchange.response
      .writeHead(206, { 'content-range': `bytes 5000-${size - 1}/${size}` })
      .end(layer.bytes.subarray(5000));
  });
  await assert.rejects(pull(new MemoryStore()), (err: Error) => codeOf(err) === 'DataLoss');
});

test('a server error is retried, and told when it stays', async () => {
  server.behave = onLayer(2, ({ response }) => response.writeHead(500).end('boom'));
  const events: PullEvent[] = [];
  await pull(new MemoryStore(), events);
  assert.equal(events.filter(event => event.kind === 'layer' && event.state === 'retrying').length, 2);
  server.behave = onLayer(99, ({ response }) => response.writeHead(502).end('<html>'));
  await assert.rejects(pull(new MemoryStore()), { message: 'received unexpected HTTP status: 502 Bad Gateway' });
});

test('a layer that the registry lacks fails at once', async () => {
  server.behave = onLayer(99, ({ response }) => refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry'));
  await assert.rejects(pull(new MemoryStore()), (err: Error) => {
    assert.equal(
      describe(err),
      `blob ${layer.descriptor.digest} is not in the registry: blob unknown: blob unknown to registry`,
    );
    return codeOf(err) === 'NotFound';
  });
  assert.equal(server.count(new RegExp(layerPath)), 1);
});

const limit: Behaviour = ({ request, response, next }) => {
  if (!request.path.includes('/manifests/')) return next();
  const headers = { 'retry-after': '21600', 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' };
  refuse(response, 429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.', headers);
};

test('a rate limit is told in words, and not waited out for hours', async () => {
  server.behave = limit;
  await assert.rejects(pull(new MemoryStore()), (err: Error) => {
    assert.equal(
      describe(err),
      `toomanyrequests: You have reached your pull rate limit. (${server.host} limits the rate of requests; limit 100 in 6 hours; try again in 6 hours)`,
    );
    return err instanceof RegistryError && codeOf(err) === 'ResourceExhausted';
  });
});

test('a rate limit that ends soon is waited for', async () => {
  server.behave = onLayer(1, ({ response }) =>
    refuse(response, 429, 'TOOMANYREQUESTS', 'slow down', { 'retry-after': '1' }),
  );
  const started = performance.now();
  await pull(new MemoryStore());
  assert.ok(performance.now() - started > 900);
});

test('a redirect loop ends', async () => {
  server.behave = onLayer(99, ({ response }) => response.writeHead(307, { location: `/v2/x${layerPath}?again` }).end());
  await assert.rejects(pull(new MemoryStore()), /stopped after 10 redirects/);
});

test('a redirect to something that is no address is refused', async () => {
  for (const location of ['file:///etc/passwd', 'http://', 'gopher://x/']) {
    server.behave = onLayer(99, ({ response }) => response.writeHead(307, { location }).end());
    await assert.rejects(pull(new MemoryStore()), /redirected to an address that is none/);
  }
});

test('a server that falls silent is given up', async () => {
  server.behave = onLayer(99, ({ response }) => {
    response.writeHead(200, { 'content-length': size });
    response.write(layer.bytes.subarray(0, 0));
    response.flushHeaders();
  });
  await assert.rejects(pull(new MemoryStore()), (err: Error) => codeOf(err) === 'Unavailable');
});

test('a server that never answers is given up', async () => {
  server.behave = onLayer(99, () => {});
  await assert.rejects(pull(new MemoryStore()), /timeout awaiting response headers/);
});

test('a slow server gets all the time that it needs, as long as it sends', async () => {
  server.behave = onLayer(1, ({ response }) => {
    response.writeHead(200, { 'content-length': size });
    let at = 0;
    const timer = setInterval(() => {
      response.write(layer.bytes.subarray(at, at + 25_000));
      at += 25_000;
      if (at < size) return;
      clearInterval(timer);
      response.end();
    }, 60);
  });
  await pull(new MemoryStore());
  assert.equal(server.count(new RegExp(layerPath)), 1);
});

const onManifest =
  (answer: (response: Exchange['response'], method: string) => void): Behaviour =>
  ({ request, response, next }) =>
    request.path.includes('/manifests/') ? answer(response, request.method) : next();

test('a manifest that is not what its digest says is refused', async () => {
  server.behave = onManifest((response, method) => {
    response.writeHead(200, {
      'content-type': image.top.descriptor.mediaType,
      'docker-content-digest': image.top.descriptor.digest,
      'content-length': image.top.bytes.byteLength,
    });
    response.end(method === 'HEAD' ? undefined : Buffer.from(image.top.bytes).fill(0x20, 10, 12));
  });
  const store = new MemoryStore();
  await assert.rejects(
    pull(store),
    new RegExp(`manifest verification failed for digest ${image.top.descriptor.digest}`),
  );
  assert.equal(store.blobs.size, 0);
});

test('a manifest that is too large, not JSON, HTML, or schema 1 is refused', async () => {
  const serve = (bytes: Buffer, mediaType: string): Behaviour =>
    onManifest((response, method) => {
      response.writeHead(200, { 'content-type': mediaType });
      response.end(method === 'HEAD' ? undefined : bytes);
    });
  server.behave = serve(Buffer.alloc(5 << 20, 'x'), image.top.descriptor.mediaType);
  await assert.rejects(pull(new MemoryStore()), /manifest of .* is larger than 4194304 bytes/);
  server.behave = serve(Buffer.from('not json'), image.top.descriptor.mediaType);
  await assert.rejects(pull(new MemoryStore()), /manifest is not JSON/);
  server.behave = serve(Buffer.from('<html></html>'), 'text/html; charset=utf-8');
  await assert.rejects(pull(new MemoryStore()), /^InvalidArgument: manifest is not JSON/);
  server.behave = serve(
    Buffer.from('{"schemaVersion":1}'),
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
  );
  await assert.rejects(pull(new MemoryStore()), /schema 1 support has been removed/);
});

test('a registry that tells no digest is believed by the bytes', async () => {
  server.tellDigest = false;
  const { target } = await pull(new MemoryStore());
  assert.equal(target.digest, image.top.descriptor.digest);
});

test('a second pull asks by HEAD only', async () => {
  const store = new MemoryStore();
  await pull(store);
  server.requests.length = 0;
  assert.equal((await pull(store)).upToDate, true);
  assert.deepEqual(
    server.requests.map(({ method, path }) => `${method} ${path}`),
    ['HEAD /v2/x/manifests/latest'],
  );
});

test('a layer wanted by two pulls at once is fetched once', async () => {
  const store = new MemoryStore();
  store.writeDelayMs = 5;
  const events: PullEvent[] = [];
  await Promise.all([pull(store), pull(store, events), pull(store)]);
  assert.equal(server.count(new RegExp(`GET .*${layerPath}`)), 1);
  const states = events.flatMap(event =>
    event.kind === 'layer' && event.digest === layer.descriptor.digest ? [event.state] : [],
  );
  assert.ok(states.includes('downloading'), 'the one who looks on sees the progress');
  assert.equal(states.at(-1), 'pullComplete');
});

test('images whose layers lie in the opposite order, pulled at once, do not wait for each other forever', async () => {
  const [a, b] = [{ a: noise(90_000, 3) }, { b: noise(90_000, 4) }];
  server.add('ab', 'latest', makeImage([a, b]));
  server.add('ba', 'latest', makeImage([b, a]));
  const store = new MemoryStore();
  store.writeDelayMs = 5;
  const get = (name: string) => registry.pull({ reference: parseReference(`${server.host}/${name}`), store });
  await Promise.all([get('ab'), get('ba')]);
  store.verify();
  assert.equal(store.snapshots.size, 4);
});

test('when the pull that fetches is aborted, the one that looks on takes over', async () => {
  const store = new MemoryStore();
  store.writeDelayMs = 10;
  const stop = new AbortController();
  const reference = parseReference(`${server.host}/x`);
  const first = registry.pull({ reference, store, signal: stop.signal });
  const second = registry.pull({
    reference,
    store,
    onEvent: event => {
      if (event.kind === 'layer' && event.state === 'downloading') stop.abort();
    },
  });
  await assert.rejects(first, { name: 'AbortError' });
  await second;
  store.verify();
});

test('pulls that are aborted in the middle bring nothing down', async () => {
  const large = makeImage([{ a: 'a' }, { large: noise(3_000_000) }, { c: noise(200_000, 2) }]);
  server.add('large', 'latest', large);
  for (let round = 0; round < 20; round++) {
    using own = new Registry();
    const stop = new AbortController();
    const store = new MemoryStore();
    store.writeDelayMs = round % 3;
    const get = (signal?: AbortSignal) =>
      own.pull({
        reference: parseReference(`${server.host}/large`),
        store,
        ...(signal !== undefined && { signal }),
        onEvent: event => {
          if (signal !== undefined && event.kind === 'layer' && event.state === 'downloading') stop.abort();
        },
      });
    const [aborted, ...others] = await Promise.allSettled([get(stop.signal), get(), get()]);
    assert.equal(aborted.status, 'rejected');
    for (const other of others) assert.equal(other.status, 'fulfilled');
    store.verify();
  }
});
