// runtime-spec config-linux.md "Sysctl": only what belongs to a namespace of the container's own may be set; everything else would be
// the host's (kernel.core_pattern is a way out of the container).

import { Internal, InvalidArgument } from '../../errdefs/index.ts';
import type { At, Op, Slot } from '../../launcher/index.ts';
import type { NamespaceType } from '../../oci/index.ts';
import type { Compilation } from '../compilation.ts';
import * as n from '../numbers.ts';

const ipcNames: ReadonlySet<string> = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);

/** Dots and slashes may both separate; the first one met decides, the other then stands for itself (`net/ipv4/conf/eth0.1/x`, `net.ipv4.conf.eth0/1.x`). */
export function sysctlPath(name: string): string {
  const path = name[name.search(/[./]/)] === '/' ? name : name.replace(/[./]/g, mark => (mark === '.' ? '/' : '.'));
  if (path.split('/').some(part => part === '' || part === '..' || part === '.')) {
    throw new InvalidArgument(`invalid sysctl name "${name}"`);
  }
  return path;
}

/** The namespace that the sysctl belongs to; undefined for one of the host. */
function namespaceOf(name: string): NamespaceType | undefined {
  if (ipcNames.has(name) || name.startsWith('fs.mqueue.')) return 'ipc';
  if (name.startsWith('net.')) return 'network';
  if (name === 'kernel.domainname' || name === 'kernel.hostname') return 'uts';
  if (name.startsWith('user.')) return 'user';
  return undefined;
}

/** A file of the procfs in `proc`: through no link and no mount over it (CVE-2025-52881). */
export function procPath(proc: Slot | undefined, path: string): At {
  if (proc === undefined) throw new Internal('no procfs was opened');
  return { dir: proc, path, resolve: n.RESOLVE_BENEATH | n.RESOLVE_NO_SYMLINKS | n.RESOLVE_NO_XDEV };
}

/** The writes, each through a procfs that nothing can be mounted over. */
export function sysctlWrites(compilation: Compilation, proc: Slot | undefined): readonly Op[] {
  const { spec } = compilation;
  const namespaces = new Map((spec.linux?.namespaces ?? []).map(({ type, path }) => [type, path]));
  return Object.entries(spec.linux?.sysctl ?? {}).map(([name, value]) => {
    const path = sysctlPath(name);
    const namespace = namespaceOf(path.replaceAll(/[./]/g, mark => (mark === '/' ? '.' : '/')));
    if (namespace === undefined) throw new InvalidArgument(`sysctl "${name}" is not in a separate kernel namespace`);
    if (!namespaces.has(namespace)) {
      throw new InvalidArgument(
        namespace === 'network'
          ? `sysctl "${name}" not allowed in host network namespace`
          : `sysctl "${name}" is not allowed in the hosts ${namespace} namespace`,
      );
    }
    if (path === 'kernel/hostname')
      throw new InvalidArgument(`sysctl "${name}" is not allowed as it conflicts with the OCI "hostname" field`);
    return {
      op: 'write',
      ...procPath(proc, `sys/${path}`),
      data: value,
      why: 'runtime-spec config-linux.md: sysctl',
      failure: `failed to write sysctl ${name} = ${JSON.stringify(value)}`,
    };
  });
}
