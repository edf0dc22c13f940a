import { InvalidArgument } from '../../../errdefs/index.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { stateOf } from './state.ts';

export const list: Command = {
  name: 'list',
  usage: 'list [command options]',
  summary: 'lists containers started by runc with the given root',
  run(words, { store, stdout }) {
    const flags = new Flags(words, {
      format: 'string',
      f: { alias: 'format' },
      quiet: 'boolean',
      q: { alias: 'quiet' },
    });
    const containers = store.list().map(stateOf);
    if (flags.has('quiet')) {
      for (const { id } of containers) stdout(`${id}\n`);
      return 0;
    }
    const format = flags.string('format') ?? 'table';
    if (format === 'json') stdout(`${JSON.stringify(containers.length > 0 ? containers : null)}\n`);
    else if (format === 'table') stdout(table(containers));
    else throw new InvalidArgument('invalid format option');
    return 0;
  },
};

function table(containers: readonly ReturnType<typeof stateOf>[]): string {
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    ...containers.map(({ id, pid, status, bundle, created, owner }) => [
      id,
      String(pid),
      status,
      bundle,
      created,
      owner,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(12, ...rows.map(row => row[column]!.length + 1)));
  return rows
    .map(row => `${row.map((cell, column) => (column === 5 ? cell : cell.padEnd(widths[column]!))).join('')}\n`)
    .join('');
}
