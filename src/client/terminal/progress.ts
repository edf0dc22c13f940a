// Progress of pull, push, load and import: bars that move on a terminal, plain lines elsewhere.

import { JsonStreamDecoder, type ProgressDetail, type ProgressMessage } from '../../api/index.ts';
import { StatusError } from '../command/command.ts';
import { formatDuration, humanSize } from '../format/units.ts';
import type { HttpResponse } from '../http/response.ts';
import { writeFully } from './output.ts';
import { windowSize } from './window.ts';

export interface ProgressOptions {
  /** Where it is shown; undefined shows nothing, but failures are still noticed. */
  readonly fd: number | undefined;
  readonly onAux?: (aux: unknown) => void;
  /** Text records, also where nothing is shown. */
  readonly onText?: (text: string) => void;
}

/** Follows the stream to its end. An error record fails with its message. */
export async function showProgress(response: HttpResponse, options: ProgressOptions): Promise<void> {
  const { fd } = options;
  const size = fd === undefined ? undefined : windowSize(fd);
  const display = fd === undefined ? undefined : new ProgressDisplay(text => writeFully(fd, text), size?.columns);
  const decoder = new JsonStreamDecoder(value => {
    const message = value as ProgressMessage;
    if (message.errorDetail !== undefined || message.error !== undefined) {
      throw new StatusError(message.errorDetail?.message || message.error || '', message.errorDetail?.code || 1);
    }
    if (message.aux !== undefined) options.onAux?.(message.aux);
    else {
      if (message.stream !== undefined) options.onText?.(message.stream);
      display?.show(message);
    }
  });
  for await (const chunk of response.body()) decoder.push(chunk);
}

/** Knows which line of the terminal belongs to which id. */
export class ProgressDisplay {
  readonly #write: (text: string) => void;
  /** Undefined where the output is no terminal. */
  readonly #columns: number | undefined;
  readonly #lines = new Map<string, number>();

  constructor(write: (text: string) => void, columns: number | undefined) {
    this.#write = write;
    this.#columns = columns;
  }

  show(message: ProgressMessage): void {
    const { id = '', progressDetail } = message;
    let up = 0;
    let out = '';
    if (id !== '' && progressDetail !== undefined) {
      let line = this.#lines.get(id);
      if (line === undefined) {
        line = this.#lines.size;
        this.#lines.set(id, line);
        if (this.#columns !== undefined) out += '\n';
      }
      up = this.#lines.size - line;
      if (this.#columns !== undefined && up > 0) out += `\x1b[${up}A`;
    } else this.#lines.clear(); // a line of text ends the block of bars
    out += this.#render(message);
    if (this.#columns !== undefined && up > 0) out += `\x1b[${up}B`;
    if (out !== '') this.#write(out);
  }

  #render(message: ProgressMessage): string {
    const { id = '', status = '', stream = '', progressDetail } = message;
    const bar = progressDetail === undefined ? '' : progressBar(progressDetail, this.#columns ?? 200, Date.now());
    const moving = this.#columns !== undefined && stream === '' && progressDetail !== undefined;
    if (!moving && bar !== '') return '';
    const end = moving ? '\r' : '';
    const head = (moving ? `\x1b[2K\r` : '') + (id === '' ? '' : `${id}: `);
    if (progressDetail !== undefined && this.#columns !== undefined) return `${head}${status} ${bar}${end}`;
    if (stream !== '') return `${head}${stream}${end}`;
    return `${head}${status}${end}\n`;
  }
}

/** "[=====>     ]  1.2MB/3.4MB", with the bar only where there is room. */
export function progressBar(detail: ProgressDetail, columns: number, nowMs: number): string {
  const { current = 0, total = 0, start = 0, units = '', hidecounts = false } = detail;
  if (current <= 0 && total <= 0) return '';
  if (total <= 0) return units === '' ? humanSize(current).padStart(8) : `${current} ${units}`;
  const half = Math.min(50, Math.floor(Math.trunc((current / total) * 100) / 2));
  const box = columns > 110 ? `[${'='.repeat(half)}>${' '.repeat(50 - half)}] ` : '';
  let counts = '';
  if (!hidecounts) {
    const of = current > total ? '' : units === '' ? `/${humanSize(total)}` : `/${total} ${units}`;
    counts =
      units === '' ? humanSize(current).padStart(8) + of : current > total ? `${current} ${units}` : `${current}${of}`;
  }
  let left = '';
  if (current > 0 && start > 0 && half < 50) {
    const perUnit = (nowMs * 1e6 - start * 1e9) / current;
    left = ` ${formatDuration(Math.round(((total - current) * perUnit) / 1e9) * 1e9)}`;
  }
  return box + counts + left;
}
