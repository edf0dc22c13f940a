import { DataLoss, isNotFound, NotFound, Unavailable } from '../../errdefs/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { bodyChunks, header, refusal } from '../http/answer.ts';
import type { HttpAnswer } from '../http/transport.ts';
import type { Repository } from './repository.ts';

/**
 * A blob's bytes from `offset` on. Throws what makes sense to retry as Unavailable (the connection broke, too few bytes came) and
 * more bytes than the descriptor says as DataLoss. Whether they are the right bytes is the writer's to verify.
 */
export async function* fetchBlob(
  repository: Repository,
  descriptor: Descriptor,
  offset: number,
): AsyncGenerator<Uint8Array> {
  const { digest, size } = descriptor;
  const answer = await repository.send({
    method: 'GET',
    path: `blobs/${digest}`,
    headers: { accept: '*/*', ...(offset > 0 && { range: `bytes=${offset}-${size - 1}` }) },
  });
  if (answer.status !== 200 && answer.status !== 206) throw await blobRefusal(answer, descriptor);
  const start = startOf(answer, offset);
  if (start > offset) {
    answer.body.destroy();
    throw new DataLoss(
      `${answer.url.host} answered with the bytes of ${digest} from ${start} on, asked from ${offset}`,
    );
  }
  checkLength(answer, descriptor, start);
  let at = start;
  for await (const chunk of bodyChunks(answer, repository.session.idleTimeoutMs, repository.session.signal)) {
    const end = at + chunk.byteLength;
    if (end > size) throw new DataLoss(`${answer.url.host} sent more than the ${size} bytes of ${digest}`);
    // A server without Range starts anew: what is there already is passed over.
    if (end > offset) yield at < offset ? chunk.subarray(offset - at) : chunk;
    at = end;
  }
  if (at < size) throw new Unavailable(`Get "${answer.url}": unexpected EOF: ${at} of ${size} bytes of ${digest}`);
}

function startOf(answer: HttpAnswer, offset: number): number {
  if (answer.status === 200) return 0;
  const range = /^bytes (\d+)-/.exec(header(answer, 'content-range') ?? '');
  return range === null ? offset : Number(range[1]);
}

/** A length that cannot be right is told before a byte is read. */
function checkLength(answer: HttpAnswer, { digest, size }: Descriptor, start: number): void {
  const told = header(answer, 'content-length');
  if (told === undefined || header(answer, 'content-encoding') !== undefined) return;
  if (Number(told) > size - start) {
    answer.body.destroy();
    throw new DataLoss(`${answer.url.host} has ${start + Number(told)} bytes for ${digest}, its manifest says ${size}`);
  }
}

async function blobRefusal(answer: HttpAnswer, { digest }: Descriptor): Promise<Error> {
  const err = await refusal(answer);
  return isNotFound(err) ? new NotFound(`blob ${digest} is not in the registry: ${err.message}`, { cause: err }) : err;
}

/** Whether the repository has the blob. */
export async function hasBlob(repository: Repository, descriptor: Descriptor): Promise<boolean> {
  const answer = await repository.request({ method: 'HEAD', path: `blobs/${descriptor.digest}` }, [200, 404, 405]);
  answer.body.resume();
  return answer.status === 200;
}
