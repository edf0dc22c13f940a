// What a build needs from the rest of the engine. The daemon gives it; the builder knows nothing of containers' records or REST.

import type {
  ContentStore,
  Differ,
  ImageStore,
  Leases,
  Metadata,
  SnapshotMount,
  Snapshotter,
  Unpacker,
} from '../containerd/index.ts';
import type { Platform } from '../oci/index.ts';
import type { Range } from './dockerfile/source.ts';
import type { ResolvedImage } from './graph/context.ts';
import type { ExecVertex } from './graph/vertex.ts';
import type { RefLayer } from './solver/ref.ts';

/** The stores, as one build sees them: what is written is kept by the build's lease. */
export interface BuildStores {
  readonly content: ContentStore;
  readonly unpacker: Unpacker;
}

/** Images that stages start from. `auth` is the client's, by registry host. */
export interface BaseImages {
  /** The reference in full: `docker.io/library/busybox:latest`. InvalidArgument where it is none. */
  name(reference: string): string;
  /** Finds the image here, or at its registry; with `pull` always there. NotFound, PermissionDenied ... in Docker's words. */
  resolve(
    reference: string,
    platform: Platform,
    options: { pull: boolean; range: Range; client: BuildClient; signal: AbortSignal },
  ): Promise<ResolvedImage>;
  /** Makes its layers present and unpacked; `onProgress` is told of bytes. Kept by `lease`. */
  layers(
    image: { reference: string; digest: string },
    platform: Platform,
    options: {
      client: BuildClient;
      lease: string;
      signal: AbortSignal;
      onProgress: (id: string, current: number, total: number) => void;
    },
  ): Promise<readonly RefLayer[]>;
}

/** A process that a RUN starts. */
export interface RunStep {
  readonly id: string;
  /** Its root file system; a place for each of the mounts is there. */
  readonly rootfs: readonly SnapshotMount[];
  readonly vertex: ExecVertex;
  /** In order; sources are directories or files of the host. */
  readonly mounts: readonly RunMountPoint[];
  /** Variables beyond the vertex's own: secrets, the agent's socket. */
  readonly env: readonly string[];
  readonly options: RunOptions;
  readonly signal: AbortSignal;
  output(stream: 1 | 2, data: Uint8Array): void;
}

export type RunMountPoint =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** Directories laid over each other, topmost first; without an upper one it cannot be written. */
  | {
      readonly type: 'overlay';
      readonly lowerdirs: readonly string[];
      readonly upper?: { readonly directory: string; readonly work: string };
      readonly target: string;
    }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number };

/** Options of the whole build that its RUNs obey. */
export interface RunOptions {
  readonly addHosts: readonly string[];
  readonly shmSizeBytes?: number;
  readonly ulimits: readonly string[];
  readonly cgroupParent?: string;
  readonly hostname?: string;
  readonly memoryBytes?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
}

export interface Runner {
  /** Runs a step to its end, and leaves nothing of it: the exit code. Kills it when `signal` aborts. */
  run(step: RunStep): Promise<{ exitCode: number }>;
}

/** Who asked for the build, as far as it must be asked back. */
export interface BuildClient {
  /** Value of a secret; undefined where the client has none of that id. */
  secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Path of a socket on this host that leads to the client's ssh agent; undefined where it has none of that id. */
  sshAgent(id: string, signal: AbortSignal): Promise<{ path: string; close: () => Promise<void> } | undefined>;
  /** Credentials for a registry. */
  credentials(host: string, signal: AbortSignal): Promise<{ username: string; password: string } | undefined>;
  /** Directory of the host with the files of a context (`context`, or a named one). */
  directory(context: string, signal: AbortSignal): Promise<string>;
  /** Digest of what a step would take from such a directory, where the client can tell without its files; the same that they would give. */
  contentDigest?(directory: string, sources: readonly string[], exclude: readonly string[]): string | undefined;
  /** Makes sure that the files are in the directory, where `directory` answers before they are. */
  fill?(directory: string, signal: AbortSignal): Promise<void>;
}

export interface BuildBackend {
  /** Where contexts, cache mounts and scratch files live: `<data root>/build`. */
  readonly root: string;
  readonly metadata: Metadata;
  readonly leases: Leases;
  readonly images: ImageStore;
  readonly snapshotter: Snapshotter;
  stores(lease: string): BuildStores;
  readonly bases: BaseImages;
  readonly runner: Runner;
  readonly differ: Differ;
}
