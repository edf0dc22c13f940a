import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readLayeredFiles } from './layers.ts';

test('the topmost layer wins, and no link leads out of the root', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'berth-layers-'));
  try {
    const make = (file: string, content: string) => {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), content);
    };
    make('upper/etc/passwd', 'upper');
    make('lower/etc/passwd', 'lower');
    make('lower/etc/group', 'lower group');
    make('lower/real/inside', 'inside the root');
    make('secret', 'of the host');
    symlinkSync(path.join(root, 'secret'), path.join(root, 'lower/absolute'));
    symlinkSync('../../../../secret', path.join(root, 'lower/etc/relative'));
    symlinkSync('../../..', path.join(root, 'lower/up'));
    symlinkSync('/real/inside', path.join(root, 'upper/linked'));
    symlinkSync('loop', path.join(root, 'lower/loop'));
    const layers = [path.join(root, 'upper'), path.join(root, 'lower')];
    const files = [
      '/etc/passwd',
      '/etc/group',
      '/linked',
      '/absolute',
      '/etc/relative',
      '/up/secret',
      '/loop',
      '/etc',
      '/nosuch',
    ];
    assert.deepEqual(readLayeredFiles(layers, files), [
      'upper',
      'lower group',
      'inside the root',
      '',
      '',
      '',
      '',
      '',
      '',
    ]);
    assert.deepEqual(readLayeredFiles(layers, ['/etc/passwd'], 3), [''], 'too large');
  } finally {
    rmSync(root, { recursive: true });
  }
});
