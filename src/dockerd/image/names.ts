// From what a person typed to an image: by name, by digest, by the beginning of an id.

import type { Image, ImageStore } from '../../containerd/index.ts';
import { NotFound } from '../../errdefs/index.ts';
import type { Descriptor, Digest } from '../../oci/index.ts';
import {
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../../registry/index.ts';

/** An image without a name keeps one of this form in the store, as moby's containerd store has it. */
const danglingPrefix = 'moby-dangling@';

export const danglingName = (digest: Digest): string => danglingPrefix + digest;
export const isDangling = (image: Image): boolean => image.name.startsWith(danglingPrefix);

/** A target with all its names. */
export interface NamedTarget {
  /** Docker's image id: the digest of the index, or of the manifest where there is none. */
  readonly id: Digest;
  readonly target: Descriptor;
  /** Names that people gave, without the dangling one. */
  readonly names: readonly Image[];
  /** Every name in the store. */
  readonly all: readonly Image[];
}

export interface Resolved extends NamedTarget {
  /** The name that was meant, where one was and not an id. */
  readonly name: Image | undefined;
}

export function toTarget(all: readonly Image[]): NamedTarget {
  const { target } = all[0]!;
  return { id: target.digest, target, all, names: all.filter(image => !isDangling(image)) };
}

/** All targets, each with its names. */
export function listTargets(images: ImageStore): NamedTarget[] {
  const byDigest = Map.groupBy(images.list(), image => image.target.digest);
  return [...byDigest.values()].map(toTarget);
}

const noSuchImage = (words: string) => new NotFound(`No such image: ${words}`);

/** Finds what `text` means; NotFound in Docker's words. */
export function resolveImage(images: ImageStore, text: string): Resolved {
  const hex = /^(?:sha256:)?([0-9a-f]+)$/.exec(text)?.[1];
  if (hex?.length === 64) {
    const all = images.listByTarget(`sha256:${hex}`);
    if (all.length === 0) throw noSuchImage(text);
    return { ...toTarget(all), name: undefined };
  }
  const byPrefixOnly = text.startsWith('sha256:') && hex !== undefined;
  const reference = byPrefixOnly ? undefined : withDefaultTag(parseReference(text));
  const named = reference && findName(images, reference);
  if (named !== undefined) return { ...toTarget(images.listByTarget(named.target.digest)), name: named };
  if (hex !== undefined) {
    const found = listTargets(images).filter(target => target.id.startsWith(`sha256:${hex}`));
    if (found.length > 1) throw new NotFound(`ambiguous reference: ${text}`);
    if (found[0] !== undefined) return { ...found[0], name: undefined };
  }
  throw noSuchImage(reference === undefined ? text : familiarString(reference));
}

/** The image that a normalised reference names. With a digest, any name of the repository will do that points there. */
export function findName(images: ImageStore, reference: Reference): Image | undefined {
  if (reference.digest === undefined) return images.get(formatReference(reference));
  const exact = images.get(formatReference(reference));
  if (exact?.target.digest === reference.digest) return exact;
  const repository = repositoryName(reference);
  return images
    .listByTarget(reference.digest)
    .find(image => !isDangling(image) && repositoryName(parseReference(image.name)) === repository);
}

/** `busybox:latest`; names by digest only have none. */
export function repoTags(names: readonly Image[]): string[] {
  return names
    .map(image => parseReference(image.name))
    .filter(reference => reference.tag !== undefined)
    .map(({ domain, path, tag }) => familiarString({ domain, path, ...(tag !== undefined && { tag }) }));
}

/** `busybox@sha256:…`, once per repository. */
export function repoDigests(names: readonly Image[]): string[] {
  const digests = names.map(image => `${familiarName(parseReference(image.name))}@${image.target.digest}`);
  return [...new Set(digests)];
}
