import { Unavailable } from '../../errdefs/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { header, RegistryError, refusal } from '../http/answer.ts';
import { retrying } from '../http/retry.ts';
import type { HttpAnswer } from '../http/transport.ts';
import type { Repository } from './repository.ts';

/** A registry that stores a blob slowly hashes it once more before it answers. */
const commitTimeoutMs = 5 * 60_000;

/** The blob's bytes from `start` on. */
export type BlobSource = (start: number) => AsyncIterable<Uint8Array>;

export interface UploadOptions {
  readonly onProgress?: (current: number) => void;
  readonly onRetry?: (seconds: number) => void;
  /** Send in pieces of this size; absent: in one piece. */
  readonly chunkBytes?: number;
}

/** Asks the registry to take the blob over from another of its repositories. Where it does not, an upload has begun: its address. */
export async function mountBlob(
  repository: Repository,
  { digest }: Descriptor,
  from: string,
): Promise<'mounted' | URL> {
  const answer = await repository.request(
    { method: 'POST', path: 'blobs/uploads/', query: { mount: digest, from }, alsoPull: [from] },
    [201, 202],
  );
  answer.body.resume();
  return answer.status === 201 ? 'mounted' : uploadAddress(answer, repository);
}

/** Uploads one blob; from the start again (monolithic) or from where the registry is (chunked) when the connection breaks. */
export async function uploadBlob(
  repository: Repository,
  descriptor: Descriptor,
  source: BlobSource,
  options: UploadOptions & { readonly address?: URL } = {},
): Promise<void> {
  let { address } = options;
  const { onRetry } = options;
  await retrying(
    repository.session.retry,
    async () => {
      const at = address ?? (await beginUpload(repository));
      // An upload that failed is not taken up again, but by the chunks of its own try.
      address = undefined;
      if (options.chunkBytes === undefined) await putWhole(repository, at, descriptor, source, options);
      else await putChunks(repository, at, descriptor, source, { ...options, chunkBytes: options.chunkBytes });
    },
    {
      signal: repository.session.signal,
      ...(onRetry !== undefined && { onRetry: delayMs => onRetry(Math.ceil(delayMs / 1000)) }),
    },
  );
}

async function beginUpload(repository: Repository): Promise<URL> {
  const answer = await repository.send({ method: 'POST', path: 'blobs/uploads/' });
  if (answer.status !== 202) throw await refusal(answer);
  answer.body.resume();
  return uploadAddress(answer, repository);
}

function uploadAddress(answer: HttpAnswer, repository: Repository): URL {
  const location = header(answer, 'location');
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    throw new Unavailable(`${repository.host.base.host} began an upload without saying where`);
  }
  const url = new URL(location, answer.url.href);
  // Registries behind a proxy that ends TLS write http: nothing is ever sent in clear where TLS was asked for.
  if (repository.host.base.protocol === 'https:' && url.host === repository.host.base.host) url.protocol = 'https:';
  return url;
}

/** The upload's address keeps its own query (distribution-spec, "Pushing a blob monolithically"). */
function withDigest(address: URL, { digest }: Descriptor): URL {
  const url = new URL(address);
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  return url;
}

async function putWhole(
  repository: Repository,
  address: URL,
  descriptor: Descriptor,
  source: BlobSource,
  { onProgress }: UploadOptions,
): Promise<void> {
  const answer = await repository.send({
    method: 'PUT',
    path: withDigest(address, descriptor),
    headers: { 'content-type': 'application/octet-stream' },
    body: { stream: counted(source(0), 0, onProgress), length: descriptor.size },
    answerTimeoutMs: commitTimeoutMs,
  });
  await finish(answer);
}

async function putChunks(
  repository: Repository,
  first: URL,
  descriptor: Descriptor,
  source: BlobSource,
  { chunkBytes, onProgress }: UploadOptions & { chunkBytes: number },
): Promise<void> {
  let address = first;
  let offset = 0;
  while (offset < descriptor.size) {
    const start = offset;
    const end = Math.min(start + chunkBytes, descriptor.size);
    const answer = await repository.send({
      method: 'PATCH',
      path: address,
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
      body: { stream: counted(cut(source(start), end - start), start, onProgress), length: end - start },
      answerTimeoutMs: commitTimeoutMs,
    });
    if (answer.status !== 202 && answer.status !== 416) throw await refusal(answer);
    answer.body.resume();
    if (answer.headers.location !== undefined) address = uploadAddress(answer, repository);
    offset = acknowledged(answer, end);
    if (offset > end || (offset <= start && answer.status === 416)) {
      throw new RegistryError(
        'Unknown',
        `${address.host} lost count of the upload of ${descriptor.digest}`,
        answer.status,
        [],
      );
    }
  }
  await finish(
    await repository.send({
      method: 'PUT',
      path: withDigest(address, descriptor),
      body: new Uint8Array(0),
      answerTimeoutMs: commitTimeoutMs,
    }),
  );
}

/** `Range: 0-<last>`: the registry may have taken less than was sent. */
function acknowledged(answer: HttpAnswer, sent: number): number {
  const range = /^(?:bytes=)?0-(\d+)$/.exec(header(answer, 'range') ?? '');
  return range === null ? sent : Number(range[1]) + 1;
}

async function finish(answer: HttpAnswer): Promise<void> {
  if (answer.status !== 201 && answer.status !== 204 && answer.status !== 202) throw await refusal(answer);
  answer.body.resume();
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  onProgress: ((current: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let at = from;
  for await (const chunk of chunks) {
    yield chunk;
    at += chunk.byteLength;
    onProgress?.(at);
  }
}

async function* cut(chunks: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length;
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.byteLength);
    if (left === 0) return;
  }
}
