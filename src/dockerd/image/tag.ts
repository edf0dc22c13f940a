// POST /images/{name}/tag (moby daemon/containerd/image_tag.go).

import { InvalidArgument } from '../../errdefs/index.ts';
import {
  familiarName,
  familiarString,
  formatReference,
  parseReference,
  type Reference,
  trimNamed,
  withDefaultTag,
  withTag,
} from '../../registry/index.ts';
import type { ImageDeps } from './deps.ts';
import { resolveImage } from './names.ts';
import { nameTarget } from './naming.ts';

/** The reference that `repo` and `tag` of a call make; undefined where there is no repo. Digests are no names to give. */
export function newName(repo: string, tag: string): Reference | undefined {
  if (repo === '') return undefined;
  const reference = parseReference(repo);
  if (reference.digest !== undefined) throw new InvalidArgument('refusing to create a tag with a digest reference');
  if (familiarName(reference) === 'sha256') {
    throw new InvalidArgument('refusing to create an ambiguous tag using digest algorithm as name');
  }
  return withDefaultTag(tag === '' ? reference : withTag(trimNamed(reference), tag));
}

export function tagImage(deps: ImageDeps, text: string, repo: string, tag: string): void {
  const { containerd, events } = deps;
  const reference = newName(repo, tag);
  if (reference === undefined) throw new InvalidArgument('invalid reference format');
  const { target, id } = resolveImage(containerd.images, text);
  nameTarget(containerd, formatReference(reference), target);
  events.publish('image', 'tag', id, { name: familiarString(reference) });
}
