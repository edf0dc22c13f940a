import { InvalidArgument } from '../../../errdefs/index.ts';
import type { Command, Context } from '../context.ts';
import { withPrefix } from '../failure.ts';
import { Flags } from '../flags.ts';
import { containerId, createContainer, createFlags, loadSpec, waitAndForward } from '../start-program.ts';
import { deleteContainer } from './delete.ts';

const table = {
  ...createFlags,
  detach: 'boolean',
  d: { alias: 'detach' },
  keep: 'boolean',
  'no-subreaper': 'boolean',
} as const;

export const run: Command = {
  name: 'run',
  usage: 'run [command options] <container-id>',
  summary: 'create and run a container',
  run: (words, context) => withPrefix('runc run failed', () => runContainer(new Flags(words, table), context)),
};

async function runContainer(flags: Flags, context: Context): Promise<number> {
  const id = containerId(flags, 'run');
  const detach = flags.has('detach');
  const terminal = loadSpec(flags.string('bundle') ?? '.').process?.terminal === true;
  const consoleSocket = flags.string('console-socket');
  if (consoleSocket !== undefined && !(detach && terminal)) {
    throw new InvalidArgument('cannot use console socket if runc will not detach or allocate tty');
  }
  if (detach) {
    await createContainer(context, flags, id, 'none', false);
    return 0;
  }
  await using tty = terminal ? await (await import('../terminal.ts')).serveTerminal() : undefined;
  const launched = await createContainer(context, flags, id, 'none', true, tty);
  const copied = tty?.attach();
  const code = await waitAndForward(launched);
  await copied;
  if (!flags.has('keep')) await deleteContainer(context.store.read(id), context);
  return code;
}
