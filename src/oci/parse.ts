// Manifests, indexes and configs from outside become typed values here, or InvalidArgument. What is trusted afterwards: digests
// are digests, sizes are counts of bytes, lists are lists. Unknown fields stay.

import { InvalidArgument } from '../errdefs/index.ts';
import { parseDigest } from './digest.ts';
import {
  type Descriptor,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  type ImageRunConfig,
  isIndexType,
  isManifestType,
  mediaTypes,
} from './image.ts';

/** No image has so many; a list that is longer is an attack. */
const maxListed = 10_000;

type Json = Readonly<Record<string, unknown>>;

/** What a manifest's bytes are. */
export type ParsedManifest =
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: ImageIndex }
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: ImageManifest };

/** Parses an index or a manifest, whichever it is by `mediaType` and by its own words. */
export function parseManifest(bytes: Uint8Array, mediaType: string): ParsedManifest {
  const value = parseObject(bytes, 'manifest');
  if (value.schemaVersion === 1) throw new InvalidArgument(schema1Refusal);
  if (value.schemaVersion !== 2)
    throw new InvalidArgument(`unsupported manifest schema version ${JSON.stringify(value.schemaVersion)}`);
  const own = value.mediaType === undefined || value.mediaType === '' ? mediaType : value.mediaType;
  if (typeof own !== 'string' || own !== mediaType) {
    throw new InvalidArgument(`manifest says it is ${JSON.stringify(own)} but was served as "${mediaType}"`);
  }
  // A document that is both would be read differently by different tools (CVE-2021-41190).
  if (isIndexType(mediaType)) {
    if (value.layers !== undefined || value.config !== undefined)
      throw new InvalidArgument('index has a config or layers');
    const manifests = list(value.manifests, 'manifests').map(entry => parseDescriptor(entry, 'manifests'));
    return {
      kind: 'index',
      mediaType,
      index: { ...value, schemaVersion: 2, manifests, ...subject(value) } as ImageIndex,
    };
  }
  if (isManifestType(mediaType)) {
    if (value.manifests !== undefined) throw new InvalidArgument('manifest has a list of manifests');
    const config = parseDescriptor(value.config, 'config');
    const layers = list(value.layers, 'layers').map(entry => parseDescriptor(entry, 'layers'));
    return {
      kind: 'manifest',
      mediaType,
      manifest: { ...value, schemaVersion: 2, config, layers, ...subject(value) } as ImageManifest,
    };
  }
  throw new InvalidArgument(`unsupported manifest media type "${mediaType}"`);
}

/** In moby's words. */
const schema1Refusal =
  'Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. ' +
  'Suggest the author of the image to upgrade it to the OCI Format or Docker Image manifest v2, schema 2. ' +
  'More information at https://docs.docker.com/go/deprecated-image-specs/';

const subject = (value: Json): { subject?: Descriptor } =>
  value.subject === undefined || value.subject === null ? {} : { subject: parseDescriptor(value.subject, 'subject') };

/** Parses a descriptor; `where` names it in the message. */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw new InvalidArgument(`${where}: not a descriptor`);
  const { mediaType, digest, size, urls, annotations, platform } = value;
  if (typeof mediaType !== 'string') throw new InvalidArgument(`${where}: descriptor without a media type`);
  if (typeof digest !== 'string') throw new InvalidArgument(`${where}: descriptor without a digest`);
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw new InvalidArgument(`${where}: descriptor with a bad size`);
  if (urls !== undefined && urls !== null && !isTexts(urls))
    throw new InvalidArgument(`${where}: descriptor with bad urls`);
  if (annotations !== undefined && annotations !== null && !isTextMap(annotations)) {
    throw new InvalidArgument(`${where}: descriptor with bad annotations`);
  }
  if (platform !== undefined && platform !== null && !isPlatform(platform)) {
    throw new InvalidArgument(`${where}: descriptor with a bad platform`);
  }
  // Go writes what is absent as null, too.
  const present = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  return { ...present, digest: parseDigest(digest) } as unknown as Descriptor;
}

/** Parses an image's config. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const value = parseObject(bytes, 'image config');
  if (!isObject(value.rootfs)) throw new InvalidArgument('image config has no rootfs');
  const diffIds = list(value.rootfs.diff_ids ?? [], 'diff_ids').map(entry => parseDigest(String(entry)));
  if (!isPlatform({ os: '', architecture: '', ...value })) throw new InvalidArgument('image config has a bad platform');
  const config = value.config === undefined || value.config === null ? undefined : parseRunConfig(value.config);
  const history = list(value.history ?? [], 'history');
  if (!history.every(isHistoryEntry)) throw new InvalidArgument('image config has a bad history');
  for (const field of ['created', 'author']) checkField(value, field, isText);
  const { config: _, ...rest } = value;
  return {
    ...rest,
    ...(config !== undefined && { config }),
    rootfs: { ...value.rootfs, type: 'layers', diff_ids: diffIds },
    history,
  } as unknown as ImageConfig;
}

/** What a container of the image runs by default; hostile until each field is what its type says. null is absent, as Go reads it. */
function parseRunConfig(value: unknown): ImageRunConfig {
  if (!isObject(value)) throw new InvalidArgument('image config has a bad config');
  const config = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  for (const [field, fits] of Object.entries(runConfigFields)) checkField(config, field, fits);
  return config as ImageRunConfig;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => value === undefined || value === null || Number.isSafeInteger(value);

const runConfigFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  User: isText,
  ExposedPorts: isObject,
  Env: isTexts,
  Entrypoint: isTexts,
  Cmd: isTexts,
  Volumes: isObject,
  WorkingDir: isText,
  Labels: isTextMap,
  StopSignal: isText,
  ArgsEscaped: value => typeof value === 'boolean',
  Healthcheck: value =>
    isObject(value) &&
    (value.Test === undefined || value.Test === null || isTexts(value.Test)) &&
    ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'].every(field => isCount(value[field])),
  OnBuild: isTexts,
  Shell: isTexts,
};

function checkField(value: Json, field: string, fits: (value: unknown) => boolean): void {
  const found = value[field];
  if (found !== undefined && found !== null && !fits(found))
    throw new InvalidArgument(`image config has a bad ${field}`);
}

const isHistoryEntry = (value: unknown): boolean =>
  isObject(value) &&
  ['created', 'created_by', 'author', 'comment'].every(
    field => value[field] === undefined || value[field] === null || isText(value[field]),
  ) &&
  (value.empty_layer === undefined || value.empty_layer === null || typeof value.empty_layer === 'boolean');

/** Whether a manifest's config is that of an image that can run, and not of some other artifact. */
export const isImageConfigType = (mediaType: string): boolean =>
  mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;

/** Whether a layer may be fetched from where its `urls` say only, and not be pushed. */
export const isForeignLayerType = (mediaType: string): boolean =>
  /^application\/vnd\.(docker\.image\.rootfs\.foreign|oci\.image\.layer\.nondistributable)/.test(mediaType);

/** BuildKit's attestations lie in an index beside the images that they are about. */
export const isAttestation = (descriptor: Descriptor): boolean =>
  descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest';

function parseObject(bytes: Uint8Array, what: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (err) {
    throw new InvalidArgument(`${what} is not JSON`, { cause: err });
  }
  if (!isObject(value)) throw new InvalidArgument(`${what} is not a JSON object`);
  return value;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === null) return []; // Go writes an empty list so
  if (!Array.isArray(value)) throw new InvalidArgument(`${what} is not a list`);
  if (value.length > maxListed) throw new InvalidArgument(`${what} has more than ${maxListed} entries`);
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(text => typeof text === 'string');
}
function isTextMap(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(text => typeof text === 'string');
}

function isPlatform(value: unknown): boolean {
  if (!isObject(value)) return false;
  const optional = [value.variant, value['os.version']].every(text => text === undefined || typeof text === 'string');
  const features = value['os.features'];
  return (
    typeof value.os === 'string' &&
    typeof value.architecture === 'string' &&
    optional &&
    (features === undefined || features === null || isTexts(features))
  );
}
