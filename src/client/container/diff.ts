import { changeKinds, type FilesystemChange } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { segment } from '../http/engine.ts';

const rowType: RowType<FilesystemChange> = {
  typeName: '*container.diffContext',
  headers: { Type: 'CHANGE TYPE', Path: 'PATH' },
  row: change => ({
    Type: change.Kind === changeKinds.modified ? 'C' : change.Kind === changeKinds.added ? 'A' : 'D',
    Path: change.Path,
  }),
};

export const diff: Command = {
  usage: 'CONTAINER',
  description: "Inspect changes to files or directories on a container's filesystem",
  names: ['container diff', 'diff'],
  flags: [],
  arity: { kind: 'exactly', count: 1 },
  completes: 'containers',
  run: async ({ cli, args }) => {
    const changes = await cli.engine.json<FilesystemChange[] | null>('GET', `/containers/${segment(args[0]!)}/changes`);
    cli.write(formatList(changes ?? [], rowType, { format: '{{.Type}} {{.Path}}', defaultTable: '' }));
  },
};
