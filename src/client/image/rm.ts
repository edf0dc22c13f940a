import type { ImageDeleteItem } from '../../api/index.ts';
import { isNotFound } from '../../errdefs/index.ts';
import { type Command, StatusError } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { imageSegment } from './path.ts';

export const rm: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  description: 'Remove one or more images',
  names: ['image rm', 'image remove', 'rmi'],
  flags: [
    flag.bool('force', 'f', 'Force removal of the image'),
    flag.bool('no-prune', '', 'Do not delete untagged parents'),
    flag.strings(
      'platform',
      '',
      'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
  ],
  arity: { kind: 'atLeast', count: 1 },
  completes: 'images',
  run: async ({ cli, args, flags }) => {
    const force = flags.bool('force');
    const platforms = flags.list('platform').map(platformJson);
    const errors: string[] = [];
    let fatal = false;
    for (const name of args) {
      try {
        const deleted = await cli.engine.json<ImageDeleteItem[]>('DELETE', `/images/${imageSegment(name)}`, {
          query: { force: force || undefined, noprune: flags.bool('no-prune') || undefined, platforms },
        });
        for (const item of deleted)
          cli.print(item.Deleted === undefined ? `Untagged: ${item.Untagged}` : `Deleted: ${item.Deleted}`);
      } catch (err) {
        if (!isNotFound(err)) fatal = true;
        errors.push((err as Error).message);
      }
    }
    if (errors.length > 0) {
      // With --force images that are not there are only mentioned.
      if (!force || fatal) throw new StatusError(errors.join('\n'), 1);
      cli.error(errors.join('\n'));
    }
    return 0;
  },
};

/** "linux/arm64/v8" as the JSON that push, save, load, inspect, history and delete take. */
export function platformJson(text: string): string {
  const [os = '', architecture, variant] = text.split('/');
  return JSON.stringify({ architecture: architecture ?? '', os, ...(variant !== undefined && { variant }) });
}
