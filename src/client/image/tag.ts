import type { Command } from '../command/command.ts';
import { imageSegment } from './path.ts';
import { familiarName, parseReference, withDefaultTag } from './reference.ts';

export const tag: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  description: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
  names: ['image tag', 'tag'],
  flags: [],
  arity: { kind: 'exactly', count: 2 },
  completes: 'images',
  run: async ({ cli, args }) => {
    const [source = '', target = ''] = args;
    let reference: ReturnType<typeof parseReference>;
    try {
      reference = withDefaultTag(parseReference(target));
    } catch (err) {
      throw new Error(
        `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${(err as Error).message}`,
      );
    }
    if (reference.digest !== '') throw new Error('refusing to create a tag with a digest reference');
    await cli.engine.send('POST', `/images/${imageSegment(source)}/tag`, {
      query: {
        repo: reference.domain === 'docker.io' ? `docker.io/${reference.path}` : familiarName(reference),
        tag: reference.tag,
      },
    });
  },
};
