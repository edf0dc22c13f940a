// Builds under way, by the ref that their client gave them. A client of today asks twice: Solve with no frontend opens the build,
// LLBBridge calls with the same ref say what to build, Return ends it, and then the result goes to the exporters.

import type { BuildResult } from '../../../build/index.ts';
import { FailedPrecondition, NotFound } from '../../../errdefs/index.ts';
import { StatusLog } from './status-log.ts';

export class RunningBuild {
  readonly ref: string;
  readonly session: string;
  readonly status = new StatusLog();
  readonly abort = new AbortController();
  /** Results of the frontend, by the id that the client was given. */
  readonly results = new Map<string, BuildResult>();
  /** What the client returned: the id of the result that is to be exported. */
  readonly returned = Promise.withResolvers<string | undefined>();
  readonly startedAt = new Date();

  constructor(ref: string, session: string) {
    this.ref = ref;
    this.session = session;
    this.returned.promise.catch(() => {});
  }

  release(): void {
    this.status.end();
    for (const result of this.results.values()) result[Symbol.dispose]();
    this.results.clear();
  }
}

export class RunningBuilds {
  readonly #builds = new Map<string, RunningBuild>();
  readonly #waiting = new Map<string, Set<(build: RunningBuild) => void>>();

  open(ref: string, session: string): RunningBuild {
    if (this.#builds.has(ref)) throw new FailedPrecondition(`build ${ref} is running already`);
    const build = new RunningBuild(ref, session);
    this.#builds.set(ref, build);
    for (const wake of this.#waiting.get(ref) ?? []) wake(build);
    this.#waiting.delete(ref);
    return build;
  }

  close(build: RunningBuild): void {
    this.#builds.delete(build.ref);
    build.release();
  }

  cancel(ref: string): void {
    this.#builds.get(ref)?.abort.abort(new DOMException('context canceled', 'AbortError'));
  }

  /** The build called `ref`, which may be opened a moment later than it is asked for. */
  async get(ref: string, signal: AbortSignal): Promise<RunningBuild> {
    const there = this.#builds.get(ref);
    if (there !== undefined) return there;
    const { promise, resolve, reject } = Promise.withResolvers<RunningBuild>();
    const waiting = this.#waiting.get(ref) ?? new Set();
    waiting.add(resolve);
    this.#waiting.set(ref, waiting);
    const timer = setTimeout(() => reject(new NotFound(`no such job ${ref}`)), 5000);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      waiting.delete(resolve);
    }
  }
}
