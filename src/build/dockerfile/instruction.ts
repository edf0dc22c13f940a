// The instructions of a Dockerfile, parsed but not expanded: what the file says, before any variable has a value.

import type { Heredoc } from './lines.ts';
import type { Range } from './source.ts';

/** A command: in exec form an argument vector, in shell form one text for SHELL. */
export type CommandForm =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly text: string };

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

interface Base {
  /** As shown in progress and history: the whole line, joined, with heredocs left out. */
  readonly original: string;
  readonly range: Range;
}

export interface FromInstruction extends Base {
  readonly kind: 'FROM';
  readonly image: string;
  readonly name?: string;
  readonly platform?: string;
}

/** RUN --mount=…, values not yet expanded. */
export interface RunMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target?: string;
  readonly source?: string;
  readonly from?: string;
  readonly id?: string;
  readonly readOnly?: boolean;
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required?: boolean;
  readonly mode?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly sizeBytes?: number;
  readonly env?: string;
}

export interface RunInstruction extends Base {
  readonly kind: 'RUN';
  readonly command: CommandForm;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly RunMount[];
  readonly network?: 'default' | 'none' | 'host';
  readonly security?: 'sandbox' | 'insecure';
  readonly devices: readonly string[];
}

interface Transfer extends Base {
  readonly sources: readonly string[];
  readonly destination: string;
  readonly heredocs: readonly Heredoc[];
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export interface CopyInstruction extends Transfer {
  readonly kind: 'COPY';
  readonly from?: string;
  readonly parents: boolean;
}

export interface AddInstruction extends Transfer {
  readonly kind: 'ADD';
  readonly checksum?: string;
  readonly keepGitDir: boolean;
  /** Undefined: archives of the context are unpacked, those from URLs are not. */
  readonly unpack?: boolean;
}

export interface EnvInstruction extends Base {
  readonly kind: 'ENV';
  readonly pairs: readonly KeyValue[];
  /** `ENV key value`: a warning. */
  readonly legacy: boolean;
}

export interface LabelInstruction extends Base {
  readonly kind: 'LABEL';
  readonly pairs: readonly KeyValue[];
  readonly legacy: boolean;
}

export interface ArgInstruction extends Base {
  readonly kind: 'ARG';
  readonly args: readonly { readonly key: string; readonly value?: string }[];
}

export interface ExposeInstruction extends Base {
  readonly kind: 'EXPOSE';
  readonly ports: readonly string[];
}

export interface CommandInstruction extends Base {
  readonly kind: 'CMD' | 'ENTRYPOINT';
  readonly command: CommandForm;
}

export interface ShellInstruction extends Base {
  readonly kind: 'SHELL';
  readonly args: readonly string[];
}

/** Durations in nanoseconds. */
export interface HealthcheckInstruction extends Base {
  readonly kind: 'HEALTHCHECK';
  readonly command: CommandForm | 'NONE';
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

/** The instructions whose whole argument is one text. */
export interface TextInstruction extends Base {
  readonly kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER';
  readonly text: string;
}

export interface VolumeInstruction extends Base {
  readonly kind: 'VOLUME';
  readonly paths: readonly string[];
}

export interface OnbuildInstruction extends Base {
  readonly kind: 'ONBUILD';
  /** As it goes into the image. */
  readonly trigger: string;
}

export type StageInstruction =
  | RunInstruction
  | CopyInstruction
  | AddInstruction
  | EnvInstruction
  | LabelInstruction
  | ArgInstruction
  | ExposeInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | TextInstruction
  | VolumeInstruction
  | OnbuildInstruction;

export type Instruction = FromInstruction | StageInstruction;
