// A small image made of Debian's busybox-static: the docker-archive that `docker load` takes.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from './cache.ts';
import { command } from './command.ts';

/** The name under which the archive's image is loaded. */
export const busyboxImage = 'busybox:latest';

/** Path of the docker-archive of `busybox:latest`, made at the first call; undefined where the machine has no static busybox. */
export async function busyboxArchive(): Promise<string | undefined> {
  const archive = join(cacheDir(), 'busybox-2.tar');
  if (existsSync(archive)) return archive;
  const busybox = ['/usr/bin/busybox', '/bin/busybox'].find(existsSync);
  if (busybox === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'berth-busybox-'));
  try {
    await rootfs(busybox, join(dir, 'rootfs'));
    await must(
      'tar',
      '--numeric-owner',
      '--owner=0',
      '--group=0',
      '--mtime=@1700000000',
      '--sort=name',
      '-C',
      join(dir, 'rootfs'),
      '-cf',
      join(dir, 'layer.tar'),
      '.',
    );
    const layer = readFileSync(join(dir, 'layer.tar'));
    const diffId = sha256(layer);
    const config = JSON.stringify({
      created: '2023-11-14T22:13:20Z',
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
      history: [{ created: '2023-11-14T22:13:20Z', created_by: 'COPY rootfs / # buildkit' }],
    });
    const image = join(dir, 'image');
    mkdirSync(join(image, diffId), { recursive: true });
    renameSync(join(dir, 'layer.tar'), join(image, diffId, 'layer.tar'));
    writeFileSync(join(image, `${sha256(config)}.json`), config);
    writeFileSync(
      join(image, 'manifest.json'),
      JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: [busyboxImage], Layers: [`${diffId}/layer.tar`] }]),
    );
    await must('tar', '-C', image, '-cf', `${archive}.${process.pid}`, '.');
    renameSync(`${archive}.${process.pid}`, archive);
    return archive;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** busybox with its applets, and the few files that programs expect. */
async function rootfs(busybox: string, root: string): Promise<void> {
  for (const dir of ['bin', 'etc', 'root', 'tmp', 'var/www', 'home/berth', 'usr/bin'])
    mkdirSync(join(root, dir), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  const applets = (await must(busybox, '--list')).split('\n').filter(name => name !== '' && name !== 'busybox');
  for (const applet of applets) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nberth:x:1000:1000::/home/berth:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nwheel:x:10:berth\nberth:x:1000:\nnogroup:x:65534:\n');
  await must('chmod', '1777', join(root, 'tmp'));
  await must('chown', '1000:1000', join(root, 'home/berth'));
}

async function must(file: string, ...args: string[]): Promise<string> {
  const outcome = await command(file, args);
  if (outcome.code !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${outcome.code}: ${outcome.stderr}`);
  return outcome.stdout;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
