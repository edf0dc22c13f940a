import type { CommitResponse } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { familiarName, parseReference } from '../image/reference.ts';

export const commit: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  description: "Create a new image from a container's changes",
  names: ['container commit', 'commit'],
  flags: [
    flag.string('author', 'a', 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")'),
    flag.list('change', 'c', 'Apply Dockerfile instruction to the created image'),
    flag.string('message', 'm', 'Commit message'),
    flag.bool('pause', 'p', 'Pause container during commit', { shownDefault: 'true', initial: true }),
  ],
  arity: { kind: 'between', least: 1, most: 2 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const [container = '', target] = args;
    let repository: string | undefined;
    let tag: string | undefined;
    if (target !== undefined && target !== '') {
      const reference = parseReference(target);
      if (reference.digest !== '') throw new Error('refusing to commit to a digest reference');
      repository = familiarName(reference);
      tag = reference.tag || 'latest';
    }
    const { Id: id } = await cli.engine.json<CommitResponse>('POST', '/commit', {
      query: {
        container,
        repo: repository,
        tag,
        comment: flags.string('message') || undefined,
        author: flags.string('author') || undefined,
        changes: flags.list('change'),
        pause: flags.bool('pause') ? undefined : '0',
      },
      json: null,
    });
    cli.print(id);
  },
};
