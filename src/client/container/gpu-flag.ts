import { splitCommas } from '../command/flags.ts';

export interface DeviceRequest {
  readonly Driver: string;
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

/** Reads --gpus: "all", a number, or fields such as "device=0,1". */
export function parseGpus(text: string): DeviceRequest {
  let driver = '';
  let count: number | undefined;
  let ids: string[] | null = null;
  let capabilities: string[] = ['gpu'];
  let options: Record<string, string> = {};
  for (const field of splitCommas(text)) {
    const [key = '', value] = field.split(/=(.*)/s);
    if (value === undefined) {
      count = parseCount(key);
      continue;
    }
    switch (key) {
      case 'driver':
        driver = value;
        break;
      case 'count':
        count = parseCount(value);
        break;
      case 'device':
        ids = splitCommas(value);
        break;
      case 'capabilities':
        capabilities = [...splitCommas(value), 'gpu'];
        break;
      case 'options':
        options = Object.fromEntries(
          splitCommas(value).map(option => [option.split('=')[0]!, option.split(/=(.*)/s)[1] ?? '']),
        );
        break;
      default:
        throw new Error(`unexpected key '${key}' in '${field}'`);
    }
  }
  return {
    Driver: driver,
    Count: count ?? (ids === null ? 1 : 0),
    DeviceIDs: ids,
    Capabilities: [capabilities],
    Options: options,
  };
}

function parseCount(text: string): number {
  if (text === 'all') return -1;
  if (!/^-?[0-9]+$/.test(text)) {
    throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
  }
  return Number(text);
}
