// Images on the wire.

import type { GraphDriverData } from './container.ts';

export interface ImageSummary {
  /** -1 below API 1.51 or when not counted. */
  readonly Containers: number;
  readonly Created: number;
  readonly Id: string;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly ParentId: string;
  readonly Descriptor?: unknown;
  readonly Manifests?: readonly unknown[];
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  /** -1 unless asked for. */
  readonly SharedSize: number;
  readonly Size: number;
  /** Below API 1.44. */
  readonly VirtualSize?: number;
}

/** `Config` is the image's run configuration as the OCI image spec spells it. */
export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  readonly Created?: string;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: Readonly<Record<string, unknown>> | null;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  readonly Size: number;
  readonly VirtualSize?: number;
  readonly GraphDriver: GraphDriverData;
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  readonly Descriptor?: unknown;
  readonly Manifests?: readonly unknown[];
}

export interface ImageHistoryItem {
  /** `<missing>` for a layer that is no image of its own. */
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** Each item says one thing. */
export interface ImageDeleteItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface ImagesPruneReport {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null;
  readonly SpaceReclaimed: number;
}

/** Answer of POST /commit. */
export interface CommitResponse {
  readonly Id: string;
}

export interface DistributionInspect {
  readonly Descriptor: unknown;
  readonly Platforms: readonly unknown[] | null;
}

export interface BuildCachePruneReport {
  readonly CachesDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}
