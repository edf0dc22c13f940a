// The client of a classic build: all that it has it has sent already.

import { rmSync } from 'node:fs';
import type { BuildClient } from '../../build/index.ts';
import { NotFound } from '../../errdefs/index.ts';
import type { AuthConfig } from '../../registry/index.ts';
import type { ContextArchive } from './context-archive.ts';

export class ClassicClient implements BuildClient {
  readonly #context: ContextArchive;
  readonly #auth: ReadonlyMap<string, AuthConfig>;

  constructor(context: ContextArchive, auth: ReadonlyMap<string, AuthConfig>) {
    this.#context = context;
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
    return this.#context.directory;
  }

  contentDigest(directory: string, sources: readonly string[], exclude: readonly string[]): string | undefined {
    return directory === this.#context.directory ? this.#context.index.digest(sources, exclude) : undefined;
  }

  async fill(directory: string, signal: AbortSignal): Promise<void> {
    if (directory === this.#context.directory) await this.#context.fill(signal, file => rmSync(file, { force: true }));
  }
}
