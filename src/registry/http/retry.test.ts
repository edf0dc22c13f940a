import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgument, Unavailable } from '../../errdefs/index.ts';
import { parseRetryAfter, RegistryError } from './answer.ts';
import { defaultRetry, retrying } from './retry.ts';
import { failureInWords } from './words.ts';

const policy = { ...defaultRetry, attempts: 3, baseMs: 1, maxMs: 2 };

const failing = (times: number, err: () => Error) => {
  const attempt = async (): Promise<string> => {
    if (attempt.count++ < times) throw err();
    return 'done';
  };
  attempt.count = 0;
  return attempt;
};

test('what may pass is tried again, so many times', async () => {
  const twice = failing(2, () => new Unavailable('x'));
  assert.equal(await retrying(policy, twice), 'done');
  const always = failing(99, () => new Unavailable('x'));
  await assert.rejects(retrying(policy, always), { message: 'x' });
  assert.equal(always.count, 3);
});

test('what will not pass is not tried again', async () => {
  for (const err of [
    new InvalidArgument('x'),
    new RegistryError('NotFound', 'x', 404, []),
    new RegistryError('ResourceExhausted', 'x', 429, []),
  ]) {
    const attempt = failing(99, () => err);
    await assert.rejects(retrying(policy, attempt));
    assert.equal(attempt.count, 1);
  }
});

test('a certificate that does not fit is not tried again', async () => {
  const failure = Object.assign(new Error('x'), { code: 'CERT_HAS_EXPIRED' });
  const attempt = failing(99, () => failureInWords({ method: 'GET', url: new URL('https://x/') }, failure));
  await assert.rejects(retrying(policy, attempt), /certificate has expired/);
  assert.equal(attempt.count, 1);
});

test('progress starts the count anew', async () => {
  let offset = 0;
  const attempt = failing(9, () => {
    offset += 1;
    return new Unavailable('x');
  });
  assert.equal(await retrying(policy, attempt, { progress: () => offset }), 'done');
});

test('an abort ends the wait', async () => {
  const stop = new AbortController();
  const slow = { ...policy, baseMs: 60_000, maxMs: 60_000 };
  const waiting = retrying(
    slow,
    failing(9, () => new Unavailable('x')),
    { signal: stop.signal, onRetry: () => stop.abort() },
  );
  await assert.rejects(waiting, { name: 'AbortError' });
});

test('Retry-After is seconds or a date', () => {
  assert.equal(parseRetryAfter('3'), 3000);
  assert.equal(parseRetryAfter('nonsense'), undefined);
  assert.equal(parseRetryAfter(undefined), undefined);
  const soon = parseRetryAfter(new Date(Date.now() + 5000).toUTCString()) as number;
  assert.ok(soon > 3000 && soon <= 5000);
  assert.equal(parseRetryAfter(new Date(0).toUTCString()), 0);
});
