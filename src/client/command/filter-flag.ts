import { Filters } from '../../api/index.ts';

/** Refuses a --filter value without "=". */
export function checkFilter(value: string): void {
  if (!value.includes('=')) throw new Error('bad format of filter (expected name=value)');
}

/** The parameter for --filter values, with further conditions; undefined when there are none. */
export function encodeFilters(
  values: readonly string[],
  more: Readonly<Record<string, readonly string[]>> = {},
): string | undefined {
  const byKey = new Map<string, string[]>(Object.entries(more).map(([key, list]) => [key, [...list]]));
  for (const value of values) {
    const at = value.indexOf('=');
    const key = value.slice(0, at).trim().toLowerCase();
    const list = byKey.get(key) ?? [];
    list.push(value.slice(at + 1).trim());
    byKey.set(key, list);
  }
  return byKey.size === 0 ? undefined : new Filters(byKey).encode();
}
