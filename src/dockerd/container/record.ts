// What the engine remembers of a container. One record is one row; it is written before a change is acknowledged.

import type {
  ContainerConfig,
  ContainerStatus,
  EndpointSettings,
  Health,
  HostConfig,
  MountPoint,
  MountRequest,
  PortMap,
} from '../../api/index.ts';
import { zeroTime } from '../../api/index.ts';
import type { Endpoint } from '../../network/index.ts';

/** A mount of a container, with what is needed to make it. */
export interface ContainerMount extends MountPoint {
  /** The request it came from; a bind's or tmpfs's options are there. */
  readonly request?: MountRequest;
  /** An anonymous volume goes with `rm -v`. */
  readonly anonymous?: boolean;
  /** Image content is copied into the empty volume. */
  readonly copy?: boolean;
}

/** Where a container's life stands. */
export interface StateRecord {
  running: boolean;
  paused: boolean;
  restarting: boolean;
  removing: boolean;
  dead: boolean;
  oomKilled: boolean;
  pid: number;
  exitCode: number;
  error: string;
  startedAt: string;
  finishedAt: string;
  /** By `docker stop`: unless-stopped leaves it alone. */
  manuallyStopped: boolean;
  health?: Health;
}

export const newState = (): StateRecord => ({
  running: false,
  paused: false,
  restarting: false,
  removing: false,
  dead: false,
  oomKilled: false,
  pid: 0,
  exitCode: 0,
  error: '',
  startedAt: zeroTime,
  finishedAt: zeroTime,
  manuallyStopped: false,
});

/** Everything persistent about a container. */
export interface ContainerRecord {
  readonly id: string;
  /** Without its slash. */
  name: string;
  readonly created: string;
  /** Nanoseconds since 1970, for order. */
  readonly createdNs: string;
  readonly path: string;
  readonly args: readonly string[];
  /** Digest of the image. */
  readonly imageId: string;
  /** The parent of its snapshot. */
  readonly imageChainId: string;
  readonly platform: string;
  readonly config: ContainerConfig;
  hostConfig: HostConfig;
  mounts: ContainerMount[];
  /** By network name; addresses only while running. */
  networks: Record<string, EndpointSettings>;
  ports: PortMap;
  /** What it has on networks while it runs. */
  endpoints: readonly Endpoint[];
  sandboxId: string;
  state: StateRecord;
  restartCount: number;
}

/** The word of `docker ps` and inspect. */
export function statusOf(state: StateRecord): ContainerStatus {
  if (state.running) {
    if (state.paused) return 'paused';
    return state.restarting ? 'restarting' : 'running';
  }
  if (state.removing) return 'removing';
  if (state.dead) return 'dead';
  return state.startedAt === zeroTime ? 'created' : 'exited';
}
