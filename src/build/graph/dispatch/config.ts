// The instructions that only change the image's config: no file system, no layer, a line in the history.

import type {
  ArgInstruction,
  CommandInstruction,
  EnvInstruction,
  ExposeInstruction,
  HealthcheckInstruction,
  LabelInstruction,
  OnbuildInstruction,
  ShellInstruction,
  TextInstruction,
  VolumeInstruction,
} from '../../dockerfile/instruction.ts';
import { DockerfileError } from '../../dockerfile/source.ts';
import { type Conversion, expandIn, expandWordsIn } from '../context.ts';
import { goDuration, goList, goQuotes } from '../quote.ts';
import { addHistory, type StageState, setEnv } from '../stage.ts';
import { shellCommand } from './shell.ts';

/** All values of one ENV see the environment before it. */
export function env(conversion: Conversion, stage: StageState, instruction: EnvInstruction): void {
  const pairs = instruction.pairs.map(({ key, value }) => ({
    key: expandIn(conversion, stage, key, instruction.range),
    value: expandIn(conversion, stage, value, instruction.range),
  }));
  for (const { key, value } of pairs) setEnv(stage, key, value);
  addHistory(stage, `ENV ${pairs.map(pair => `${pair.key}=${pair.value}`).join(' ')}`, false);
}

export function label(conversion: Conversion, stage: StageState, instruction: LabelInstruction): void {
  const labels: Record<string, string> = {};
  for (const { key, value } of instruction.pairs) {
    labels[expandIn(conversion, stage, key, instruction.range)] = expandIn(conversion, stage, value, instruction.range);
  }
  stage.config.Labels = { ...stage.config.Labels, ...labels };
  addHistory(
    stage,
    `LABEL ${Object.entries(labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}`,
    false,
  );
}

export function arg(conversion: Conversion, stage: StageState, instruction: ArgInstruction): void {
  conversion.declareArg(stage, instruction);
  const shown = instruction.args.map(({ key }) => {
    const value = stage.args.get(key);
    return value === undefined ? key : `${key}=${value}`;
  });
  addHistory(stage, `ARG ${shown.join(' ')}`, false);
}

export function expose(conversion: Conversion, stage: StageState, instruction: ExposeInstruction): void {
  const ports: string[] = [];
  for (const text of instruction.ports) {
    for (const word of expandWordsIn(conversion, stage, text, instruction.range)) {
      ports.push(...portRange(word, instruction));
    }
  }
  stage.config.ExposedPorts = { ...stage.config.ExposedPorts, ...Object.fromEntries(ports.map(port => [port, {}])) };
  addHistory(stage, `EXPOSE ${goList(ports.toSorted())}`, false);
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portRange(text: string, instruction: ExposeInstruction): string[] {
  // A host's part (`127.0.0.1:80:80`) means nothing here; the checks say so.
  const match = text.replace(/^.*:/, '').match(/^(\d{1,5})(?:-(\d{1,5}))?(?:\/([a-zA-Z]+))?$/);
  const start = Number(match?.[1]);
  const end = Number(match?.[2] ?? match?.[1]);
  const protocol = (match?.[3] ?? 'tcp').toLowerCase();
  if (match === null || start < 1 || end > 65535 || end < start || !['tcp', 'udp', 'sctp'].includes(protocol)) {
    throw new DockerfileError(`invalid containerPort: ${text}`, instruction.range);
  }
  return Array.from({ length: end - start + 1 }, (_, i) => `${start + i}/${protocol}`);
}

export function command(_conversion: Conversion, stage: StageState, instruction: CommandInstruction): void {
  const args = shellCommand(stage, instruction.command);
  if (instruction.kind === 'CMD') {
    stage.config.Cmd = args;
    stage.config.ArgsEscaped = true;
    stage.cmdSet = true;
  } else {
    stage.config.Entrypoint = args;
    if (!stage.cmdSet) delete stage.config.Cmd;
  }
  addHistory(stage, `${instruction.kind} ${goQuotes(args)}`, false);
}

export function shell(_conversion: Conversion, stage: StageState, instruction: ShellInstruction): void {
  stage.config.Shell = instruction.args;
  addHistory(stage, `SHELL ${goList(instruction.args)}`, false);
}

export function healthcheck(_conversion: Conversion, stage: StageState, instruction: HealthcheckInstruction): void {
  const { command: given, interval, timeout, startPeriod, startInterval, retries } = instruction;
  const test =
    given === 'NONE' ? ['NONE'] : given.form === 'shell' ? ['CMD-SHELL', given.text] : ['CMD', ...given.args];
  stage.config.Healthcheck = {
    Test: test,
    ...(interval !== undefined && { Interval: interval }),
    ...(timeout !== undefined && { Timeout: timeout }),
    ...(startPeriod !== undefined && { StartPeriod: startPeriod }),
    ...(startInterval !== undefined && { StartInterval: startInterval }),
    ...(retries !== undefined && { Retries: retries }),
  };
  const seconds = (ns = 0): string => `"${goDuration(ns)}"`;
  addHistory(
    stage,
    `HEALTHCHECK &{${goQuotes(test)} ${seconds(interval)} ${seconds(timeout)} ${seconds(startPeriod)} ${seconds(startInterval)} '\\x${(retries ?? 0).toString(16).padStart(2, '0')}'}`,
    false,
  );
}

export function text(conversion: Conversion, stage: StageState, instruction: TextInstruction): void {
  const value = expandIn(conversion, stage, instruction.text, instruction.range);
  switch (instruction.kind) {
    case 'USER':
      stage.config.User = value;
      break;
    case 'STOPSIGNAL':
      stage.config.StopSignal = value;
      break;
    case 'MAINTAINER':
      stage.author = instruction.text;
      break;
    case 'WORKDIR':
      throw new Error('WORKDIR makes a vertex');
  }
  addHistory(stage, `${instruction.kind} ${instruction.kind === 'MAINTAINER' ? instruction.text : value}`, false);
}

export function volume(conversion: Conversion, stage: StageState, instruction: VolumeInstruction): void {
  const paths = instruction.paths.map(path => expandIn(conversion, stage, path, instruction.range));
  stage.config.Volumes = { ...stage.config.Volumes, ...Object.fromEntries(paths.map(path => [path, {}])) };
  addHistory(stage, `VOLUME ${goList(paths)}`, false);
}

export function onbuild(_conversion: Conversion, stage: StageState, instruction: OnbuildInstruction): void {
  stage.config.OnBuild = [...(stage.config.OnBuild ?? []), instruction.trigger];
}
