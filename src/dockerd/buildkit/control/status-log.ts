// The progress of one build, kept so that whoever asks for its status sees it from the start, however late.

import {
  type LogProgress,
  type ProgressSink,
  ruleUrl,
  type StatusProgress,
  type VertexProgress,
  type WarningProgress,
} from '../../../build/index.ts';
import type { StatusResponse, Timestamp } from '../proto/buildkit.ts';
import type { MessageOf, Partially } from '../proto/wire.ts';

export type Status = Partially<MessageOf<typeof StatusResponse>>;

/** What a build prints beyond this is dropped, with a line that says so (BuildKit's own limit is 2 MiB a step). */
const maxLogBytesPerVertex = 2 * 1024 * 1024;
/** Records between two looks are sent together. */
const maxBatch = 200;

export class StatusLog implements ProgressSink {
  readonly #records: Status[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #logged = new Map<string, number>();
  #ended = false;

  vertex(progress: VertexProgress): void {
    this.#add({
      vertexes: [
        {
          digest: progress.digest,
          name: progress.name,
          inputs: [...progress.inputs],
          cached: progress.cached ?? false,
          error: progress.error ?? '',
          ...(progress.started !== undefined && { started: timestamp(progress.started) }),
          ...(progress.completed !== undefined && { completed: timestamp(progress.completed) }),
        },
      ],
    });
    if (progress.missed !== undefined) {
      this.log({
        vertex: progress.digest,
        stream: 2,
        data: Buffer.from(`cache: ${progress.missed}\n`),
        at: new Date(),
      });
    }
  }

  status(progress: StatusProgress): void {
    this.#add({
      statuses: [
        {
          ID: progress.id,
          vertex: progress.vertex,
          name: progress.id,
          current: progress.current,
          total: progress.total,
          timestamp: timestamp(new Date()),
          started: timestamp(progress.started),
          ...(progress.completed !== undefined && { completed: timestamp(progress.completed) }),
        },
      ],
    });
  }

  log(progress: LogProgress): void {
    const before = this.#logged.get(progress.vertex) ?? 0;
    if (before > maxLogBytesPerVertex) return;
    this.#logged.set(progress.vertex, before + progress.data.length);
    const clipped = before + progress.data.length > maxLogBytesPerVertex;
    const data = clipped
      ? Buffer.from(`[output clipped, log limit ${maxLogBytesPerVertex >> 20}MiB reached]\n`)
      : Buffer.from(progress.data);
    this.#add({
      logs: [{ vertex: progress.vertex, timestamp: timestamp(progress.at), stream: progress.stream, msg: data }],
    });
  }

  warning(progress: WarningProgress): void {
    this.#add({
      warnings: [
        {
          vertex: progress.vertex,
          level: 1,
          short: Buffer.from(`${progress.rule}: ${progress.message} (line ${progress.range.start})`),
          url: ruleUrl(progress.rule),
          ranges: [
            { start: { line: progress.range.start, character: 0 }, end: { line: progress.range.end, character: 0 } },
          ],
        },
      ],
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** All records, then new ones as they come, until the build ends. */
  async *follow(signal: AbortSignal): AsyncGenerator<Status> {
    for (let at = 0; ; ) {
      if (at < this.#records.length) {
        const batch = this.#records.slice(at, at + maxBatch);
        at += batch.length;
        yield merge(batch);
        continue;
      }
      if (this.#ended || signal.aborted) return;
      await new Promise<void>(resolve => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  #add(record: Status): void {
    this.#records.push(record);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

const merge = (batch: readonly Status[]): Status => ({
  vertexes: batch.flatMap(record => record.vertexes ?? []),
  statuses: batch.flatMap(record => record.statuses ?? []),
  logs: batch.flatMap(record => record.logs ?? []),
  warnings: batch.flatMap(record => record.warnings ?? []),
});

export function timestamp(date: Date): MessageOf<typeof Timestamp> {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: (ms - seconds * 1000) * 1e6 };
}
