import type { ConfigFile } from '../config/config-file.ts';
import { encodeFilters } from './filter-flag.ts';

/** The filters of a prune: those given, with the configuration's own labels where no flag contradicts them. */
export function pruneFilters(
  config: ConfigFile,
  given: readonly string[],
  more: Readonly<Record<string, readonly string[]>> = {},
): string | undefined {
  const all = [...given];
  for (const filter of config.pruneFilters ?? []) {
    const [key = '', value = ''] = filter.split(/=(.*)/s);
    const opposite = key === 'label' ? 'label!' : key === 'label!' ? 'label' : '';
    if (opposite !== '' && given.some(own => own === `${opposite}=${value}`)) continue;
    all.push(filter);
  }
  return encodeFilters(all, more);
}
