import {
  type Descriptor,
  isAttestation,
  isImageConfigType,
  type Platform,
  parseImageConfig,
  parseManifest,
} from '../oci/index.ts';
import { fetchBlob } from './client/blobs.ts';
import { getManifest } from './client/manifests.ts';
import type { Repository } from './client/repository.ts';
import { tagOrDigest } from './pull/resolve.ts';
import { configMaxBytes } from './pull/small-blobs.ts';
import type { Reference } from './reference/reference.ts';

/** Docker's spelling: this is the API's answer. */
export interface InspectResult {
  readonly Descriptor: Descriptor;
  readonly Platforms: readonly Platform[];
}

/** An image's descriptor and the platforms it is for, without pulling it. */
export async function inspectImage(repository: Repository, ref: Reference): Promise<InspectResult> {
  const { descriptor, bytes } = await getManifest(repository, tagOrDigest(ref));
  const parsed = parseManifest(bytes, descriptor.mediaType);
  if (parsed.kind === 'index') {
    const images = parsed.index.manifests.filter(entry => !isAttestation(entry));
    return {
      Descriptor: descriptor,
      Platforms: images.flatMap(entry => (entry.platform === undefined ? [] : [entry.platform])),
    };
  }
  const { config } = parsed.manifest;
  if (!isImageConfigType(config.mediaType) || config.size > configMaxBytes)
    return { Descriptor: descriptor, Platforms: [] };
  const chunks: Uint8Array[] = [];
  for await (const chunk of fetchBlob(repository, config, 0)) chunks.push(chunk);
  const {
    architecture,
    os,
    variant,
    'os.version': version,
    'os.features': features,
  } = parseImageConfig(Buffer.concat(chunks));
  return {
    Descriptor: descriptor,
    Platforms: [
      {
        architecture,
        os,
        ...(variant !== undefined && { variant }),
        ...(version !== undefined && { 'os.version': version }),
        ...(features !== undefined && { 'os.features': features }),
      },
    ],
  };
}
