// Prints of a JSON document (stdin) the path and the type of each value, sorted: what a client may rely on whatever the values are.
// `$KEYS` in transcripts. Keys that are names or ids of things (the networks of a container, say) stay, for names are chosen by
// the transcript; those that are ids are normalised like other text. `--values PATTERN` adds the values of paths that match.

import { text } from 'node:stream/consumers';

const [, , flag, pattern] = process.argv;
const withValue = flag === '--values' ? new RegExp(pattern ?? '') : undefined;

function* paths(value: unknown, path: string): Generator<string> {
  if (Array.isArray(value)) {
    if (value.length === 0) yield `${path}: []`;
    for (const item of value) yield* paths(item, `${path}[]`);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) yield `${path}: {}`;
    for (const [key, item] of entries) yield* paths(item, path === '' ? key : `${path}.${key}`);
  } else {
    const type = value === null ? 'null' : typeof value;
    yield withValue?.test(path) ? `${path}: ${JSON.stringify(value)}` : `${path}: ${type}`;
  }
}

for (const line of (await text(process.stdin)).split('\n').filter(line => line !== '')) {
  const found = [...new Set(paths(JSON.parse(line), ''))].map(
    text => [text.slice(0, text.indexOf(': ')), text] as const,
  );
  // By path alone: the values of a list keep their order.
  found.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  console.log(found.map(([, text]) => text).join('\n'));
}
