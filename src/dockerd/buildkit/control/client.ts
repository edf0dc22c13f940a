// The client of a build, as the builder asks it: over its session.

import type { BuildClient } from '../../../build/index.ts';
import type { ContextDirectories, HeldDirectory } from '../session/context-directories.ts';
import type { Session } from '../session/session.ts';

export interface SessionClientOptions {
  readonly session: Session;
  readonly directories: ContextDirectories;
  /** Patterns of the ignore file: the client does not even send what they leave out. */
  readonly exclude: readonly string[];
  readonly mainContext: string;
  readonly onBytes: (context: string, bytes: number, started: Date, done: boolean) => void;
}

/** Holds the context directories of one build until it is disposed of. */
export class SessionClient implements BuildClient, Disposable {
  readonly #options: SessionClientOptions;
  readonly #held = new Map<string, { directory: HeldDirectory; synced: Promise<void> }>();

  constructor(options: SessionClientOptions) {
    this.#options = options;
  }

  [Symbol.dispose](): void {
    for (const { directory } of this.#held.values()) directory.release();
  }

  secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#options.session.secret(id, signal);
  }

  sshAgent(id: string, signal: AbortSignal) {
    return this.#options.session.sshAgent(id, signal);
  }

  credentials(host: string, signal: AbortSignal) {
    return this.#options.session.credentials(sessionHost(host), signal);
  }

  async directory(context: string, signal: AbortSignal): Promise<string> {
    const { session, directories, mainContext, exclude, onBytes } = this.#options;
    let held = this.#held.get(context);
    if (held === undefined) {
      const name = context === 'context' ? mainContext : context;
      const directory = directories.hold(`${session.sharedKey === '' ? session.id : session.sharedKey} ${name}`);
      const started = new Date();
      let bytes = 0;
      const options = {
        exclude: context === 'context' ? exclude : [],
        onBytes: (now: number) => {
          bytes = now;
          onBytes(context, now, started, false);
        },
      };
      const synced = session
        .sync(name, directory.path, options, signal)
        .then(() => onBytes(context, bytes, started, true));
      synced.catch(() => {}); // told to who waits
      held = { directory, synced };
      this.#held.set(context, held);
    }
    await held.synced;
    return held.directory.path;
  }
}

/** Docker Hub's host, as clients are asked for its credentials. */
export const sessionHost = (domain: string): string => (domain === 'docker.io' ? 'registry-1.docker.io' : domain);
