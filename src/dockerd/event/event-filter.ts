// Which messages a listener wants (moby daemon/events/filter.go).

import type { Filters } from '../../api/index.ts';
import type { EngineEvent } from './event-log.ts';

/** A test for messages: values of one key are ORed, keys are ANDed, labels are ANDed. */
export function eventMatcher(filters: Filters): (event: EngineEvent) => boolean {
  const has = (key: string, test: (value: string) => boolean): boolean => {
    const values = filters.get(key);
    return values.length === 0 || values.some(test);
  };
  const actor = (key: string, type: string, event: EngineEvent): boolean =>
    has(key, value => {
      if (event.Type !== type) return false;
      const { ID, Attributes } = event.Actor;
      return ID === value || Attributes.name === value || (value !== '' && ID.startsWith(value));
    });
  return event => {
    const { Attributes } = event.Actor;
    return (
      has('event', value => event.Action === value || event.Action.startsWith(`${value}:`)) &&
      has('type', value => event.Type === value) &&
      has('scope', value => event.scope === value) &&
      filters.labels('label', Attributes) &&
      actor('container', 'container', event) &&
      actor('network', 'network', event) &&
      actor('volume', 'volume', event) &&
      actor('plugin', 'plugin', event) &&
      has('daemon', value => event.Type === 'daemon' && (event.Actor.ID === value || Attributes.name === value)) &&
      has('image', value => matchesImage(event, value)) &&
      !['config', 'node', 'secret', 'service'].some(key => filters.get(key).length > 0)
    );
  };
}

/** An image filter also finds the messages of containers made from the image; a missing tag matches any. */
function matchesImage(event: EngineEvent, value: string): boolean {
  if (event.Type !== 'image' && event.Type !== 'container') return false;
  const { ID, Attributes } = event.Actor;
  const name = event.Type === 'image' ? Attributes.name : Attributes.image;
  const stripped = (text: string): string => text.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  return (
    (event.Type === 'image' && (ID === value || stripped(ID) === value)) ||
    name === value ||
    (name !== undefined && stripped(name) === value)
  );
}

export const eventFilterKeys = [
  'config',
  'container',
  'daemon',
  'event',
  'image',
  'label',
  'network',
  'node',
  'plugin',
  'scope',
  'secret',
  'service',
  'type',
  'volume',
] as const;
