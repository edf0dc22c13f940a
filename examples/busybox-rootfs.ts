// A root file system made of the machine's static busybox (Debian: busybox-static), or of the one in Debian's package.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeader, endOfArchive, type NewEntry, paddingOf } from '../src/containerd/index.ts';

/** The tar that `docker import` takes. */
export async function busyboxRootfs(scratch: string): Promise<Buffer> {
  const busybox = findBusybox(scratch);
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' })
    .split('\n')
    .filter(name => name !== '' && name !== 'busybox');
  const parts: Buffer[] = [];
  const add = (entry: NewEntry, data: Uint8Array = Buffer.alloc(0)): void => {
    parts.push(
      encodeHeader({ mtimeSec: 1_700_000_000, ...entry, size: data.length }),
      Buffer.from(data),
      Buffer.alloc(paddingOf(data.length)),
    );
  };
  for (const path of ['bin', 'etc', 'root', 'tmp', 'usr', 'usr/bin', 'var']) {
    add({ type: 'directory', path, mode: path === 'tmp' ? 0o1777 : path === 'root' ? 0o700 : 0o755 });
  }
  add({ type: 'file', path: 'bin/busybox', mode: 0o755 }, readFileSync(busybox));
  for (const applet of applets) add({ type: 'symlink', path: `bin/${applet}`, mode: 0o777, linkName: 'busybox' });
  add({ type: 'file', path: 'etc/passwd', mode: 0o644 }, Buffer.from('root:x:0:0:root:/root:/bin/sh\n'));
  add({ type: 'file', path: 'etc/group', mode: 0o644 }, Buffer.from('root:x:0:\n'));
  return Buffer.concat([...parts, endOfArchive]);
}

function findBusybox(scratch: string): string {
  for (const path of ['/usr/bin/busybox', '/bin/busybox']) if (existsSync(path) && isStatic(path)) return path;
  // Debian's package, unpacked beside, not installed.
  const dir = join(scratch, 'busybox');
  mkdirSync(dir);
  try {
    execFileSync('apt-get', ['download', 'busybox-static'], { cwd: dir, stdio: 'ignore' });
  } catch {
    execFileSync('apt-get', ['update', '-q'], { stdio: 'ignore' });
    execFileSync('apt-get', ['download', 'busybox-static'], { cwd: dir, stdio: 'ignore' });
  }
  const deb = readdirSync(dir).find(name => name.endsWith('.deb'))!;
  execFileSync('dpkg-deb', ['-x', join(dir, deb), dir]);
  return ['usr/bin/busybox', 'bin/busybox'].map(path => join(dir, path)).find(existsSync)!;
}

/** A program without an interpreter segment needs no libraries. */
const isStatic = (path: string): boolean => !readFileSync(path).subarray(0, 4096).includes('/lib64/ld-linux');
