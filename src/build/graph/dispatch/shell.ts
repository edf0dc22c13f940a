import type { CommandForm } from '../../dockerfile/instruction.ts';
import type { StageState } from '../stage.ts';

/** The shell of shell forms: the stage's SHELL, or /bin/sh -c. */
export const shellOf = (stage: StageState): readonly string[] => stage.config.Shell ?? ['/bin/sh', '-c'];

/** The argument vector of a command. */
export const shellCommand = (stage: StageState, command: CommandForm): readonly string[] =>
  command.form === 'exec' ? command.args : [...shellOf(stage), command.text];
