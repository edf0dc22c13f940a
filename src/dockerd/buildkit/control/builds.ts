// Builds under way, by the ref that their client gave them. A client of today asks twice: Solve with no frontend opens the build,
// LLBBridge calls with the same ref say what to build, Return ends it, and then the result goes to the exporters.

import type { BuildResult } from '../../../build/index.ts';
import { FailedPrecondition, NotFound } from '../../../errdefs/index.ts';
import { Arrivals } from '../arrivals.ts';
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

/** How long the status of a build can be asked for after its end. */
const keptMs = 30_000;

export class RunningBuilds {
  readonly #builds = new Arrivals<RunningBuild>();
  /** Builds that have just ended: of a quick one the client may ask for the status after its end. */
  readonly #ended = new Map<string, RunningBuild>();

  open(ref: string, session: string): RunningBuild {
    if (this.#builds.has(ref)) throw new FailedPrecondition(`build ${ref} is running already`);
    const build = new RunningBuild(ref, session);
    this.#builds.add(ref, build);
    return build;
  }

  close(build: RunningBuild): void {
    this.#builds.remove(build.ref, build);
    build.release();
    this.#ended.set(build.ref, build);
    setTimeout(() => this.#ended.delete(build.ref), keptMs).unref();
  }

  cancel(ref: string): void {
    this.#builds.peek(ref)?.abort.abort(new DOMException('context canceled', 'AbortError'));
  }

  /** The status of a build, which may be opened a moment later than it is asked for, or have ended a moment before. */
  async status(ref: string, signal: AbortSignal): Promise<StatusLog> {
    const build = this.#ended.get(ref) ?? (await this.get(ref, signal));
    return build.status;
  }

  /** The build called `ref`, which may be opened a moment later than it is asked for. */
  get(ref: string, signal: AbortSignal): Promise<RunningBuild> {
    return this.#builds.get(ref, signal, () => new NotFound(`no such job ${ref}`));
  }
}
