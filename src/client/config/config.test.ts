import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { parseLine } from '../command/flags.ts';
import { loadConfig, saveConfig } from './config-file.ts';
import { listContexts, readContextEndpoint, removeContext, writeContext } from './context-store.ts';
import { encodeAuth, findCredentials, hubAddress, registryAuth } from './credentials.ts';
import { contextName, globalFlags, readGlobalOptions, resolveEndpoint } from './global-options.ts';
import { proxyVariables } from './proxies.ts';

const directory = mkdtempSync(`${tmpdir()}/berth-client-config-`);
after(() => rmSync(directory, { recursive: true }));
for (const name of ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_CONFIG'])
  delete process.env[name];

const options = (...words: string[]) =>
  readGlobalOptions(parseLine(['--config', directory, ...words], globalFlags(), false).flags);

test('config.json keeps what we do not know, and its mode', () => {
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${directory}/config.json`, '{"future":{"x":1},"currentContext":"a"}');
  chmodSync(`${directory}/config.json`, 0o640);
  const config = loadConfig(directory, assert.fail);
  saveConfig(directory, { ...config, currentContext: 'b' });
  assert.deepEqual(JSON.parse(readFileSync(`${directory}/config.json`, 'utf8')), {
    future: { x: 1 },
    currentContext: 'b',
  });
  assert.equal(statSync(`${directory}/config.json`).mode & 0o777, 0o640);
});

test('a broken config.json is warned about, and passed over', () => {
  const broken = `${directory}/broken`;
  mkdirSync(broken);
  writeFileSync(`${broken}/config.json`, '{');
  const warnings: string[] = [];
  assert.deepEqual(
    loadConfig(broken, warning => warnings.push(warning)),
    {},
  );
  assert.match(warnings.join(), /^WARNING: Error parsing config file/);
});

test('the daemon is chosen by -c, -H, DOCKER_HOST, DOCKER_CONTEXT, config.json, in this order', () => {
  writeContext(directory, {
    Name: 'far',
    Metadata: {},
    Endpoints: { docker: { Host: 'tcp://far:1', SkipTLSVerify: false } },
  });
  const config = { currentContext: 'far' };
  assert.equal(resolveEndpoint(options(), {}).url, 'unix:///var/run/docker.sock');
  assert.equal(resolveEndpoint(options(), config).url, 'tcp://far:1');
  assert.equal(resolveEndpoint(options('-H', 'unix:///h'), config).url, 'unix:///h');
  process.env.DOCKER_HOST = 'unix:///e';
  assert.equal(resolveEndpoint(options(), config).url, 'unix:///e');
  assert.equal(resolveEndpoint(options('-c', 'far'), {}).url, 'tcp://far:1');
  delete process.env.DOCKER_HOST;
  process.env.DOCKER_CONTEXT = 'default';
  assert.equal(contextName(options(), config), 'default');
  delete process.env.DOCKER_CONTEXT;
  assert.throws(
    () => resolveEndpoint(options('-c', 'nope'), {}),
    /Failed to initialize: unable to resolve docker endpoint: context "nope": context not found/,
  );
});

test('contexts are stored where Docker stores them', () => {
  writeContext(directory, {
    Name: 'cl',
    Metadata: {},
    Endpoints: { docker: { Host: 'tcp://1.2.3.4:5', SkipTLSVerify: false } },
  });
  statSync(`${directory}/contexts/meta/d192375885ec7d50df1287cb5e19b55d4a79f1cdd1597b9cc52fd59e05da6730/meta.json`);
  assert.deepEqual(
    listContexts(directory).map(context => context.Name),
    ['cl', 'far'],
  );
  assert.equal(readContextEndpoint(directory, 'cl').url, 'tcp://1.2.3.4:5');
  removeContext(directory, 'cl');
  assert.deepEqual(
    listContexts(directory).map(context => context.Name),
    ['far'],
  );
});

test("credentials come from the file, Docker Hub's under its old address", async () => {
  const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') });
  const config = {
    auths: {
      [hubAddress]: auth('bob:se:cret'),
      'https://reg.example/v1/': auth('eve:x'),
      'tok.example': { identitytoken: 't' },
    },
  };
  assert.deepEqual(await findCredentials(config, hubAddress), {
    username: 'bob',
    password: 'se:cret',
    serveraddress: hubAddress,
  });
  assert.equal((await findCredentials(config, 'reg.example')).username, 'eve');
  const header = (await registryAuth(config, 'tok.example'))['X-Registry-Auth']!;
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).identitytoken, 't');
  assert.equal((await registryAuth(config, 'other.example'))['X-Registry-Auth'], 'e30=');
  assert.doesNotMatch(encodeAuth({ username: '~~~???', password: '>>>', serveraddress: '' }), /[+/]/);
});

test('a credential helper is asked', async () => {
  const bin = `${directory}/bin`;
  mkdirSync(bin);
  writeFileSync(
    `${bin}/docker-credential-fake`,
    '#!/bin/sh\nread address\n[ "$address" = reg.example ] || exit 1\necho \'{"Username":"h","Secret":"s"}\'\n',
    { mode: 0o755 },
  );
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  try {
    const config = { credsStore: 'fake' };
    assert.deepEqual(await findCredentials(config, 'reg.example'), {
      username: 'h',
      password: 's',
      serveraddress: 'reg.example',
    });
    assert.equal((await findCredentials(config, 'other.example')).username, '');
    assert.equal((await findCredentials({ credsStore: 'not-installed' }, 'reg.example')).username, '');
  } finally {
    process.env.PATH = before;
  }
});

test('proxies are given in both cases, those of the daemon before the default', () => {
  const config = { proxies: { default: { httpProxy: 'http://a' }, 'unix:///x': { noProxy: 'b' } } };
  assert.deepEqual(proxyVariables(config, 'unix:///y'), { HTTP_PROXY: 'http://a', http_proxy: 'http://a' });
  assert.deepEqual(proxyVariables(config, 'unix:///x'), { NO_PROXY: 'b', no_proxy: 'b' });
});
