import { StatusError } from '../command/command.ts';
import { programName } from '../program.ts';

/** Docker's exit status for a container that did not start, by the daemon's words: 127 no such command, 126 not executable, 125 all else. */
export function startFailureStatus(message: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(message))
    return 127;
  if (/permission denied|is a directory/.test(message)) return 126;
  return 125;
}

/** The failure as `run` and `create` show it: the program's name in front, a hint behind. */
export function runFailure(path: string, err: unknown, status?: number): StatusError {
  if (err instanceof StatusError && err.message === '') return err;
  const message = err instanceof Error ? err.message : String(err);
  return new StatusError(
    `${programName}: ${message}\n\nRun '${path} --help' for more information`,
    status ?? startFailureStatus(message),
  );
}

/** Runs it; a failure becomes one of `run`'s, with status 125. */
export async function withRunHint<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (err) {
    throw runFailure(path, err, 125);
  }
}
