import { appendFileSync, writeSync } from 'node:fs';

/** Where runc's messages go (--log, --log-format): engines read the last error line of the file. */
export class Log {
  readonly #file: string | undefined;
  readonly #json: boolean;
  readonly #debug: boolean;

  constructor(file: string | undefined, format: string, debug: boolean) {
    this.#file = file === '' || file === '/dev/stderr' ? undefined : file;
    this.#json = format === 'json';
    this.#debug = debug;
  }

  debug(message: string): void {
    if (this.#debug) this.#write('debug', message);
  }

  warn(message: string): void {
    this.#write('warning', message);
  }

  /** The command's failure: into the log, and onto stderr where that is not the log. */
  error(message: string): void {
    this.#write('error', message);
    if (this.#file !== undefined) writeSync(2, `${message}\n`);
  }

  #write(level: string, message: string): void {
    const time = new Date().toISOString();
    const line = this.#json
      ? JSON.stringify({ level, msg: message, time })
      : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}`;
    if (this.#file === undefined) writeSync(2, `${line}\n`);
    else appendFileSync(this.#file, `${line}\n`);
  }
}
