// The builds of this engine since it started, for `buildx history` and for clients that look up their own build.

import { codeOf, describe, grpcCode, NotFound } from '../../../errdefs/index.ts';
import type * as pb from '../proto/buildkit.ts';
import type { MessageOf, Partially } from '../proto/wire.ts';
import { timestamp } from './status-log.ts';

type Record_ = Partially<MessageOf<typeof pb.BuildHistoryRecord>> & { readonly Ref: string };
type Event = Partially<MessageOf<typeof pb.BuildHistoryEvent>>;

/** Older ones are forgotten. */
const maxRecords = 50;
const events = { started: 0, complete: 1, deleted: 2 } as const;

export class History {
  readonly #records = new Map<string, Record_>();
  readonly #listeners = new Set<(event: Event) => void>();

  begin(request: MessageOf<typeof pb.SolveRequest>): Record_ {
    const record: Record_ = {
      Ref: request.Ref,
      Frontend: request.Frontend || 'dockerfile.v0',
      FrontendAttrs: request.FrontendAttrs,
      Exporters: request.Exporters,
      CreatedAt: timestamp(new Date()),
      Generation: 1,
    };
    if (request.Internal) return record;
    this.#records.set(record.Ref, record);
    const [oldest] = this.#records.keys();
    if (this.#records.size > maxRecords) this.#records.delete(oldest!);
    this.#tell({ type: events.started, record });
    return record;
  }

  end(record: Record_, answer: Readonly<Record<string, string>>, error?: unknown): void {
    const ended: Record_ = {
      ...record,
      CompletedAt: timestamp(new Date()),
      ExporterResponse: answer,
      ...(error !== undefined && { error: { code: grpcCode[codeOf(error)], message: describe(error) } }),
    };
    if (!this.#records.has(record.Ref)) return;
    this.#records.set(record.Ref, ended);
    this.#tell({ type: events.complete, record: ended });
  }

  update(request: MessageOf<typeof pb.UpdateBuildHistoryRequest>): void {
    const record = this.#records.get(request.Ref);
    if (record === undefined) throw new NotFound(`build record ${request.Ref} not found`);
    if (request.Delete) {
      this.#records.delete(request.Ref);
      this.#tell({ type: events.deleted, record });
    } else this.#records.set(request.Ref, { ...record, pinned: request.Pinned });
  }

  async *listen(request: MessageOf<typeof pb.BuildHistoryRequest>, signal: AbortSignal): AsyncGenerator<Event> {
    const queue: Event[] = [];
    let wake: (() => void) | undefined;
    const listener = (event: Event): void => {
      queue.push(event);
      wake?.();
    };
    this.#listeners.add(listener);
    const stop = (): void => wake?.();
    signal.addEventListener('abort', stop);
    try {
      const wanted = (record: Record_): boolean =>
        (request.Ref === '' || record.Ref === request.Ref) && (!request.ActiveOnly || record.CompletedAt === undefined);
      for (const record of [...this.#records.values()].filter(wanted)) {
        yield { type: record.CompletedAt === undefined ? events.started : events.complete, record };
      }
      if (request.EarlyExit) return;
      while (!signal.aborted) {
        const event = queue.shift();
        if (event !== undefined) {
          if (wanted(event.record as Record_)) yield event;
          continue;
        }
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', stop);
    }
  }

  #tell(event: Event): void {
    for (const listener of this.#listeners) listener(event);
  }
}
