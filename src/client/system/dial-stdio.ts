import type { Command } from '../command/command.ts';
import { dial } from '../http/endpoint.ts';

/** What `ssh HOST docker system dial-stdio` runs on the far side: our two streams are the daemon's connection. */
export const dialStdio: Command = {
  usage: '',
  description: 'Proxy the stdio stream to the daemon connection. Should not be invoked manually.',
  arity: { kind: 'none' },
  flags: [],
  run: async ({ cli }) => {
    const socket = await dial(cli.engine.endpoint);
    process.stdin.pipe(socket);
    socket.pipe(process.stdout);
    await new Promise<void>((resolve, reject) => {
      socket.once('end', resolve);
      socket.once('error', reject);
    });
  },
};
