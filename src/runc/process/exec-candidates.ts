import { InvalidArgument } from '../../errdefs/index.ts';

/** What execve tries, in order: a command with a slash is itself, a bare one is looked for in the PATH of the container's own environment. */
export function execCandidates(command: string, env: readonly string[]): readonly string[] {
  if (command === '') throw new InvalidArgument('exec: "": executable file not found in $PATH');
  if (command.includes('/')) return [command];
  const path = env.findLast(entry => entry.startsWith('PATH='))?.slice('PATH='.length) ?? '';
  // Go's LookPath, which runc uses, refuses what is found through an empty or relative entry; we don't look there.
  return path
    .split(':')
    .filter(directory => directory.startsWith('/'))
    .map(directory => `${directory.replace(/\/+$/, '')}/${command}`);
}
