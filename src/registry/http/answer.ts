// What a registry answered: its errors in words, bodies within bounds.

import { EngineError, type ErrorCode, InvalidArgument, isUnavailable, ResourceExhausted } from '../../errdefs/index.ts';
import { parseChallenges } from '../auth/challenge.ts';
import type { HttpAnswer } from './transport.ts';
import { failureInWords, Unreachable } from './words.ts';

/** One entry of `{"errors":[...]}` (distribution-spec, "Error codes"). */
export interface RegistryErrorEntry {
  readonly code: string;
  readonly message: string;
}

/** A registry said no. `entries` is what it said, `retryAfterMs` when it wants to be asked again. */
export class RegistryError extends EngineError {
  readonly status: number;
  readonly entries: readonly RegistryErrorEntry[];
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    status: number,
    entries: readonly RegistryErrorEntry[],
    retryAfterMs?: number,
  ) {
    super(code, message);
    this.status = status;
    this.entries = entries;
    this.retryAfterMs = retryAfterMs;
  }

  has(code: string): boolean {
    return this.entries.some(entry => entry.code === code);
  }
}

const errorBodyMaxBytes = 64 << 10;

/** Reads a refusal to its end and puts it in the distribution library's words. */
export async function refusal(answer: HttpAnswer): Promise<RegistryError> {
  const text = await readText(answer, errorBodyMaxBytes).catch(() => '');
  const entries = [...challengeEntries(answer), ...parseEntries(text)];
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after']);
  const limited = answer.status === 429;
  const message = limited ? rateLimitWords(answer, entries, retryAfterMs) : words(answer, entries);
  return new RegistryError(kindOf(answer.status), message, answer.status, entries, retryAfterMs);
}

function kindOf(status: number): ErrorCode {
  if (status === 401) return 'Unauthenticated';
  if (status === 403) return 'PermissionDenied';
  if (status === 404) return 'NotFound';
  if (status === 408) return 'Unavailable';
  if (status === 429) return 'ResourceExhausted';
  if (status >= 500) return 'Unavailable';
  return status >= 400 ? 'InvalidArgument' : 'Unknown';
}

function words(answer: HttpAnswer, entries: readonly RegistryErrorEntry[]): string {
  if (entries.length > 0) return entries.map(entryWords).join('\n');
  if (answer.status === 401) return 'unauthorized: authentication required';
  if (answer.status === 403) return 'denied: requested access to the resource is denied';
  return `received unexpected HTTP status: ${answer.status} ${answer.statusText}`.trimEnd();
}

const entryWords = ({ code, message }: RegistryErrorEntry): string => {
  const label = code.toLowerCase().replaceAll('_', ' ');
  return message === '' ? label : `${label}: ${message}`;
};

function rateLimitWords(
  answer: HttpAnswer,
  entries: readonly RegistryErrorEntry[],
  retryAfterMs: number | undefined,
): string {
  const said = entries.length > 0 ? entries.map(entryWords).join('\n') : 'toomanyrequests: too many requests';
  const limit = header(answer, 'ratelimit-limit');
  const details = [
    ...(limit !== undefined ? [`limit ${limitWords(limit)}`] : []),
    ...(retryAfterMs !== undefined ? [`try again in ${durationWords(retryAfterMs)}`] : []),
  ];
  return `${said} (${answer.url.host} limits the rate of requests${details.map(text => `; ${text}`).join('')})`;
}

/** Docker Hub's `100;w=21600` is 100 in that many seconds. */
function limitWords(text: string): string {
  const match = /^(\d+)(?:;w=(\d+))?/.exec(text);
  if (match === null) return text.slice(0, 100);
  return match[2] === undefined ? `${match[1]}` : `${match[1]} in ${durationWords(Number(match[2]) * 1000)}`;
}

function durationWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} seconds`;
  return seconds < 7200 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;
}

/** What a Bearer challenge says went wrong (RFC 6750, 3.1): more than the body does, and there for HEAD too. */
function challengeEntries(answer: HttpAnswer): RegistryErrorEntry[] {
  if (answer.status !== 401) return [];
  const header = answer.headers['www-authenticate'] as string | readonly string[] | undefined;
  return parseChallenges(header).flatMap(({ scheme, parameters }) => {
    if (scheme !== 'bearer') return [];
    const description = printable(parameters.error_description ?? '');
    if (parameters.error === 'insufficient_scope') {
      return [{ code: 'DENIED', message: description || 'requested access to the resource is denied' }];
    }
    if (parameters.error === 'invalid_token') {
      return [{ code: 'UNAUTHORIZED', message: description || 'authentication required' }];
    }
    return [];
  });
}

function parseEntries(text: string): RegistryErrorEntry[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return [];
  }
  const { errors, details } = (body ?? {}) as { errors?: unknown; details?: unknown };
  // Token servers of the older kind say {"details": "..."}.
  if (typeof details === 'string') return [{ code: 'UNAUTHORIZED', message: printable(details) }];
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, 10).flatMap((entry: unknown) => {
    const { code, message } = (entry ?? {}) as { code?: unknown; message?: unknown };
    if (typeof code !== 'string') return [];
    return [{ code: printable(code), message: typeof message === 'string' ? printable(message) : '' }];
  });
}

/** What a registry says ends on terminals. */
const printable = (text: string): string => text.replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').slice(0, 1000);

/** Seconds or a date, as milliseconds from now. */
export function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** A header that has one value. */
export function header(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body's chunks; Unavailable when the connection breaks or nothing comes for `idleMs`. Time the reader takes does not count. */
export async function* bodyChunks(
  answer: HttpAnswer,
  idleMs = 60_000,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { body } = answer;
  const watch = (): NodeJS.Timeout =>
    setTimeout(() => body.destroy(Object.assign(new Error('timeout reading the body'), { code: 'EIDLE' })), idleMs);
  let timer = watch();
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = watch();
    }
  } catch (err) {
    if (signal?.aborted) throw signal.reason;
    throw failureInWords({ method: 'GET', url: answer.url }, err as Error);
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

/** The whole body, at most `maxBytes` of it: ResourceExhausted beyond. */
export async function readBody(answer: HttpAnswer, maxBytes: number, what = 'answer'): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const tooLarge = (): ResourceExhausted =>
    new ResourceExhausted(`${what} of ${answer.url.host} is larger than ${maxBytes} bytes`);
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes) {
    answer.body.destroy();
    throw tooLarge();
  }
  for await (const chunk of bodyChunks(answer)) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

const readText = async (answer: HttpAnswer, maxBytes: number): Promise<string> =>
  (await readBody(answer, maxBytes)).toString('utf8');

/** A small JSON answer; InvalidArgument when it is none. */
export async function readJson(answer: HttpAnswer, what: string, maxBytes = 4 << 20): Promise<unknown> {
  const text = (await readBody(answer, maxBytes, what)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (err) {
    throw new InvalidArgument(`${what} of ${answer.url.host} is not JSON`, { cause: err });
  }
}

/** Whether asking again may help: a connection that broke, a server in trouble, a limit that says when it ends. */
export function isTransient(err: unknown): boolean {
  if (err instanceof RegistryError) return err.status === 429 || err.status === 408 || err.status >= 500;
  return isUnavailable(err) && !(err instanceof Unreachable);
}
