import type { Cli } from '../cli.ts';
import { StatusError } from '../command/command.ts';

/** How many of the named objects are worked on at once, as Docker does. */
const parallel = 50;

/**
 * Does the same to each named object, and prints the name of each that went well (or the line that the action gives; null
 * prints nothing), in the order given. What failed is shown at the
 * end, and makes the exit status 1.
 */
export async function forEachName(
  cli: Cli,
  names: readonly string[],
  action: (name: string) => Promise<string | null | undefined>,
  options: { readonly parallel?: boolean } = {},
): Promise<number> {
  const width = options.parallel === true ? parallel : 1;
  const running: Promise<string | null | undefined>[] = [];
  const errors: string[] = [];
  let started = 0;
  const startNext = (): void => {
    const name = names[started];
    if (name === undefined) return;
    const promise = (async () => await action(name))();
    promise.catch(() => {}); // looked at in its turn
    running[started++] = promise;
  };
  for (let i = 0; i < Math.min(width, names.length); i++) startNext();
  for (let i = 0; i < names.length; i++) {
    try {
      const line = await running[i];
      if (line !== null) cli.print(line ?? names[i]!);
    } catch (err) {
      errors.push((err as Error).message);
    }
    startNext();
  }
  if (errors.length > 0) throw new StatusError(errors.join('\n'), 1);
  return 0;
}
