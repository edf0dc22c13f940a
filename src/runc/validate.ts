// What must hold of a spec before any of it is compiled (runc's validator, where clients know its words). Single properties are
// checked where they are compiled.

import { InvalidArgument, NotImplemented } from '../errdefs/index.ts';
import type { RuntimeSpec } from '../oci/index.ts';

/** Throws InvalidArgument for a contradiction, NotImplemented for what this runtime cannot do. */
export function validateSpec(spec: RuntimeSpec): void {
  const linux = spec.linux ?? {};
  if (spec.process === undefined) throw new InvalidArgument('process property must not be empty');
  const isNew = new Set((linux.namespaces ?? []).map(({ type }) => type));
  if (spec.hostname && !isNew.has('uts'))
    throw new InvalidArgument('unable to set hostname without a private UTS namespace');
  if (spec.domainname && !isNew.has('uts'))
    throw new InvalidArgument('unable to set domainname without a private UTS namespace');
  if (linux.maskedPaths?.length && !isNew.has('mount')) {
    throw new InvalidArgument('unable to restrict sys entries without a private MNT namespace');
  }
  const mapped = (linux.uidMappings?.length ?? 0) > 0 || (linux.gidMappings?.length ?? 0) > 0;
  if (mapped && !isNew.has('user'))
    throw new InvalidArgument('user namespace mappings specified, but user namespace is not enabled');
  if (linux.intelRdt) throw new NotImplemented('linux.intelRdt is not supported: this runtime does not manage resctrl');
  if (linux.mountLabel) throw new NotImplemented('linux.mountLabel is set, but SELinux is not supported');
  for (const path of [...(linux.maskedPaths ?? []), ...(linux.readonlyPaths ?? [])]) {
    if (!path.startsWith('/')) throw new InvalidArgument(`masked or read-only path "${path}" is not absolute`);
  }
}
