// What happened: the last 256 messages and those who listen. Taking the backlog and subscribing are one step, so that nothing falls
// between (moby daemon/events/events.go).

import { formatNs, nowNs } from '../clock.ts';

export type EventType = 'container' | 'image' | 'network' | 'volume' | 'builder' | 'daemon' | 'plugin';

/** A message as it is kept; the wire form of old API versions is made at the edge. */
export interface EngineEvent {
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  readonly time: number;
  readonly timeNano: bigint;
}

/** Tells everybody that something happened. */
export interface EventSink {
  publish(type: EventType, action: string, id: string, attributes?: Readonly<Record<string, string>>): void;
}

export type Listener = (event: EngineEvent) => void;

const capacity = 256;

export class EventLog implements EventSink {
  readonly #ring: EngineEvent[] = [];
  readonly #listeners = new Set<Listener>();

  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const timeNano = nowNs();
    const event: EngineEvent = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Number(timeNano / 1_000_000_000n),
      timeNano,
    };
    this.#ring.push(event);
    if (this.#ring.length > capacity) this.#ring.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** The kept messages from `sinceNs` on (none without it), and from then on every message to `listener` until the returned `close`. */
  subscribe(sinceNs: bigint | undefined, listener: Listener): { backlog: EngineEvent[]; close: () => void } {
    const backlog = sinceNs === undefined ? [] : this.#ring.filter(event => event.timeNano >= sinceNs);
    this.#listeners.add(listener);
    return { backlog, close: () => this.#listeners.delete(listener) };
  }

  /** The kept messages between two instants, for a question that lies wholly in the past. */
  between(sinceNs: bigint | undefined, untilNs: bigint): EngineEvent[] {
    if (sinceNs === undefined) return [];
    return this.#ring.filter(event => event.timeNano >= sinceNs && event.timeNano <= untilNs);
  }

  get listeners(): number {
    return this.#listeners.size;
  }
}

/** One message as JSON. Below API 1.52 the old top-level `status`, `id` and `from` are there too. */
export function eventJson(event: EngineEvent, legacy: boolean): string {
  const old =
    legacy && (event.Type === 'container' || event.Type === 'image')
      ? {
          status: event.Action,
          id: event.Actor.ID,
          ...(event.Type === 'container' && { from: event.Actor.Attributes.image ?? '' }),
        }
      : {};
  const head = JSON.stringify({
    ...old,
    Type: event.Type,
    Action: event.Action,
    Actor: { ID: event.Actor.ID, Attributes: event.Actor.Attributes },
    scope: event.scope,
    time: event.time,
  });
  // timeNano needs more than the 53 bits that JSON.stringify can write of a number.
  return `${head.slice(0, -1)},"timeNano":${event.timeNano}}`;
}

export const eventTime = (event: EngineEvent): string => formatNs(event.timeNano);
