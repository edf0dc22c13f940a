// What every command gets: the daemon, the configuration, and the two outputs.

import type { ConfigFile } from './config/config-file.ts';
import { loadConfig } from './config/config-file.ts';
import { type GlobalOptions, resolveEndpoint } from './config/global-options.ts';
import { Engine } from './http/engine.ts';
import { writeFully } from './terminal/output.ts';

export class Cli {
  readonly options: GlobalOptions;
  #engine: Engine | undefined;
  #config: ConfigFile | undefined;

  constructor(options: GlobalOptions) {
    this.options = options;
  }

  /** The daemon that flags, environment and context choose. */
  get engine(): Engine {
    if (this.#engine === undefined) {
      const version = process.env.DOCKER_API_VERSION;
      const headers = this.config.HttpHeaders;
      this.#engine = new Engine(resolveEndpoint(this.options, this.config), {
        ...(version !== undefined && version !== '' && { version: version.replace(/^v/, '') }),
        ...(headers !== undefined && { headers }),
      });
    }
    return this.#engine;
  }

  get config(): ConfigFile {
    this.#config ??= loadConfig(this.options.configDirectory, message => this.error(message));
    return this.#config;
  }

  write(text: string): void {
    writeFully(1, text);
  }

  /** One line to standard output. */
  print(line: string): void {
    writeFully(1, `${line}\n`);
  }

  /** One line to standard error. */
  error(line: string): void {
    writeFully(2, `${line}\n`);
  }

  close(): void {
    this.#engine?.close();
  }
}
