import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Random } from '../../netlink/testing/random.ts';
import { AddressPool } from './address-pool.ts';
import {
  contains,
  formatAddress,
  formatPrefix,
  lastAddress,
  overlaps,
  parseAddress,
  parsePrefix,
  prefixOf,
} from './prefix.ts';
import { checkAddressPools, chooseSubnet, defaultAddressPools, refuseOverlap, uniqueLocalPool } from './subnets.ts';

describe('prefixes', () => {
  test('are read and written, and host bits refused with what was meant', () => {
    for (const text of ['10.0.0.0/8', '172.17.16.0/20', '0.0.0.0/0', '192.0.2.7/32', 'fd00::/8', '2001:db8::/127']) {
      assert.equal(formatPrefix(parsePrefix(text)), text);
    }
    assert.throws(() => parsePrefix('10.99.0.1/24'), /invalid subnet 10.99.0.1\/24: it should be 10.99.0.0\/24/);
    for (const bad of ['10.0.0.0', '10.0.0.0/33', 'fd00::/129', 'x/8', '', '10.0.0.0/-1', 'fe80::1%eth0/64']) {
      assert.throws(() => parsePrefix(bad), /invalid CIDR block notation/, bad);
    }
  });

  test('overlap exactly when one holds an end of the other', () => {
    const random = new Random(1);
    for (let round = 0; round < 500; round++) {
      const one = () => prefixOf(BigInt(random.next()), 32, random.below(33));
      const [a, b] = [one(), one()];
      const expected = contains(a, b.base) || contains(a, lastAddress(b)) || contains(b, a.base);
      assert.equal(overlaps(a, b), expected, `${formatPrefix(a)} ${formatPrefix(b)}`);
    }
    assert.equal(overlaps(parsePrefix('0.0.0.0/0'), parsePrefix('::/0')), false);
  });
});

describe('the addresses of a subnet', () => {
  test('move forward, and come back last', () => {
    const pool = new AddressPool(parsePrefix('10.0.0.0/29'));
    const all = Array.from({ length: 6 }, () => pool.allocate());
    assert.deepEqual(
      all,
      [1, 2, 3, 4, 5, 6].map(i => `10.0.0.${i}`),
    );
    assert.throws(() => pool.allocate(), { code: 'ResourceExhausted' });
    pool.release('10.0.0.2');
    pool.release('10.0.0.5');
    assert.equal(pool.allocate(), '10.0.0.2', 'better an address that rests than none');
    assert.equal(pool.allocate(), '10.0.0.5');
  });

  test('one that was given back rests while others are free', () => {
    const pool = new AddressPool(parsePrefix('10.0.0.0/29'));
    for (let i = 0; i < 5; i++) pool.allocate();
    pool.release('10.0.0.1');
    pool.release('10.0.0.3');
    assert.equal(pool.allocate(), '10.0.0.6');
  });

  test('of a range only, though any address of the subnet can be asked for', () => {
    const pool = new AddressPool(parsePrefix('10.0.0.0/24'), parsePrefix('10.0.0.128/25'));
    assert.equal(pool.allocate(), '10.0.0.128');
    pool.reserve('10.0.0.7');
    assert.throws(() => pool.reserve('10.0.0.7'), { code: 'Conflict', message: 'Address already in use' });
    assert.throws(() => pool.reserve('10.0.1.7'), { code: 'InvalidArgument' });
    assert.throws(() => pool.reserve('fd00::1'), { code: 'InvalidArgument' });
  });

  test('of /31 and /32 are all good', () => {
    const two = new AddressPool(parsePrefix('10.0.0.0/31'));
    assert.deepEqual([two.allocate(), two.allocate()], ['10.0.0.0', '10.0.0.1']);
    assert.equal(new AddressPool(parsePrefix('10.0.0.9/32')).allocate(), '10.0.0.9');
  });

  test('of a /64 cost no more than those of a /24', () => {
    const pool = new AddressPool(parsePrefix('fd00::/64'));
    for (let i = 1; i <= 1000; i++)
      assert.equal(pool.allocate(), formatAddress(parseAddress('fd00::').value + BigInt(i), 128));
    assert.equal(pool.taken, 1000);
  });
});

describe('subnets of our own choice', () => {
  test('keep clear of networks and routes', () => {
    const taken = [
      { prefix: parsePrefix('172.17.0.0/20'), owner: 'network bridge' },
      { prefix: parsePrefix('172.17.16.0/22'), owner: 'host route 172.17.16.0/22' },
    ];
    assert.equal(formatPrefix(chooseSubnet(defaultAddressPools, 32, taken)), '172.17.32.0/20');
  });

  test('jump over what is bigger than they are', () => {
    const taken = [{ prefix: parsePrefix('172.16.0.0/12'), owner: 'host route 172.16.0.0/12' }];
    assert.equal(formatPrefix(chooseSubnet(defaultAddressPools, 32, taken)), '192.168.0.0/24');
  });

  test('are many, and the error says what is in the way when they are used up', () => {
    const taken: { prefix: ReturnType<typeof parsePrefix>; owner: string }[] = [];
    for (let i = 0; i < 15 * 16 + 256; i++) {
      taken.push({ prefix: chooseSubnet(defaultAddressPools, 32, taken), owner: `network n${i}` });
    }
    assert.throws(() => chooseSubnet(defaultAddressPools, 32, taken), {
      code: 'InvalidArgument',
      message:
        /^all predefined address pools have been fully subnetted: in use are 172\.17\.0\.0\/20 \(network n0\).* and 488 more$/,
    });
    const wide = [{ prefix: parsePrefix('10.0.0.0/8'), owner: 'VPN' }];
    assert.throws(
      () => chooseSubnet([{ base: '10.0.0.0/8', size: 24 }], 32, wide),
      /in use are 10\.0\.0\.0\/8 \(VPN\)$/,
    );
  });

  test('of IPv6 are the same for the same engine', () => {
    const pool = uniqueLocalPool('engine');
    assert.deepEqual(pool, uniqueLocalPool('engine'));
    assert.notDeepEqual(pool, uniqueLocalPool('other'));
    assert.match(formatPrefix(chooseSubnet([pool], 128, [])), /^fd[0-9a-f:]+::\/64$/);
  });

  test('a subnet that a network has is refused with its name', () => {
    assert.throws(
      () => refuseOverlap(parsePrefix('10.0.1.0/24'), [{ prefix: parsePrefix('10.0.0.0/16'), owner: 'network red' }]),
      {
        code: 'PermissionDenied',
        message: /^invalid pool request: Pool overlaps with other one on this address space: .*network red$/,
      },
    );
    assert.throws(() => checkAddressPools([{ base: '10.0.0.0/16', size: 8 }]), { code: 'InvalidArgument' });
  });
});
