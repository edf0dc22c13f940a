import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { openInput } from '../terminal/input-stream.ts';
import { showProgress } from '../terminal/progress.ts';
import { isatty } from '../terminal/window.ts';
import { platformJson } from './rm.ts';

export const load: Command = {
  usage: '[OPTIONS]',
  description: 'Load an image from a tar archive or STDIN',
  names: ['image load', 'load'],
  flags: [
    flag.string('input', 'i', 'Read from tar archive file, instead of STDIN'),
    flag.string(
      'platform',
      '',
      'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    flag.bool('quiet', 'q', 'Suppress the load output'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const stream = openInput(flags.string('input'), 'requested load from stdin, but stdin is empty');
    // Progress goes to a terminal only.
    const quiet = flags.bool('quiet') || !isatty(1);
    const platforms = flags.list('platform').map(platformJson);
    const response = await cli.engine.request('POST', '/images/load', {
      query: { quiet, platform: platforms.length === 0 ? undefined : platforms },
      contentType: 'application/x-tar',
      stream,
    });
    if (response.headers.get('content-type')?.startsWith('application/json') === true)
      await showProgress(response, { fd: 1 });
    else for await (const chunk of response.body()) cli.write(chunk.toString());
  },
};
