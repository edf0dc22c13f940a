// Lists of KEY=VALUE: --env, --label, their files, and the maps made of them.

import { readFileSync } from 'node:fs';

/** Lines of a --env-file or --label-file: no comments, no empty ones. Throws Errors in Docker's words. */
function readLines(path: string): string[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (err) {
    const missing = (err as NodeJS.ErrnoException).code === 'ENOENT';
    throw new Error(`open ${path}: ${missing ? 'no such file or directory' : (err as Error).message}`);
  }
  return text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map(line => line.replace(/^[ \t]+/, ''))
    .filter(line => line !== '' && !line.startsWith('#'));
}

function checkKey(line: string, path: string): void {
  const key = line.split('=')[0]!;
  if (key === '')
    throw new Error(`invalid variable ${JSON.stringify(line)} in ${path}: no variable name on line '${line}'`);
  if (/[ \t]/.test(key)) throw new Error(`invalid env file (${path}): variable '${key}' contains whitespaces`);
}

/** Files first, then the flags; a name without a value takes that of our own environment, and is left out where it has none. */
export function readEnvironment(files: readonly string[], values: readonly string[]): string[] {
  const out: string[] = [];
  const add = (entry: string): void => {
    if (entry.includes('=')) out.push(entry);
    else if (process.env[entry] !== undefined) out.push(`${entry}=${process.env[entry]}`);
  };
  for (const file of files) {
    for (const line of readLines(file)) {
      checkKey(line, file);
      add(line);
    }
  }
  values.forEach(add);
  return out;
}

export function readLabels(files: readonly string[], values: readonly string[]): Record<string, string> {
  return toMap([...files.flatMap(readLines), ...values]);
}

/** The last of each key counts; a key alone has an empty value. */
export const toMap = (values: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    values.map(value => {
      const at = value.indexOf('=');
      return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
    }),
  );
