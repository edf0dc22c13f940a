import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMirror } from './hosts.ts';
import { InsecureRegistries } from './insecure.ts';

test('loopback is insecure without a flag, and so is a name that resolves to it', async () => {
  const insecure = new InsecureRegistries([], async name =>
    name === 'home.test' ? ['10.0.0.1', '127.0.0.9'] : ['10.0.0.1'],
  );
  for (const host of ['127.0.0.1:5000', '127.9.9.9', '[::1]:5000', 'home.test:5000', 'HOME.test']) {
    assert.equal(await insecure.has(host), true, host);
  }
  for (const host of ['10.0.0.1:5000', '[::2]', 'other.test', 'registry-1.docker.io'])
    assert.equal(await insecure.has(host), false, host);
});

test('hosts and networks can be made insecure', async () => {
  const insecure = new InsecureRegistries(
    ['x.io:5000', 'y.io', '10.1.0.0/16', 'fd00::/8', 'http://z.io'],
    async () => [],
  );
  for (const host of ['x.io:5000', 'X.io:5000', 'y.io', 'y.io:1234', '10.1.2.3:80', '[fd00::5]:5000', 'z.io']) {
    assert.equal(await insecure.has(host), true, host);
  }
  for (const host of ['x.io', 'x.io:5001', '10.2.0.1', '[fe00::1]'])
    assert.equal(await insecure.has(host), false, host);
});

test('what is no registry or network is refused', () => {
  for (const entry of ['10.0.0.0/33', 'x/y', '1.2.3.4/8/8', 'a b', '::1/200', '']) {
    assert.throws(() => new InsecureRegistries([entry]), /insecure registry .* is not valid/, entry);
  }
});

test('mirrors are checked as Docker checks them', () => {
  assert.equal(parseMirror('https://m.io/').href, 'https://m.io/');
  assert.throws(() => parseMirror('m.io'), /invalid mirror: "m.io" is not a valid URI/);
  assert.throws(
    () => parseMirror('ftp://m.io'),
    /invalid mirror: unsupported scheme "ftp" in "ftp:\/\/m.io": must use either 'https:\/\/' or 'http:\/\/'/,
  );
  assert.throws(() => parseMirror('https://u:p@m.io'), /invalid mirror: username\/password not allowed in URI/);
  assert.throws(() => parseMirror('https://m.io/?a=b'), /should not have a query/);
});
