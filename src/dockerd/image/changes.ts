// The `changes` of commit and import: Dockerfile instructions that only change the config (moby daemon/builder/dockerfile
// BuildFromConfig).

import { expandWord, parseInstruction } from '../../build/index.ts';
import { describe, InvalidArgument } from '../../errdefs/index.ts';
import type { ImageRunConfig } from '../../oci/index.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Instruction = ReturnType<typeof parseInstruction>;

const accepted = new Set(
  'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);

/** The config with the instructions applied; InvalidArgument in Docker's words. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const changed: Writable<ImageRunConfig> = { ...config };
  let commandGiven = false;
  for (const text of changes.flatMap(change => change.split('\n')).filter(line => line.trim() !== '')) {
    const keyword = text.trim().split(/\s/, 1)[0]!;
    if (!accepted.has(keyword.toUpperCase())) throw new InvalidArgument(`${keyword} is not a valid change command`);
    let instruction: Instruction;
    try {
      instruction = parseInstruction(text);
    } catch (err) {
      throw new InvalidArgument(describe(err), { cause: err });
    }
    // An entrypoint takes the place of a command that was not given with it.
    if (instruction.kind === 'CMD') commandGiven = true;
    if (instruction.kind === 'ENTRYPOINT' && !commandGiven) delete changed.Cmd;
    apply(changed, instruction, word => unquote(word, changed.Env ?? []));
  }
  return changed;
}

function apply(config: Writable<ImageRunConfig>, instruction: Instruction, word: (text: string) => string): void {
  switch (instruction.kind) {
    case 'CMD':
      config.Cmd = command(config, instruction.command);
      break;
    case 'ENTRYPOINT':
      config.Entrypoint = command(config, instruction.command);
      break;
    case 'ENV':
      config.Env = instruction.pairs
        .map(({ key, value }) => ({ key: word(key), value: word(value) }))
        .reduce(withVariable, config.Env ?? []);
      break;
    case 'LABEL':
      config.Labels = {
        ...config.Labels,
        ...Object.fromEntries(instruction.pairs.map(({ key, value }) => [word(key), word(value)])),
      };
      break;
    case 'EXPOSE':
      config.ExposedPorts = {
        ...config.ExposedPorts,
        ...Object.fromEntries(
          instruction.ports
            .map(word)
            .flatMap(portRange)
            .map(port => [port, {}]),
        ),
      };
      break;
    case 'VOLUME':
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(instruction.paths.map(path => [word(path), {}])) };
      break;
    case 'ONBUILD':
      config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger];
      break;
    case 'USER':
      config.User = word(instruction.text);
      break;
    case 'STOPSIGNAL':
      config.StopSignal = word(instruction.text);
      break;
    case 'WORKDIR':
      config.WorkingDir = workingDirectory(config.WorkingDir ?? '', word(instruction.text));
      break;
    case 'HEALTHCHECK':
      config.Healthcheck = healthcheck(instruction);
      break;
    default:
      throw new InvalidArgument(`${instruction.kind} is not a valid change command`);
  }
}

/** Takes quotes off, and puts the image's variables in. */
function unquote(text: string, env: readonly string[]): string {
  const lookup = (name: string) => env.find(variable => variable.startsWith(`${name}=`))?.slice(name.length + 1);
  return expandWord(text, lookup, { escape: '\\' });
}

type Command = Extract<Instruction, { kind: 'CMD' | 'ENTRYPOINT' }>['command'];

const command = (config: ImageRunConfig, given: Command): readonly string[] =>
  given.form === 'exec' ? given.args : [...(config.Shell ?? ['/bin/sh', '-c']), given.text];

function withVariable(env: readonly string[], { key, value }: { key: string; value: string }): readonly string[] {
  const at = env.findIndex(variable => variable.split('=', 1)[0] === key);
  return at < 0 ? [...env, `${key}=${value}`] : env.with(at, `${key}=${value}`);
}

function portRange(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/.exec(text);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (match === null || end > 65535 || end < start || !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new InvalidArgument(`Invalid containerPort: ${text}`);
  }
  return Array.from({ length: end - start + 1 }, (_, i) => `${start + i}/${protocol}`);
}

const workingDirectory = (before: string, path: string): string =>
  path.startsWith('/') ? path : `${before === '/' ? '' : before}/${path}`;

function healthcheck(instruction: Extract<Instruction, { kind: 'HEALTHCHECK' }>) {
  const { command: given, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const test =
    given === 'NONE' ? ['NONE'] : given.form === 'shell' ? ['CMD-SHELL', given.text] : ['CMD', ...given.args];
  return {
    Test: test,
    ...(interval !== undefined && { Interval: interval }),
    ...(timeout !== undefined && { Timeout: timeout }),
    ...(startPeriod !== undefined && { StartPeriod: startPeriod }),
    ...(startInterval !== undefined && { StartInterval: startInterval }),
    ...(retries !== undefined && { Retries: retries }),
  };
}
