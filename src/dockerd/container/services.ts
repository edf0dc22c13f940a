// What the operations on containers need from the rest of the daemon. Each operation takes this and uses a few of them.

import type { SnapshotMount, Snapshotter, TaskService } from '../../containerd/index.ts';
import type { NetworkController } from '../../network/index.ts';
import type { ImageConfig, Platform, Seccomp } from '../../oci/index.ts';
import type { Config } from '../config/config.ts';
import type { EventSink } from '../event/event-log.ts';
import type { ExecStore } from '../exec/exec.ts';
import type { Log } from '../log.ts';
import type { VolumeStore } from '../volume/volume.ts';
import type { Container } from './container.ts';
import type { ContainerStore } from './container-store.ts';

/** An image as a container's creation sees it. */
export interface RunnableImage {
  /** Docker's image id. */
  readonly id: string;
  readonly config: ImageConfig;
  /** What a container's snapshot is prepared on: the image's layers, and the engine's own empty files on top. */
  readonly parent: string;
  readonly platform: Platform;
}

/** The images that containers are made from. */
export interface ContainerImages {
  /** Docker's 404 when it is not here. */
  resolve(reference: string, platform: Platform | undefined): Promise<RunnableImage>;
}

/** Facts about the machine that do not change while the daemon runs. */
export interface MachineFacts {
  readonly cgroupVersion: 1 | 2;
  readonly hostname: string;
  /** Capabilities that the daemon has itself. */
  readonly capabilities: readonly string[];
  readonly canRaiseLimits: boolean;
  /** The daemon's own hard limits by Docker's names (`nofile`); what is missing is unlimited. */
  readonly hardLimits: Readonly<Record<string, number>>;
  readonly platform: Platform;
}

export interface ContainerServices {
  readonly config: Config;
  readonly facts: MachineFacts;
  readonly store: ContainerStore;
  readonly images: ContainerImages;
  readonly snapshotter: Snapshotter;
  readonly tasks: TaskService;
  readonly networks: NetworkController;
  readonly volumes: VolumeStore;
  readonly events: EventSink;
  readonly log: Log;
  readonly seccomp: (profile: string, capabilities: readonly string[]) => Seccomp | undefined;
  /** Host path of the program that `--init` runs; Docker's error where there is none. */
  readonly initBinary: () => string;
  /** The host directory that is a container's /dev/shm, when others may share it; mounted with this size where it is missing. */
  readonly sharedShm: (id: string, sizeBytes?: number) => string;
  readonly removeSharedShm: (id: string) => void;
  /** A path below a directory, looked up without leaving it; Docker's error where it is not there. */
  readonly resolveBelow: (directory: string, relative: string) => string;
  /** Of the machine. */
  readonly memoryBytes: number;
  /** The execs; a function, since they need these services themselves. */
  readonly execs: () => ExecStore;
  /** How long each layer took in the latest start of a container, by id. */
  readonly timings: Map<string, StartTimings>;
}

/** Milliseconds of one start. */
export interface StartTimings {
  readonly networkMs: number;
  readonly specMs: number;
  /** Spec → program, in src/runc. */
  readonly compileMs: number;
  /** The program, from the vfork of the shim to the container's readiness. */
  readonly programMs: number;
  readonly taskMs: number;
  readonly startMs: number;
  readonly totalMs: number;
}

/** Layer directories of a root file system, topmost first. */
export function layersOf(mounts: readonly SnapshotMount[]): string[] {
  const [mount] = mounts;
  if (mount === undefined) return [];
  if (mount.overlay === undefined) return [mount.source];
  const { upperdir, lowerdirs } = mount.overlay;
  return upperdir === undefined ? [...lowerdirs] : [upperdir, ...lowerdirs];
}

/** Attributes that every event of a container carries: its labels, image and name. */
export function eventAttributes(
  container: Container,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const { config, name } = container.record;
  return { ...config.Labels, image: config.Image, name, ...more };
}
