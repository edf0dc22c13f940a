import type { Ulimit } from '../../api/index.ts';

const names = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** Reads --ulimit "name=soft[:hard]"; throws Errors in Docker's words. */
export function parseUlimit(text: string): Ulimit {
  const [name = '', values = ''] = text.split(/=(.*)/s);
  if (values === '') throw new Error(`invalid ulimit argument: ${text}`);
  if (!names.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const parts = values.split(':');
  if (parts.length > 2)
    throw new Error(`too many limit value arguments - ${values}, can only have up to two, \`soft[:hard]\``);
  const [soft, hard = soft] = parts.map(part => {
    if (!/^-?[0-9]+$/.test(part)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(part)}: invalid syntax`);
    return Number(part);
  });
  if (hard !== -1 && (soft! > hard! || soft === -1)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Hard: hard!, Soft: soft! };
}
