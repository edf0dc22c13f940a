// Volumes on the wire.

import { anything, type Decoded, dict, optional, struct, text } from './decode.ts';

/** The body of POST /volumes/create. */
export const volumeCreateShape = struct('volume.CreateOptions', {
  Name: text(),
  Driver: text(),
  DriverOpts: dict(text()),
  Labels: dict(text()),
  ClusterVolumeSpec: optional(anything()),
});
export type VolumeCreateRequest = Decoded<typeof volumeCreateShape>;

export interface Volume {
  readonly CreatedAt?: string;
  readonly Driver: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly Mountpoint: string;
  readonly Name: string;
  readonly Options: Readonly<Record<string, string>> | null;
  readonly Scope: string;
  readonly Status?: Readonly<Record<string, unknown>>;
  /** Only in df; -1 when unknown. */
  readonly UsageData?: { readonly RefCount: number; readonly Size: number };
}

export interface VolumeListResponse {
  readonly Volumes: readonly Volume[] | null;
  readonly Warnings: readonly string[] | null;
}

export interface VolumesPruneReport {
  readonly VolumesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
