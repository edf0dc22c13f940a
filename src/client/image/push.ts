import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { registryAuth } from '../config/credentials.ts';
import { showProgress } from '../terminal/progress.ts';
import { imageSegment } from './path.ts';
import { canonical, familiarName, parseReference, withDefaultTag } from './reference.ts';
import { platformJson } from './rm.ts';

export const push: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  description: 'Upload an image to a registry',
  names: ['image push', 'push'],
  flags: [
    flag.bool('all-tags', 'a', 'Push all tags of an image to the repository'),
    flag.bool('disable-content-trust', '', 'Skip image signing', { shownDefault: 'true', initial: true }),
    flag.string(
      'platform',
      '',
      "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    ),
    flag.bool('quiet', 'q', 'Suppress verbose output'),
  ],
  arity: { kind: 'exactly', count: 1 },
  completes: 'images',
  run: async ({ cli, args, flags }) => {
    const quiet = flags.bool('quiet');
    const allTags = flags.bool('all-tags');
    const given = parseReference(args[0]!);
    if (allTags && (given.tag !== '' || given.digest !== '')) throw new Error("tag can't be used with --all-tags/-a");
    const reference = allTags ? given : withDefaultTag(given);
    if (!quiet && reference !== given) cli.print(`Using default tag: ${reference.tag}`);
    const platform = flags.string('platform');
    const name = reference.domain === 'docker.io' ? `docker.io/${reference.path}` : familiarName(reference);
    const response = await cli.engine.request('POST', `/images/${imageSegment(name)}/push`, {
      query: { tag: allTags ? '' : reference.tag, platform: platform === '' ? undefined : platformJson(platform) },
      headers: await registryAuth(cli.config, reference.domain),
    });
    await showProgress(response, { fd: quiet ? undefined : 1 });
    if (quiet) cli.print(canonical(reference));
  },
};
