// What pull and push tell while they run, typed. The daemon turns these into Docker's progress lines.

import type { Descriptor, Digest } from '../oci/index.ts';

/** A layer's state while it is pulled, in the order in which Docker shows them. */
export type PullLayerState =
  | { readonly state: 'alreadyExists' }
  | { readonly state: 'pullingFsLayer' }
  | { readonly state: 'waiting' }
  | { readonly state: 'downloading'; readonly current: number; readonly total: number }
  | { readonly state: 'retrying'; readonly seconds: number }
  | { readonly state: 'verifyingChecksum' }
  | { readonly state: 'downloadComplete' }
  | { readonly state: 'extracting'; readonly current: number; readonly total: number }
  | { readonly state: 'pullComplete' };

export type PullEvent =
  /** Once, first: `Pulling from library/x`, id = tag or digest. */
  | { readonly kind: 'pulling'; readonly path: string; readonly tag: string }
  | ({ readonly kind: 'layer'; readonly digest: Digest; readonly id: string } & PullLayerState)
  /** Something the user should read, such as a platform that does not fit. */
  | { readonly kind: 'warning'; readonly message: string };

export type PushLayerState =
  | { readonly state: 'preparing' }
  | { readonly state: 'waiting' }
  | { readonly state: 'pushing'; readonly current: number; readonly total: number }
  | { readonly state: 'retrying'; readonly seconds: number }
  | { readonly state: 'pushed' }
  | { readonly state: 'layerAlreadyExists' }
  | { readonly state: 'mountedFrom'; readonly repository: string };

export type PushEvent =
  /** Once, first: `The push refers to repository [..]`. */
  | { readonly kind: 'repository'; readonly name: string }
  | ({ readonly kind: 'layer'; readonly digest: Digest; readonly id: string } & PushLayerState)
  /** A part of an index that is not here and was left out. */
  | { readonly kind: 'note'; readonly message: string }
  /** Last: `<tag>: digest: sha256:.. size: N`. */
  | { readonly kind: 'pushedManifest'; readonly reference: string; readonly target: Descriptor };

/** The 12 hex digits that progress lines show for a layer. */
export const shortId = (digest: Digest): string => digest.slice(7, 19);
