// Parameters of a request as Go's handlers read them (moby daemon/server/httputils/form.go).

import { InvalidArgument } from '../../errdefs/index.ts';
import { parseUnixNs } from '../clock.ts';

export class Query {
  readonly #params: URLSearchParams;

  constructor(params: URLSearchParams) {
    this.#params = params;
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  /** The first value, or ''. */
  text(name: string): string {
    return this.#params.get(name) ?? '';
  }

  all(name: string): string[] {
    return this.#params.getAll(name);
  }

  /** Empty, 0, no, false and none are false in any case; everything else is true. */
  bool(name: string, otherwise = false): boolean {
    const value = this.#params.get(name);
    if (value === null) return otherwise;
    return !['', '0', 'no', 'false', 'none'].includes(value.trim().toLowerCase());
  }

  /** A whole number; undefined when absent or empty. */
  integer(name: string): number | undefined {
    const value = this.text(name);
    if (value === '') return undefined;
    if (!/^[+-]?\d{1,15}$/.test(value)) {
      throw new InvalidArgument(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    }
    return Number(value);
  }

  /** Unix seconds with optional decimals, as nanoseconds; undefined when absent, empty or 0. */
  timeNs(name: string): bigint | undefined {
    const value = this.text(name);
    if (value === '' || value === '0') return undefined;
    const ns = parseUnixNs(value);
    if (ns === undefined)
      throw new InvalidArgument(`invalid value for "${name}": ${JSON.stringify(value)} is no unix time`);
    return ns;
  }
}
