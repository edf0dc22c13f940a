// One stage while it is being converted: where its file system stands, the image config so far, and the variables in scope.

import type { HistoryEntry, ImageRunConfig, Platform } from '../../oci/index.ts';
import type { Vertex } from './vertex.ts';

export interface StageState {
  /** The stage's name, or its number. */
  readonly name: string;
  readonly index: number;
  readonly platform: Platform;
  /** Undefined: scratch. */
  rootfs: Vertex | undefined;
  config: { -readonly [K in keyof ImageRunConfig]: ImageRunConfig[K] };
  author: string | undefined;
  readonly history: HistoryEntry[];
  /** ARGs in scope, with values; undefined where declared without one and none was given. */
  readonly args: Map<string, string | undefined>;
  /** This stage gave a CMD of its own, which a later ENTRYPOINT does not clear. */
  cmdSet: boolean;
  /** For `[name 2/5]`: the step at hand and how many there are. */
  step: number;
  steps: number;
}

/** Value of a variable as a Dockerfile sees it: ENV wins over ARG. */
export function lookup(stage: StageState, name: string): string | undefined {
  return envOf(stage).get(name) ?? stage.args.get(name);
}

/** The image's environment as a map. */
export function envOf(stage: StageState): Map<string, string> {
  const env = new Map<string, string>();
  for (const entry of stage.config.Env ?? []) {
    const equals = entry.indexOf('=');
    if (equals > 0) env.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return env;
}

/** Sets a variable of the image, in place where it has one already. */
export function setEnv(stage: StageState, key: string, value: string): void {
  const env = [...(stage.config.Env ?? [])];
  const at = env.findIndex(entry => entry.startsWith(`${key}=`));
  if (at === -1) env.push(`${key}=${value}`);
  else env[at] = `${key}=${value}`;
  stage.config.Env = env;
}

/** A line of `docker history`. Entries with a layer must match the layers one to one. */
export function addHistory(stage: StageState, createdBy: string, layer: boolean): void {
  stage.history.push({
    created_by: createdBy,
    comment: 'buildkit.dockerfile.v0',
    ...(!layer && { empty_layer: true }),
  });
}

/** `[build 2/5] ` or, with a single stage, `[2/5] `. */
export function stepName(stage: StageState, text: string): string {
  return `[${stage.name === '' ? '' : `${stage.name} `}${stage.step}/${stage.steps}] ${text}`;
}
