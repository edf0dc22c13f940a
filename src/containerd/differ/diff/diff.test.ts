import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { native } from '../../../launcher/index.ts';
import { describeTree } from '../../testing/archives.ts';
import { openRegular } from '../apply/open-regular.ts';
import { listChanges } from './changes.ts';
import { exportTree } from './export-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync('/tmp/berth-diff-');
  for (const name of ['low', 'mid', 'up', 'out']) mkdirSync(join(root, name));
});
afterEach(() => rmSync(root, { recursive: true }));

const sh = (script: string) => execFileSync('sh', ['-ec', script], { cwd: root });
const at = (name: string) => join(root, name);

const layers = `
  mkdir -p low/etc low/gone low/kept/sub; echo a > low/etc/a; echo b > low/etc/b; echo x > low/gone/x; echo o > low/kept/old
  ln -s a low/etc/link; mknod low/fifo p; chmod 1777 low/kept; touch -d '2001-02-03 04:05:06.5' low/etc/a
  mkdir -p mid/etc mid/kept; echo B > mid/etc/b; chmod 1777 mid/kept
  mkdir -p up/etc up/kept up/new; echo n > up/new/f; ln up/new/f up/new/g; mknod up/gone c 0 0; mknod up/etc/a c 0 0; chmod 1777 up/kept; echo k > up/kept/fresh`;

test('changes are told as docker diff tells them', async () => {
  sh(layers);
  native().lsetxattr(at('up/kept'), 'trusted.overlay.opaque', Buffer.from('y'), 0);
  const changes = await listChanges(at('up'), [at('mid'), at('low')]);
  assert.deepEqual(
    changes.map(({ kind, path }) => `${kind} ${path}`),
    [
      'modified /etc',
      'deleted /etc/a',
      'deleted /gone',
      'modified /kept',
      'added /kept/fresh',
      'added /new',
      'added /new/f',
      'added /new/g',
    ],
  );
});

test('a whole tree is exported as overlayfs would show it', () => {
  sh(layers);
  native().lsetxattr(at('up/kept'), 'trusted.overlay.opaque', Buffer.from('y'), 0);
  native().lsetxattr(at('mid/etc/b'), 'user.note', Buffer.from([0, 255]), 0);
  const tar = Buffer.concat([...exportTree([at('up'), at('mid'), at('low')])]);
  execFileSync('tar', ['-xp', '--xattrs', '--xattrs-include=*', '-C', at('out')], { input: tar });
  // The kernel's own view, copied out in a mount namespace that ends with it.
  mkdirSync(at('work'));
  mkdirSync(at('merged'));
  mkdirSync(at('expected'));
  const mount = `mount -t overlay -o lowerdir=${at('mid')}:${at('low')},upperdir=${at('up')},workdir=${at('work')} x ${at('merged')}`;
  execFileSync('unshare', ['-m', 'sh', '-ec', `${mount}; cp -a ${at('merged')}/. ${at('expected')}`]);
  const [, ...expected] = describeTree(at('expected'));
  const [, ...exported] = describeTree(at('out'));
  assert.deepEqual(exported, expected);
});

test('only regular files are opened, whatever takes their place', () => {
  sh('mknod fifo p; mknod null c 1 3; ln -s /etc/passwd link; echo x > file');
  const directory = openSync(root, 'r');
  try {
    for (const name of ['fifo', 'null', 'low']) {
      assert.throws(() => openRegular(directory, name), { code: 'InvalidArgument', message: /not a regular file/ });
    }
    assert.throws(() => openRegular(directory, 'link'), { code: 'InvalidArgument' });
    closeSync(openRegular(directory, 'file'));
  } finally {
    closeSync(directory);
  }
});
