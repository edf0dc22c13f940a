// A build told as the classic builder tells it: step by step, in the order of the file, whatever order things happen in.
//
//     Step 2/3 : RUN make
//      ---> Running in 0a1b2c3d4e5f
//     ... what it prints ...
//      ---> Removed intermediate container 0a1b2c3d4e5f
//      ---> 5f4e3d2c1b0a

import type { LogProgress, ProgressSink, StepProgress, VertexProgress, WarningProgress } from '../../build/index.ts';
import { digestHex, digestOf } from '../../oci/index.ts';

/** What a step prints before its turn is kept up to here. */
const maxHeldBytes = 2 << 20;

interface State {
  started: boolean;
  completed: boolean;
  cached: boolean;
  failed: boolean;
  held: LogProgress[];
  heldBytes: number;
}

export class ClassicOutput implements ProgressSink {
  readonly #write: (text: string) => void;
  #steps: readonly StepProgress[] = [];
  readonly #states = new Map<string, State>();
  /** The step being told. */
  #at = 0;
  #announced = false;
  #running = false;
  #cached = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  steps(steps: readonly StepProgress[]): void {
    this.#steps = steps;
    this.#tell();
  }

  vertex(progress: VertexProgress): void {
    const state = this.#state(progress.digest);
    state.started = true;
    state.completed ||= progress.completed !== undefined;
    state.cached ||= progress.cached === true;
    state.failed ||= progress.error !== undefined;
    this.#tell();
  }

  log(progress: LogProgress): void {
    const state = this.#state(progress.vertex);
    if (this.#steps[this.#at]?.vertex === progress.vertex && this.#announced) {
      this.#begin(progress.vertex);
      this.#print(progress);
    } else if (state.heldBytes < maxHeldBytes) {
      state.held.push({ ...progress, data: Buffer.from(progress.data) });
      state.heldBytes += progress.data.length;
    }
  }

  status(): void {}

  warning({ rule, message, range }: WarningProgress): void {
    this.#write(`[Warning] ${rule}: ${message} (line ${range.start})\n`);
  }

  /** The image is there: the last step's id is the image's. */
  done(id: string): void {
    this.#write(` ---> ${short(id)}\n`);
  }

  #state(digest: string): State {
    let state = this.#states.get(digest);
    if (state === undefined) {
      state = { started: false, completed: false, cached: false, failed: false, held: [], heldBytes: 0 };
      this.#states.set(digest, state);
    }
    return state;
  }

  /** Tells as far as things have come. */
  #tell(): void {
    for (; this.#at < this.#steps.length; this.#next()) {
      const step = this.#steps[this.#at]!;
      if (!this.#announced) {
        this.#announced = true;
        this.#write(`Step ${this.#at + 1}/${this.#steps.length} : ${step.text}\n`);
      }
      if (step.vertex === undefined) {
        if (this.#cached) this.#write(' ---> Using cache\n');
        this.#id(step);
        continue;
      }
      const state = this.#state(step.vertex);
      if (state.held.length > 0) this.#begin(step.vertex);
      for (const log of state.held.splice(0)) this.#print(log);
      if (!state.completed || state.failed) return;
      this.#cached = state.cached;
      if (state.cached) this.#write(' ---> Using cache\n');
      else if (step.kind === 'exec') {
        this.#begin(step.vertex);
        this.#write(` ---> Removed intermediate container ${short(step.vertex)}\n`);
      }
      this.#id(step);
    }
  }

  #next(): void {
    this.#at++;
    this.#announced = false;
    this.#running = false;
  }

  #begin(vertex: string): void {
    if (this.#running) return;
    this.#running = true;
    this.#write(` ---> Running in ${short(vertex)}\n`);
  }

  #id(step: StepProgress): void {
    if (this.#at === this.#steps.length - 1) return; // told by `done`
    this.#write(` ---> ${short(digestOf(`${step.vertex ?? ''} ${this.#at} ${step.text}`))}\n`);
  }

  #print({ stream, data }: LogProgress): void {
    const text = Buffer.from(data).toString('utf8');
    this.#write(stream === 2 ? `\x1b[91m${text}\x1b[0m` : text);
  }
}

const short = (digest: string): string => digestHex(digest as never).slice(0, 12);
