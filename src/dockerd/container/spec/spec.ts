// Docker's container as an OCI runtime spec (moby daemon/oci_linux.go): everything that a `docker run` means for the kernel is decided here,
// as data; src/runc turns it into a program.

import type { ContainerConfig, HostConfig } from '../../../api/index.ts';
import type { Namespace, NamespaceType, Process, RuntimeSpec, Seccomp } from '../../../oci/index.ts';
import { commandOf, environmentOf } from '../merge.ts';
import type { ContainerMount } from '../record.ts';
import { capabilitySet } from './capabilities.ts';
import { planDevices } from './devices.ts';
import { initPath, type NetworkFiles, rootPropagation, specMounts } from './mounts.ts';
import { resourcesOf, withDevices } from './resources.ts';
import { parseSecurityOptions } from './security.ts';
import type { ResolvedUser } from './user.ts';

/** Namespaces of other containers to join, by kind, as paths; 'host' for none of one's own. */
export interface Joins {
  readonly network?: string;
  readonly ipc?: string;
  readonly pid?: string;
}

export interface SpecInputs {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly host: HostConfig;
  readonly mounts: readonly ContainerMount[];
  readonly user: ResolvedUser;
  readonly hostname: string;
  readonly files: NetworkFiles;
  readonly joins: Joins;
  /** A host directory for /dev/shm, when it is shared. */
  readonly shm?: string;
  readonly init?: string;
  /** Where the root file system will be, as the spec's root.path. */
  readonly rootPath: string;
  readonly cgroupParent: string;
  readonly hostCapabilities: readonly string[];
  readonly noNewPrivileges: boolean;
  /** Docker's profile, or another, for a set of capabilities. */
  readonly seccomp: (profile: string, capabilities: readonly string[]) => Seccomp | undefined;
}

/** The whole config.json. */
export function runtimeSpec(inputs: SpecInputs): RuntimeSpec {
  const { host } = inputs;
  const security = parseSecurityOptions(host.SecurityOpt ?? []);
  const capabilities = capabilitySet({
    add: host.CapAdd ?? [],
    drop: host.CapDrop ?? [],
    privileged: host.Privileged,
    host: inputs.hostCapabilities,
  });
  const profile = security.seccomp ?? (host.Privileged ? 'unconfined' : 'builtin');
  const seccomp = profile === 'unconfined' ? undefined : inputs.seccomp(profile, capabilities);
  const devices = planDevices({
    privileged: host.Privileged,
    mappings: host.Devices ?? [],
    rules: host.DeviceCgroupRules ?? [],
  });
  const propagation = rootPropagation(inputs.mounts);
  const hostUts = host.UTSMode === 'host';
  return {
    ociVersion: '1.2.1',
    process: processOf(inputs, capabilities, security.noNewPrivileges ?? inputs.noNewPrivileges),
    root: { path: inputs.rootPath, ...(host.ReadonlyRootfs && { readonly: true }) },
    ...(!hostUts && { hostname: inputs.hostname }),
    mounts: specMounts({
      host,
      mounts: inputs.mounts,
      files: inputs.files,
      ...(inputs.shm !== undefined && { shm: inputs.shm }),
      noShm: host.IpcMode === 'none',
      ...(inputs.init !== undefined && { init: inputs.init }),
      writableCgroups: security.writableCgroups,
    }),
    ...(host.Annotations !== undefined && host.Annotations !== null && { annotations: host.Annotations }),
    linux: {
      ...sysctlsOf(inputs),
      resources: withDevices(resourcesOf(host), devices.rules),
      cgroupsPath: `${host.CgroupParent === '' ? inputs.cgroupParent : host.CgroupParent}/${inputs.id}`.replace(
        /^\/*/,
        '/',
      ),
      namespaces: namespacesOf(inputs),
      ...(devices.nodes.length > 0 && { devices: devices.nodes }),
      ...(seccomp !== undefined && { seccomp }),
      ...(propagation !== undefined && { rootfsPropagation: propagation }),
      ...(host.MaskedPaths !== null && host.MaskedPaths.length > 0 && { maskedPaths: host.MaskedPaths }),
      ...(host.ReadonlyPaths !== null && host.ReadonlyPaths.length > 0 && { readonlyPaths: host.ReadonlyPaths }),
    },
  };
}

function processOf(inputs: SpecInputs, capabilities: readonly string[], noNewPrivileges: boolean): Process {
  const { config, host, user } = inputs;
  const command = commandOf(config)!;
  const words = [command.path, ...command.args];
  const [height = 0, width = 0] = host.ConsoleSize ?? [];
  return {
    ...(config.Tty && { terminal: true, ...(height > 0 && width > 0 && { consoleSize: { height, width } }) }),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: inputs.init === undefined ? words : [initPath, '--', ...words],
    env: environmentOf(config, inputs.hostname, user.home),
    cwd: config.WorkingDir === '' ? '/' : config.WorkingDir,
    capabilities: {
      bounding: capabilities,
      // The kernel empties these for other users at exec; saying so lets the spec be read as it is.
      effective: capabilities,
      permitted: capabilities,
    },
    ...((host.Ulimits ?? []).length > 0 && {
      rlimits: host.Ulimits!.map(limit => ({
        type: `RLIMIT_${limit.Name.toUpperCase()}`,
        hard: limit.Hard,
        soft: limit.Soft,
      })),
    }),
    ...(noNewPrivileges && { noNewPrivileges: true }),
    oomScoreAdj: host.OomScoreAdj,
  };
}

/** The kinds in Docker's order; one that is the host's is left out. */
function namespacesOf({ host, joins }: SpecInputs): Namespace[] {
  const list: Namespace[] = [{ type: 'mount' }];
  const add = (type: NamespaceType, isHost: boolean, path?: string): void => {
    if (!isHost) list.push(path === undefined ? { type } : { type, path });
  };
  add('network', host.NetworkMode === 'host', joins.network);
  add('uts', host.UTSMode === 'host');
  add('pid', host.PidMode === 'host', joins.pid);
  add('ipc', host.IpcMode === 'host', joins.ipc);
  if (host.CgroupnsMode === 'private') list.push({ type: 'cgroup' });
  return list;
}

/** Sysctls that make a private network friendlier, and the user's, which win. */
function sysctlsOf({ config, host, joins }: SpecInputs): { sysctl?: Record<string, string> } {
  const sysctl: Record<string, string> = {};
  if (host.NetworkMode !== 'host' && joins.network === undefined) {
    sysctl['net.ipv4.ip_unprivileged_port_start'] = '0';
    sysctl['net.ipv4.ping_group_range'] = '0 2147483647';
  }
  if (config.Domainname !== '' && host.UTSMode !== 'host') sysctl['kernel.domainname'] = config.Domainname;
  Object.assign(sysctl, host.Sysctls);
  return Object.keys(sysctl).length > 0 ? { sysctl } : {};
}
