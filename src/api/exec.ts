// Additional processes in a running container.

import { bool, type Decoded, int, list, struct, text } from './decode.ts';

/** The body of POST /containers/{id}/exec. */
export const execCreateShape = struct('container.ExecOptions', {
  User: text(),
  Privileged: bool(),
  Tty: bool(),
  /** Height, width. */
  ConsoleSize: list(int('uint')),
  AttachStdin: bool(),
  AttachStderr: bool(),
  AttachStdout: bool(),
  DetachKeys: text(),
  Env: list(text()),
  WorkingDir: text(),
  Cmd: list(text()),
});
export type ExecCreateRequest = Decoded<typeof execCreateShape>;

export interface ExecCreateResponse {
  readonly Id: string;
}

/** The body of POST /exec/{id}/start. */
export const execStartShape = struct('container.ExecStartOptions', {
  Detach: bool(),
  Tty: bool(),
  ConsoleSize: list(int('uint')),
});
export type ExecStartRequest = Decoded<typeof execStartShape>;

export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  readonly ExitCode: number | null;
  readonly ProcessConfig: {
    readonly tty: boolean;
    readonly entrypoint: string;
    readonly arguments: readonly string[];
    readonly privileged?: boolean;
    readonly user?: string;
  };
  readonly OpenStdin: boolean;
  readonly OpenStderr: boolean;
  readonly OpenStdout: boolean;
  readonly CanRemove: boolean;
  readonly ContainerID: string;
  readonly DetachKeys: string;
  readonly Pid: number;
}
