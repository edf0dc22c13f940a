import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  choosePlatform,
  formatPlatform,
  formatPlatformFully,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  platformRank,
} from './platform.ts';

const amd64 = { os: 'linux', architecture: 'amd64' };
const format = (text: string): string => formatPlatform(parsePlatform(text, amd64));

test('platform specifiers are read as containerd reads them', () => {
  assert.equal(format('linux/arm64/v8'), 'linux/arm64');
  assert.equal(format('aarch64'), 'linux/arm64');
  assert.equal(format('arm'), 'linux/arm/v7');
  assert.equal(format('linux/arm/6'), 'linux/arm/v6');
  assert.equal(format('x86_64'), 'linux/amd64');
  assert.equal(format('windows'), 'windows/amd64');
  assert.equal(format('linux/amd64/v1'), 'linux/amd64');
  assert.equal(format('linux/i386'), 'linux/386');
  assert.equal(format('LINUX/AMD64'), 'linux/amd64');
  assert.equal(format('made/up'), 'made/up');
});

test('a bad specifier is refused in containerd words', () => {
  assert.throws(
    () => parsePlatform('nonsense', amd64),
    /^InvalidArgument: "nonsense": unknown operating system or architecture/,
  );
  assert.throws(() => parsePlatform('linux/am d64', amd64), /"am d64" is an invalid component of "linux\/am d64"/);
  assert.throws(() => parsePlatform('a/b/c/d', amd64), /"a\/b\/c\/d": cannot parse platform specifier/);
  assert.throws(() => parsePlatform('', amd64), /is an invalid component/);
});

test('messages spell arm64 with its variant', () => {
  assert.equal(formatPlatformFully({ os: 'linux', architecture: 'arm64' }), 'linux/arm64/v8');
  assert.equal(formatPlatformFully(amd64), 'linux/amd64');
});

test('the best runnable offer is chosen', () => {
  const offers = ['linux/386', 'linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4', 'linux/arm/v6', 'linux/arm64'].map(
    text => ({
      platform: parsePlatform(text, amd64),
    }),
  );
  const choose = (text: string): string => {
    const offer = choosePlatform(offers, parsePlatform(text, amd64));
    return offer === undefined ? 'none' : formatPlatform(offer.platform);
  };
  assert.equal(choose('linux/amd64'), 'linux/amd64');
  assert.equal(choose('linux/amd64/v3'), 'linux/amd64/v2');
  assert.equal(choose('linux/386'), 'linux/386');
  assert.equal(choose('linux/arm'), 'linux/arm/v6');
  assert.equal(choose('linux/arm/v5'), 'none');
  assert.equal(choose('linux/arm64'), 'linux/arm64');
  assert.equal(choose('linux/arm64/v9'), 'linux/arm64');
  assert.equal(choose('linux/s390x'), 'none');
  assert.equal(choosePlatform([{ platform: { os: 'unknown', architecture: 'unknown' } }, {}], amd64), undefined);
});

test('arm64 falls back to arm, amd64 to 386, never the other way', () => {
  assert.notEqual(
    platformRank({ os: 'linux', architecture: 'arm64' }, { os: 'linux', architecture: 'arm', variant: 'v7' }),
    undefined,
  );
  assert.notEqual(platformRank(amd64, { os: 'linux', architecture: '386' }), undefined);
  assert.equal(platformRank({ os: 'linux', architecture: '386' }, amd64), undefined);
  assert.equal(platformRank(amd64, { os: 'windows', architecture: 'amd64' }), undefined);
});

test('the host has a normalised platform', () => {
  assert.equal(hostPlatform().os, 'linux');
  assert.deepEqual(normalizePlatform(hostPlatform()), hostPlatform());
});
