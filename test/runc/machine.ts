// A virtual machine for what this machine's kernel is not: Debian's cloud kernel in QEMU's software emulation (no KVM needed), with a
// busybox and our launcher in its initramfs. Both come from Debian's packages, unpacked into the test cache, not installed.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../harness/cache.ts';

export interface Machine {
  readonly qemu: string;
  readonly libraries: string;
  readonly firmware: string;
  readonly kernel: string;
  /** overlay.ko, which the cloud kernel has as a module. */
  readonly overlay: Buffer;
}

/** Unpacks the packages where that is not done yet; undefined where they cannot be had. */
export function machine(): Machine | undefined {
  if (process.arch !== 'x64') return undefined;
  const root = join(cacheDir(), 'qemu');
  if (!existsSync(root) && !unpack(root)) return undefined;
  const [kernel] = globSync('boot/vmlinuz-*', { cwd: root });
  const overlay = join(root, 'overlay.ko');
  if (kernel === undefined || !existsSync(overlay)) return undefined;
  return {
    qemu: join(root, 'usr/bin/qemu-system-x86_64'),
    libraries: ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu/pulseaudio']
      .map(path => join(root, path))
      .join(':'),
    firmware: join(root, 'usr/share'),
    kernel: join(root, kernel),
    overlay: readFileSync(overlay),
  };
}

function unpack(root: string): boolean {
  const work = `${root}.new-${process.pid}`;
  const run = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 100_000 });
  try {
    mkdirSync(join(work, 'root'), { recursive: true });
    const simulated = run('apt-get', ['install', '-s', '--no-install-recommends', 'qemu-system-x86']);
    const emulator = simulated.split('\n').flatMap(line => /^Inst (\S+)/.exec(line)?.[1] ?? []);
    const depends = run('apt-cache', ['depends', 'linux-image-cloud-amd64']);
    const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (kernel === undefined) return false;
    // Already installed ones are on the machine's own library path.
    run('apt-get', ['download', '-q', ...emulator, kernel]);
    for (const file of globSync('*.deb', { cwd: work })) run('dpkg-deb', ['-x', file, 'root']);
    // Of the kernel's modules only the one that is loaded.
    const [overlay] = globSync('root/lib/modules/*/kernel/fs/overlayfs/overlay.ko', { cwd: work });
    if (overlay === undefined) return false;
    const module = readFileSync(join(work, overlay));
    rmSync(join(work, 'root/lib/modules'), { recursive: true });
    for (const directory of ['usr/share/doc', 'usr/share/man', 'usr/bin/qemu-system-i386']) {
      rmSync(join(work, 'root', directory), { recursive: true, force: true });
    }
    writeFileSync(join(work, 'root/overlay.ko'), module);
    rmSync(root, { recursive: true, force: true });
    renameSync(join(work, 'root'), root);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export interface GuestFile {
  readonly path: string;
  readonly mode: number;
  readonly content?: Buffer | string;
}

/** cpio's newc format, which the kernel takes for an initramfs. */
function cpio(files: readonly GuestFile[]): Buffer {
  const parts: Buffer[] = [];
  const pad = (length: number) => Buffer.alloc((4 - (length % 4)) % 4);
  [...files, { path: 'TRAILER!!!', mode: 0 }].forEach((file, index) => {
    const content = Buffer.from(file.content ?? '');
    const name = Buffer.from(`${file.path}\0`);
    const fields = [index + 1, file.mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const header = Buffer.from(`070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`);
    parts.push(header, name, pad(header.length + name.length), content, pad(content.length));
  });
  return Buffer.concat(parts);
}

/** Boots with these files and returns what the console showed. The guest's /init must power off. */
export async function boot(
  { qemu, libraries, firmware, kernel }: Machine,
  files: readonly GuestFile[],
  timeoutMs: number,
): Promise<string> {
  const initramfs = join(cacheDir(), `initramfs-${process.pid}.cpio`);
  writeFileSync(initramfs, cpio(files));
  const child = spawn(
    qemu,
    [
      ...['-L', join(firmware, 'qemu'), '-L', join(firmware, 'seabios'), '-machine', 'q35,accel=tcg', '-cpu', 'max'],
      ...[
        '-m',
        '512',
        '-smp',
        '2',
        '-nodefaults',
        '-no-user-config',
        '-display',
        'none',
        '-serial',
        'stdio',
        '-no-reboot',
      ],
      ...['-kernel', kernel, '-initrd', initramfs, '-append', 'console=ttyS0 quiet panic=-1 loglevel=3'],
    ],
    { env: { ...process.env, LD_LIBRARY_PATH: libraries }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', data => {
      text += data;
    });
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    await new Promise(resolve => child.on('close', resolve));
  } finally {
    clearTimeout(timer);
    rmSync(initramfs, { force: true });
  }
  return text.replaceAll('\r\n', '\n');
}
