// Compiles a container: runtime spec → program. See op.ts for how its two processes meet.

import { NotImplemented, PermissionDenied } from '../errdefs/index.ts';
import type { Program } from '../launcher/index.ts';
import type { Mount, RuntimeSpec } from '../oci/index.ts';
import { type CgroupPaths, cgroupPaths } from './cgroups/paths.ts';
import { v1Values, v2Values } from './cgroups/values.ts';
import { type Compilation, type HostFacts, hostFacts } from './compilation.ts';
import { composeInit } from './init.ts';
import { planNamespaces } from './namespaces.ts';
import type { NetDeviceOps } from './net-devices.ts';
import * as n from './numbers.ts';
import { composeOutside, prepareOutside } from './outside.ts';
import { Slots } from './slots.ts';
import type { Stdio } from './stdio.ts';
import { validateSpec } from './validate.ts';

/** Netlink messages that give the new network namespace its interfaces: prepared by the network part, sent by the launcher. */
export interface NetnsPlan {
  /** Sent in the host's namespace once the container's exists; the pid goes into the bytes at each offset. */
  readonly host: readonly {
    readonly bytes: Uint8Array;
    readonly pidOffsets: readonly number[];
    readonly comment: string;
  }[];
  /** Files below /proc/sys/net, written by the init before `inside`. */
  readonly sysctls?: readonly { readonly path: string; readonly value: string; readonly comment: string }[];
  /** Sent by the init in its own namespace. */
  readonly inside: readonly { readonly bytes: Uint8Array; readonly comment: string }[];
}

/** What the created container waits for: `ready` is the shim's client saying start, `fifo` a byte in exec.fifo (the OCI command line), `none` starts at once. */
export type StartGate = 'ready' | 'fifo' | 'none';

export interface CreateOptions {
  readonly id: string;
  readonly spec: RuntimeSpec;
  /** The bundle's directory: absolute, existing. With `rootfs` the root is mounted over it, in the container's mount namespace only. */
  readonly bundle: string;
  /** What makes the root (an overlay, or a bind mount), as snapshotters give it; empty: spec.root.path as it is. */
  readonly rootfs?: readonly Mount[];
  readonly stdio: Stdio;
  readonly netns?: NetnsPlan;
  /** linux.netDevices compiled, where the spec has some: `netDeviceOps(spec)`. Apart, so that nobody else loads netlink. */
  readonly netDevices?: NetDeviceOps;
  readonly startGate: StartGate;
  /** Path of the FIFO of startGate `fifo`. */
  readonly fifo?: string;
  /** `inherit` with a terminal: the pty's master goes there. */
  readonly consoleSocket?: string;
  readonly pidfdSocket?: string;
  readonly preserveFds?: number;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  /** This machine, unless a test says otherwise. */
  readonly facts?: HostFacts;
}

/** A compiled container. */
export interface CreatePlan {
  readonly program: Program;
  readonly cgroups: CgroupPaths;
  /** What the machine cannot give, in words for the user. */
  readonly warnings: readonly string[];
}

/** Compiles the whole container. Throws InvalidArgument or NotImplemented for what cannot be done; nothing has happened then. */
export function planCreate(options: CreateOptions): CreatePlan {
  const { id, spec, bundle } = options;
  const facts = options.facts ?? hostFacts();
  validateSpec(spec);
  const linux = spec.linux ?? {};
  const namespaces = planNamespaces(linux);
  const cgroups = hasCgroups(facts, spec) ? cgroupPaths(facts.cgroups, linux.cgroupsPath, id) : { v1: {} };
  const compilation: Compilation = {
    id,
    spec,
    bundle,
    facts,
    cgroups,
    host: [],
    init: [],
    slots: new Slots(),
    namespaces,
    newUserNamespace: (namespaces.clone & n.CLONE_NEWUSER) !== 0,
    userNamespace: namespaces.has('user'),
  };
  const warnings: string[] = [];
  const network = {
    netns: namespaces.clone & n.CLONE_NEWNET ? options.netns : undefined,
    devices: netDevices(options),
  };
  // In the order that they run, for the slots; the clone puts the init's list into the other.
  const prepared = prepareOutside(compilation, options);
  composeInit(compilation, options, prepared, network, warnings);
  composeOutside(compilation, options, prepared, network);
  return { program: compilation.host, cgroups, warnings };
}

function netDevices({ spec, netDevices: compiled }: CreateOptions): NetDeviceOps {
  if (compiled !== undefined) return compiled;
  if (Object.keys(spec.linux?.netDevices ?? {}).length === 0) return { outside: [], inside: [] };
  throw new NotImplemented('linux.netDevices is set, but the caller did not compile it');
}

/** Rootless without a delegated cgroup the container stays in ours, which it may only if nobody asked for limits. */
function hasCgroups(facts: HostFacts, { linux = {} }: RuntimeSpec): boolean {
  if (facts.privileged || facts.cgroupsDelegated === true) return true;
  const { devices: _, ...limits } = linux.resources ?? {};
  const values = facts.cgroups.mode === 'unified' ? v2Values(limits) : v1Values(limits);
  if (values.length > 0) {
    throw new PermissionDenied('rootless needs no limits + no cgrouppath when no permission is granted for cgroups');
  }
  return false;
}

/** The program alone. */
export const compileCreate = (options: CreateOptions): Program => planCreate(options).program;
