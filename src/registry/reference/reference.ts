import { InvalidArgument } from '../../errdefs/index.ts';
import { type Digest, parseDigest } from '../../oci/index.ts';
import { identifierPattern, nameMaxLength, namePattern, referencePattern, tagPattern } from './grammar.ts';

/**
 * What names an image in a registry, normalised: the domain and the full path are always there (`docker.io`, `library/ubuntu`).
 * With tag and digest both, the digest decides and the tag is decoration.
 */
export interface Reference {
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const defaultDomain = 'docker.io';
const legacyDefaultDomain = 'index.docker.io';
const officialPrefix = 'library/';

/** Longest text that is looked at; a valid reference of 255 + 128 + a digest fits several times. */
const textMaxLength = 4096;

/** Parses what a person typed (`ubuntu`, `localhost:5000/x@sha256:...`) as distribution/reference ParseNormalizedNamed does; throws InvalidArgument in its words. */
export function parseReference(text: string): Reference {
  if (identifierPattern.test(text)) {
    throw new InvalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  if (text.length > textMaxLength) throw new InvalidArgument('invalid reference format');
  const [domain, remainder] = splitDomain(text);
  const remote = remainder.split(':', 1)[0] as string;
  if (remote.toLowerCase() !== remote) {
    throw new InvalidArgument(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const match = referencePattern.exec(`${domain}/${remainder}`);
  const name = match === null ? null : namePattern.exec(match[1] as string);
  if (match === null || name === null || name[1] === undefined) throw new InvalidArgument('invalid reference format');
  const path = name[2] as string;
  if (path.length > nameMaxLength) {
    throw new InvalidArgument(`repository name must not be more than ${nameMaxLength} characters`);
  }
  return {
    domain: name[1],
    path,
    ...(match[2] !== undefined && { tag: match[2] }),
    ...(match[3] !== undefined && { digest: parseReferenceDigest(match[3]) }),
  };
}

/** The first part is a domain only when it looks like one; otherwise the name is Docker Hub's. */
function splitDomain(text: string): [domain: string, remainder: string] {
  const slash = text.indexOf('/');
  if (slash < 0) return [defaultDomain, officialPrefix + text];
  const first = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  const isDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  if (!isDomain) return [defaultDomain, text];
  if (first !== defaultDomain && first !== legacyDefaultDomain) return [first, rest];
  return [defaultDomain, rest.includes('/') ? rest : officialPrefix + rest];
}

function parseReferenceDigest(text: string): Digest {
  if (/^sha256:/.test(text) && text.length !== 71) throw new InvalidArgument('invalid checksum digest length');
  if (/^sha(256|384|512):.*[A-F]/.test(text)) throw new InvalidArgument('invalid checksum digest format');
  if (!/^sha(256|384|512):/.test(text)) throw new InvalidArgument('unsupported digest algorithm');
  return parseDigest(text);
}

/** Whether `text` is a tag. */
export const isTag = (text: string): boolean => tagPattern.test(text);

/** The same repository under another tag, without a digest; throws InvalidArgument on a bad tag. */
export function withTag(ref: Reference, tag: string): Reference {
  if (!isTag(tag)) throw new InvalidArgument('invalid tag format');
  return { domain: ref.domain, path: ref.path, tag };
}

/** The same repository by digest. A tag stays as decoration. */
export const withDigest = (ref: Reference, digest: Digest): Reference => ({ ...ref, digest });

/** With the tag `latest` where neither tag nor digest is given. */
export const withDefaultTag = (ref: Reference): Reference =>
  ref.tag === undefined && ref.digest === undefined ? { ...ref, tag: 'latest' } : ref;

/** The repository alone. */
export const trimNamed = (ref: Reference): Reference => ({ domain: ref.domain, path: ref.path });

/** `docker.io/library/ubuntu`. */
export const repositoryName = (ref: Reference): string => `${ref.domain}/${ref.path}`;

/** `docker.io/library/ubuntu:latest@sha256:...`, what is there of it. */
export const formatReference = (ref: Reference): string => repositoryName(ref) + suffix(ref);

/** The repository as people write it: `ubuntu`, `user/app`, `localhost:5000/x`. */
export function familiarName(ref: Reference): string {
  if (ref.domain !== defaultDomain) return repositoryName(ref);
  const official = ref.path.startsWith(officialPrefix) ? ref.path.slice(officialPrefix.length) : '';
  return official !== '' && !official.includes('/') ? official : ref.path;
}

/** The whole reference as people write it: `ubuntu:latest`. */
export const familiarString = (ref: Reference): string => familiarName(ref) + suffix(ref);

const suffix = (ref: Reference): string =>
  (ref.tag === undefined ? '' : `:${ref.tag}`) + (ref.digest === undefined ? '' : `@${ref.digest}`);
