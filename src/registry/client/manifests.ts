import { DataLoss } from '../../errdefs/index.ts';
import { type Descriptor, type Digest, digestOf, mediaTypes, parseDigest } from '../../oci/index.ts';
import { header, readBody } from '../http/answer.ts';
import type { HttpAnswer } from '../http/transport.ts';
import type { Repository } from './repository.ts';

/** The least that registries must accept (distribution-spec, "Pushing manifests") is the most that is taken. */
export const manifestMaxBytes = 4 << 20;

const accept = [
  mediaTypes.ociIndex,
  mediaTypes.dockerIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerManifest,
  // Asked for so that a registry gives it, and the refusal can say what is wrong with the image.
  'application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1',
  '*/*;q=0.01',
].join(', ');

export interface FetchedManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/**
 * What a tag or digest names, without its content. HEAD: Docker Hub does not count it against the rate limit. Undefined where the
 * host does not say enough, or has no such manifest: GET tells.
 */
export async function headManifest(repository: Repository, tagOrDigest: string): Promise<Descriptor | undefined> {
  const answer = await repository.request(
    { method: 'HEAD', path: `manifests/${tagOrDigest}`, headers: { accept } },
    // A refusal without a body says little: GET tells why.
    [200, 400, 403, 404, 405, 406, 429],
  );
  answer.body.resume();
  const told = header(answer, 'docker-content-digest');
  const size = Number(header(answer, 'content-length'));
  const mediaType = contentType(answer);
  if (answer.status !== 200 || told === undefined || mediaType === undefined || !Number.isSafeInteger(size))
    return undefined;
  return { mediaType, digest: parseDigest(told), size };
}

/** A manifest's bytes, verified: against the digest asked for, or else against the one that the registry tells. */
export async function getManifest(repository: Repository, tagOrDigest: string): Promise<FetchedManifest> {
  const answer = await repository.request(
    { method: 'GET', path: `manifests/${tagOrDigest}`, headers: { accept } },
    [200],
  );
  const bytes = await readBody(answer, manifestMaxBytes, 'manifest');
  const digest = digestOf(bytes);
  const told = header(answer, 'docker-content-digest');
  const wanted = tagOrDigest.includes(':') ? parseDigest(tagOrDigest) : told === undefined ? digest : parseDigest(told);
  if (digest !== wanted) throw wrongDigest(digest, wanted);
  const mediaType = contentType(answer) ?? mediaTypeWithin(bytes);
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
}

/** In moby's words. */
export const wrongDigest = (got: Digest, wanted: Digest): DataLoss =>
  new DataLoss(`manifest verification failed for digest ${wanted}: the registry sent ${got}`);

/** Whether a manifest is there. */
export async function hasManifest(repository: Repository, digest: Digest): Promise<boolean> {
  const found = await headManifest(repository, digest);
  return found !== undefined && found.digest === digest;
}

/** Uploads a manifest under a tag or its digest. */
export async function putManifest(
  repository: Repository,
  tagOrDigest: string,
  manifest: FetchedManifest,
): Promise<void> {
  const { descriptor, bytes } = manifest;
  const answer = await repository.request(
    {
      method: 'PUT',
      path: `manifests/${tagOrDigest}`,
      headers: { 'content-type': descriptor.mediaType },
      body: bytes,
    },
    [200, 201, 202],
  );
  answer.body.resume();
  const told = header(answer, 'docker-content-digest');
  if (told !== undefined && told !== descriptor.digest) {
    throw new DataLoss(
      `${repository.host.base.host} stored the manifest ${descriptor.digest} as ${told.slice(0, 100)}`,
    );
  }
}

function contentType(answer: HttpAnswer): string | undefined {
  const type = header(answer, 'content-type')?.split(';', 1)[0]?.trim();
  // Servers of plain files know no better.
  return type === undefined || /^(application\/(json|octet-stream)|text\/plain)$/.test(type) ? undefined : type;
}

/** What the manifest itself says it is; older OCI manifests say nothing. */
function mediaTypeWithin(bytes: Uint8Array): string {
  try {
    const { mediaType, manifests } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof mediaType === 'string') return mediaType;
    return Array.isArray(manifests) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  } catch {
    return mediaTypes.ociManifest;
  }
}
