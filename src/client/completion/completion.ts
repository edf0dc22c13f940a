import type { Command } from '../command/command.ts';
import { programName } from '../program.ts';
import { bashScript, fishScript, zshScript } from './scripts.ts';

const scripts: Readonly<Record<string, (program: string) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export const completion: Command = {
  usage: 'bash|zsh|fish',
  description:
    'Generate the autocompletion script for the specified shell\n\n' +
    `  bash:  source <(${programName} completion bash)\n` +
    `  zsh:   ${programName} completion zsh > "\${fpath[1]}/_${programName}"\n` +
    `  fish:  ${programName} completion fish | source`,
  arity: { kind: 'exactly', count: 1 },
  flags: [],
  run: async ({ cli, args }) => {
    const script = Object.hasOwn(scripts, args[0]!) ? scripts[args[0]!] : undefined;
    if (script === undefined)
      throw new Error(`unknown shell ${JSON.stringify(args[0])}: must be one of bash, zsh, fish`);
    cli.write(script(programName));
  },
};
