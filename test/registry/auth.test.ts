import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { codeOf, describe } from '../../src/errdefs/index.ts';
import { type AuthConfig, parseReference, Registry } from '../../src/registry/index.ts';
import { makeImage, publish } from './images.ts';
import { MemoryStore } from './memory-store.ts';
import { account, type RunningRegistry, startRegistry } from './registry.ts';
import { ScriptedRegistry } from './scripted.ts';
import { signToken, TokenServer } from './token-server.ts';

const image = makeImage([{ a: 'auth' }]);
const basicHeader = { authorization: `Basic ${btoa(`${account.username}:${account.password}`)}` };
let basic: RunningRegistry;
let token: RunningRegistry;
let tokens: TokenServer;

before(async () => {
  tokens = await TokenServer.start();
  basic = await startRegistry({ auth: 'basic' });
  token = await startRegistry({ auth: { realm: tokens.realm } });
  await publish(basic.url, 'x', 'latest', image, basicHeader);
});
after(async () => {
  await basic[Symbol.asyncDispose]();
  await token[Symbol.asyncDispose]();
  await tokens[Symbol.asyncDispose]();
});

const pull = (registry: Registry, host: string, auth?: AuthConfig) =>
  registry.pull({
    reference: parseReference(`${host}/x`),
    store: new MemoryStore(),
    ...(auth !== undefined && { auth }),
  });
const push = (registry: Registry, host: string, auth?: AuthConfig) =>
  registry.push({
    reference: parseReference(`${host}/x`),
    target: image.top.descriptor,
    content: MemoryStore.of(image).content,
    ...(auth !== undefined && { auth }),
  });

test('without credentials, Basic is refused in the words of Docker', async () => {
  using registry = new Registry();
  await assert.rejects(pull(registry, basic.host), (err: Error) => {
    assert.equal(describe(err), `Head "http://${basic.host}/v2/x/manifests/latest": no basic auth credentials`);
    // Not Unauthenticated: the docker CLI would ask for a login.
    return codeOf(err) === 'Unknown';
  });
});

test('with credentials, Basic works; with wrong ones it is refused', async () => {
  using registry = new Registry();
  await pull(registry, basic.host, account);
  await assert.rejects(
    pull(registry, basic.host, { ...account, password: 'wrong' }),
    /unauthorized: authentication required/,
  );
});

test('login tells whether credentials are good', async () => {
  using registry = new Registry();
  assert.deepEqual(await registry.login({ ...account, serveraddress: basic.host }), {
    Status: 'Login Succeeded',
    IdentityToken: '',
  });
  assert.deepEqual(await registry.login({ ...account, serveraddress: `http://${basic.host}/v1/` }), {
    Status: 'Login Succeeded',
    IdentityToken: '',
  });
  await assert.rejects(registry.login({ ...account, password: 'no', serveraddress: basic.host }), {
    code: 'Unauthenticated',
    message: `login attempt to http://${basic.host}/v2/ failed with status: 401 Unauthorized`,
  });
});

test('login at a registry with tokens brings an identity token, which then works in the place of a password', async () => {
  using registry = new Registry();
  const result = await registry.login({ ...account, serveraddress: token.host });
  assert.deepEqual(result, { Status: 'Login Succeeded', IdentityToken: 'refresh-me' });
  tokens.seen.length = 0;
  await push(registry, token.host, { username: 'tester', identitytoken: result.IdentityToken });
  assert.equal(tokens.seen[0]?.method, 'POST');
  assert.equal(tokens.seen[0]?.query.get('grant_type'), 'refresh_token');
  await assert.rejects(registry.login({ ...account, password: 'no', serveraddress: token.host }), (err: Error) => {
    assert.match(describe(err), /incorrect username or password/);
    return true;
  });
});

test('tokens are asked for with the scope that the work needs, and kept', async () => {
  using registry = new Registry();
  await push(registry, token.host, account);
  tokens.seen.length = 0;
  await pull(registry, token.host, account);
  await pull(registry, token.host, account);
  assert.deepEqual(
    tokens.seen.map(({ query }) => query.getAll('scope')),
    [['repository:x:pull']],
  );
  assert.equal(tokens.seen[0]?.query.get('service'), 'test-registry');
  assert.equal(tokens.seen[0]?.query.get('account'), 'tester');
});

test('requests at once share one token', async () => {
  using registry = new Registry();
  const many = makeImage(Array.from({ length: 8 }, (_, i) => ({ [`f${i}`]: String(i) })));
  tokens.seen.length = 0;
  await registry.push({
    reference: parseReference(`${token.host}/many`),
    target: many.top.descriptor,
    content: MemoryStore.of(many).content,
    auth: account,
  });
  assert.equal(tokens.seen.length, 1);
});

test('nobody uses a token that the credentials of someone else got', async () => {
  using registry = new Registry();
  await push(registry, token.host, account);
  await pull(registry, token.host, account);
  await assert.rejects(pull(registry, token.host), (err: Error) => {
    assert.equal(
      err.message,
      `pull access denied for ${token.host}/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    );
    return codeOf(err) === 'NotFound';
  });
  await assert.rejects(pull(registry, token.host, { ...account, password: 'wrong' }));
});

test('a registry token is used as it is', async () => {
  using registry = new Registry();
  tokens.seen.length = 0;
  await push(registry, token.host, {
    registrytoken: signToken([{ type: 'repository', name: 'x', actions: ['pull', 'push'] }]),
  });
  assert.equal(tokens.seen.length, 0);
});

test('a push without rights is refused in the words of Docker', async () => {
  using registry = new Registry();
  await assert.rejects(push(registry, token.host), { message: 'denied: requested access to the resource is denied' });
});

test('credentials and tokens do not follow a redirect to another host', async () => {
  await using registryHost = await ScriptedRegistry.start();
  await using storage = await ScriptedRegistry.start();
  registryHost.add('x', 'latest', image);
  storage.add('x', 'latest', image);
  registryHost.behave = ({ request, response, next }) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end();
    } else if (request.method === 'GET' && request.path.includes('/blobs/')) {
      response.writeHead(307, { location: `${storage.url}${request.path}` }).end();
    } else next();
  };
  using registry = new Registry();
  await pull(registry, registryHost.host, account);
  assert.equal(storage.count(/GET .*blobs/), 2);
  assert.ok(storage.requests.every(({ headers }) => headers.authorization === undefined));
});

test('a token server that is no address, or less protected than the registry, gets no credentials', async () => {
  await using scripted = await ScriptedRegistry.start();
  using registry = new Registry({ retry: { attempts: 1 } });
  scripted.behave = ({ response }) =>
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }).end();
  await assert.rejects(pull(registry, scripted.host, account), /names a token server that has no address/);
});
