// What happened, as GET /events tells it.

export type EventType =
  | 'builder'
  | 'config'
  | 'container'
  | 'daemon'
  | 'image'
  | 'network'
  | 'node'
  | 'plugin'
  | 'secret'
  | 'service'
  | 'volume';

export interface EventMessage {
  /** Doubles Action, Actor.ID and the image for older clients (below 1.52), on container and image events. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope?: string;
  /** Seconds. */
  readonly time: number;
  /** Exceeds 2^53: a Number of it is off by some hundred nanoseconds; write it as text. */
  readonly timeNano: number;
}
