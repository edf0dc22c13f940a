import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { openInput } from '../terminal/input-stream.ts';
import { showProgress } from '../terminal/progress.ts';
import { familiarName, parseReference } from './reference.ts';

export const importImage: Command = {
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  description: 'Import the contents from a tarball to create a filesystem image',
  names: ['image import', 'import'],
  flags: [
    flag.list('change', 'c', 'Apply Dockerfile instruction to the created image'),
    flag.string('message', 'm', 'Set commit message for imported image'),
    flag.string('platform', '', 'Set platform if server is multi-platform capable'),
  ],
  arity: { kind: 'atLeast', count: 1 },
  run: async ({ cli, args, flags }) => {
    const [source = '', target = ''] = args;
    const isUrl = /^https?:\/\//.test(source);
    const reference = target === '' ? undefined : parseReference(target);
    const response = await cli.engine.request('POST', '/images/create', {
      query: {
        fromSrc: isUrl ? source : '-',
        repo:
          reference === undefined
            ? undefined
            : familiarName(reference) + (reference.tag === '' ? '' : `:${reference.tag}`),
        message: flags.string('message') || undefined,
        platform: flags.string('platform') || undefined,
        changes: flags.list('change'),
      },
      contentType: 'text/plain',
      ...(!isUrl && { stream: openInput(source) }),
    });
    await showProgress(response, { fd: 1 });
  },
};
