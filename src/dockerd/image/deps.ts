// What the operations on images need from the rest of the daemon. Each operation takes this and uses a few of them.

import type { Containerd } from '../../containerd/index.ts';
import type { Registry } from '../../registry/index.ts';
import type { EventSink } from '../event/event-log.ts';

/** A container, as far as images go. */
export interface ImageUser {
  readonly id: string;
  readonly imageId: string;
  /** As typed at its creation. */
  readonly reference: string;
  readonly running: boolean;
}

export interface ImageDeps {
  readonly containerd: Containerd;
  readonly registry: Registry;
  readonly events: EventSink;
  /** Told when an image has come in: by pull, load or import. */
  readonly stored?: () => void;
  /** The containers there are. */
  readonly users: () => readonly ImageUser[];
}
