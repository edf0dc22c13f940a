import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { pullImage } from './pull-image.ts';
import { canonical, parseReference, withDefaultTag } from './reference.ts';

export const pull: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  description: 'Download an image from a registry',
  names: ['image pull', 'pull'],
  flags: [
    flag.bool('all-tags', 'a', 'Download all tagged images in the repository'),
    flag.bool('disable-content-trust', '', 'Skip image verification', { shownDefault: 'true', initial: true }),
    flag.string('platform', '', 'Set platform if server is multi-platform capable'),
    flag.bool('quiet', 'q', 'Suppress verbose output'),
  ],
  arity: { kind: 'exactly', count: 1 },
  run: async ({ cli, args, flags }) => {
    const quiet = flags.bool('quiet');
    const allTags = flags.bool('all-tags');
    const given = parseReference(args[0]!);
    if (allTags && (given.tag !== '' || given.digest !== '')) throw new Error("tag can't be used with --all-tags/-a");
    const reference = allTags ? given : withDefaultTag(given);
    if (!quiet && reference !== given) cli.print(`Using default tag: ${reference.tag}`);
    await pullImage(cli, reference, { platform: flags.string('platform'), allTags, fd: quiet ? undefined : 1 });
    cli.print(canonical(reference));
  },
};
