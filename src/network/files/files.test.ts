import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { hostnameFile, hostsFile, parseExtraHosts } from './hosts.ts';
import {
  bridgeResolvConf,
  hostModeResolvConf,
  internalResolvConf,
  parseResolvConf,
  readHostResolvConf,
  upstreamServers,
} from './resolv-conf.ts';

describe('/etc/hosts', () => {
  test('is that of Docker, line by line', () => {
    assert.equal(
      hostsFile({ hostname: 'myhost', addresses: ['172.17.0.3'] }),
      `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
172.17.0.3\tmyhost
`,
    );
  });

  test('has extra hosts, links, every address and the domain', () => {
    const extra = parseExtraHosts(
      ['db:10.0.0.1', 'six=[fd00::1]', 'host.docker.internal:host-gateway'],
      ['172.17.0.1', 'fd00::9'],
    );
    const file = hostsFile({
      hostname: 'h',
      domainname: 'example.org',
      addresses: ['10.0.0.2', 'fd00::2'],
      extra,
      links: [{ address: '172.17.0.9', names: ['web', 'abc'] }],
      withoutIPv6: true,
    });
    assert.equal(
      file,
      `127.0.0.1\tlocalhost
10.0.0.1\tdb
fd00::1\tsix
172.17.0.1\thost.docker.internal
fd00::9\thost.docker.internal
172.17.0.9\tweb abc
10.0.0.2\th.example.org h
fd00::2\th.example.org h
`,
    );
    assert.equal(hostnameFile('h'), 'h\n');
  });

  test('refuses extra hosts that are none', () => {
    for (const bad of ['name', ':1.2.3.4', 'name:1.2.3', 'name:', '']) {
      assert.throws(() => parseExtraHosts([bad], []), { code: 'InvalidArgument' }, bad);
    }
    assert.throws(() => parseExtraHosts(['x:host-gateway'], []), /unable to derive the IP value for host-gateway/);
  });
});

const host = parseResolvConf(`# comment
nameserver 127.0.0.53   ; local
nameserver 192.0.2.53
nameserver fd00::53
nameserver fe80::1%eth0
nameserver nonsense
domain old.example
search a.example b.example
options edns0
options trust-ad
`);
const lines = (file: string): string[] => file.split('\n').filter(line => line !== '' && !line.startsWith('#'));

describe('/etc/resolv.conf', () => {
  test('of the host is read as resolv.conf(5) says', () => {
    assert.deepEqual(host, {
      nameservers: ['127.0.0.53', '192.0.2.53', 'fd00::53', 'fe80::1%eth0'],
      search: ['a.example', 'b.example'],
      options: ['edns0', 'trust-ad'],
    });
  });

  test('on the default bridge has what a container can reach', () => {
    assert.deepEqual(lines(bridgeResolvConf(host, {}, false)), [
      'nameserver 192.0.2.53',
      'search a.example b.example',
      'options edns0 trust-ad',
    ]);
    const local = parseResolvConf('nameserver 127.0.0.1\n');
    assert.deepEqual(lines(bridgeResolvConf(local, {}, false)), ['nameserver 8.8.8.8', 'nameserver 8.8.4.4']);
    assert.equal(lines(bridgeResolvConf(local, {}, true)).length, 4);
  });

  test('has what the user said instead', () => {
    const overrides = { nameservers: ['127.0.0.1'], search: ['.'], options: ['ndots:3'] };
    assert.deepEqual(lines(bridgeResolvConf(host, overrides, false)), ['nameserver 127.0.0.1', 'options ndots:3']);
    assert.deepEqual(lines(hostModeResolvConf(host, {})).length, 6);
  });

  test('on other networks names our resolver, and no ndots of its own but nought', () => {
    assert.deepEqual(lines(internalResolvConf(host, {})), [
      'nameserver 127.0.0.11',
      'search a.example b.example',
      'options edns0 trust-ad ndots:0',
    ]);
    assert.deepEqual(lines(internalResolvConf(host, { options: ['ndots:2'] }))[2], 'options ndots:2');
  });

  test('the resolver asks the servers of the user, else those of the host', () => {
    assert.deepEqual(upstreamServers(host, {}).servers.length, 4);
    assert.deepEqual(upstreamServers(host, { nameservers: ['1.1.1.1'] }), { servers: ['1.1.1.1'], fromHost: false });
    assert.deepEqual(upstreamServers(parseResolvConf(''), {}).servers, ['8.8.8.8', '8.8.4.4']);
  });

  test('behind the stub of systemd-resolved the real servers are found', () => {
    const folder = mkdtempSync('/tmp/nw-resolv-');
    const [etc, real] = [join(folder, 'etc'), join(folder, 'real')];
    writeFileSync(etc, 'nameserver 127.0.0.53\n');
    writeFileSync(real, 'nameserver 192.0.2.1\n');
    assert.deepEqual(readHostResolvConf(etc, real).nameservers, ['192.0.2.1']);
    assert.deepEqual(readHostResolvConf(etc, join(folder, 'none')).nameservers, ['127.0.0.53']);
    assert.deepEqual(readHostResolvConf(join(folder, 'none'), 'x').nameservers, []);
    rmSync(folder, { recursive: true });
  });
});
