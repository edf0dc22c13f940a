// The client of a classic build: all that it has it has sent already.

import type { BuildClient } from '../../build/index.ts';
import { NotFound } from '../../errdefs/index.ts';
import type { AuthConfig } from '../../registry/index.ts';

export class ClassicClient implements BuildClient {
  readonly #directory: string;
  readonly #auth: ReadonlyMap<string, AuthConfig>;

  constructor(directory: string, auth: ReadonlyMap<string, AuthConfig>) {
    this.#directory = directory;
    this.#auth = auth;
  }

  async secret(): Promise<undefined> {
    return undefined;
  }

  async sshAgent(): Promise<undefined> {
    return undefined;
  }

  async credentials(host: string) {
    const auth = this.#auth.get(host);
    if (auth?.username === undefined) return undefined;
    return { username: auth.username, password: auth.password ?? '' };
  }

  async directory(context: string): Promise<string> {
    if (context !== 'context') throw new NotFound(`named context "${context}" was not sent`);
    return this.#directory;
  }
}
