// `--change` of import and commit: Dockerfile instructions on an image's configuration (moby builder/dockerfile/dispatchers, BuildFromConfig).

import { parseInstruction } from '../../build/index.ts';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { ImageRunConfig } from '../../oci/index.ts';

const allowed = [
  'CMD',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'HEALTHCHECK',
  'LABEL',
  'ONBUILD',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The configuration after the instructions, in order. */
export function applyChanges(config: ImageRunConfig, changes: readonly string[]): ImageRunConfig {
  const next: Mutable<ImageRunConfig> = { ...config };
  for (const change of changes) {
    const keyword = change.trim().split(/\s+/, 1)[0]!.toUpperCase();
    if (!allowed.includes(keyword)) throw new InvalidArgument(`${keyword} is not a valid change command`);
    apply(next, change);
  }
  return next;
}

function apply(config: Mutable<ImageRunConfig>, change: string): void {
  const instruction = parseInstruction(change);
  const shell = config.Shell ?? ['/bin/sh', '-c'];
  switch (instruction.kind) {
    case 'CMD':
    case 'ENTRYPOINT': {
      const { command } = instruction;
      const words = command.form === 'exec' ? command.args : [...shell, command.text];
      if (instruction.kind === 'CMD') config.Cmd = words;
      else {
        config.Entrypoint = words;
      }
      return;
    }
    case 'ENV': {
      const env = [...(config.Env ?? [])];
      for (const { key, value } of instruction.pairs) {
        const at = env.findIndex(entry => entry.startsWith(`${key}=`));
        if (at >= 0) env[at] = `${key}=${value}`;
        else env.push(`${key}=${value}`);
      }
      config.Env = env;
      return;
    }
    case 'LABEL':
      config.Labels = {
        ...config.Labels,
        ...Object.fromEntries(instruction.pairs.map(({ key, value }) => [key, value])),
      };
      return;
    case 'EXPOSE':
      config.ExposedPorts = {
        ...config.ExposedPorts,
        ...Object.fromEntries(instruction.ports.map(port => [port.includes('/') ? port : `${port}/tcp`, {}])),
      };
      return;
    case 'VOLUME':
      config.Volumes = { ...config.Volumes, ...Object.fromEntries(instruction.paths.map(path => [path, {}])) };
      return;
    case 'USER':
      config.User = instruction.text;
      return;
    case 'WORKDIR':
      config.WorkingDir = instruction.text.startsWith('/')
        ? instruction.text
        : `${(config.WorkingDir ?? '').replace(/\/$/, '')}/${instruction.text}`;
      return;
    case 'STOPSIGNAL':
      config.StopSignal = instruction.text;
      return;
    case 'ONBUILD':
      config.OnBuild = [...(config.OnBuild ?? []), instruction.trigger];
      return;
    case 'HEALTHCHECK': {
      const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
      config.Healthcheck =
        command === 'NONE'
          ? { Test: ['NONE'] }
          : {
              Test: command.form === 'exec' ? ['CMD', ...command.args] : ['CMD-SHELL', command.text],
              ...(interval !== undefined && { Interval: interval }),
              ...(timeout !== undefined && { Timeout: timeout }),
              ...(startPeriod !== undefined && { StartPeriod: startPeriod }),
              ...(startInterval !== undefined && { StartInterval: startInterval }),
              ...(retries !== undefined && { Retries: retries }),
            };
      return;
    }
    default:
      throw new InvalidArgument(`${instruction.kind} is not a valid change command`);
  }
}
