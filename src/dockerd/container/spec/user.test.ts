import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUser } from './user.ts';

const passwd =
  'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33::/var/www:/bin/false\n# no user\nada:x:1000:1000::/home/ada:/bin/sh\n';
const group = 'root:x:0:\nweb:x:33:\nada:x:1000:\nwheel:x:10:ada,web\nvideo:x:44:\n';

const resolve = (spec: string, add: string[] = []) => resolveUser(spec, add, passwd, group);

test('names and numbers, with the groups that list the user', () => {
  assert.deepEqual(resolve(''), { uid: 0, gid: 0, additionalGids: [0], home: '/root' });
  assert.deepEqual(resolve('ada'), { uid: 1000, gid: 1000, additionalGids: [1000, 10], home: '/home/ada' });
  assert.deepEqual(resolve('33'), { uid: 33, gid: 33, additionalGids: [33, 10], home: '/var/www' });
  assert.deepEqual(resolve('4711'), { uid: 4711, gid: 0, additionalGids: [0], home: '/' });
});

test('a named group takes the place of all others; --group-add comes on top', () => {
  assert.deepEqual(resolve('ada:video').additionalGids, [44]);
  assert.deepEqual(resolve('ada:7').gid, 7);
  assert.deepEqual(resolve('web', ['video', '99']).additionalGids, [33, 10, 44, 99]);
});

test("what is not there is refused in Docker's words", () => {
  assert.throws(() => resolve('nobody'), { message: 'unable to find user nobody: no matching entries in passwd file' });
  assert.throws(() => resolve('ada:nogroup'), { message: /unable to find group nogroup/i });
  assert.throws(() => resolve('99999999999'), { message: 'uids and gids must be in range 0-2147483647' });
});
