import { isatty, WriteStream } from 'node:tty';

export { isatty };

/** Size of the terminal behind a descriptor; undefined when it is none. */
export function windowSize(fd: number): { readonly rows: number; readonly columns: number } | undefined {
  if (!isatty(fd)) return undefined;
  const [columns, rows] = (fd === 1 ? process.stdout : fd === 2 ? process.stderr : new WriteStream(fd)).getWindowSize();
  return { rows, columns };
}
