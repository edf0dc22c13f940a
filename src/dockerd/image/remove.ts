// DELETE /images/{name} (moby daemon/containerd/image_delete.go).

import type { ImageDeleteItem } from '../../api/index.ts';
import type { Image } from '../../containerd/index.ts';
import { Conflict, InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { type Digest, formatPlatform, type Platform, platformRank } from '../../oci/index.ts';
import { familiarName, familiarString, parseReference, repositoryName } from '../../registry/index.ts';
import type { ImageDeps, ImageUser } from './deps.ts';
import { listManifests } from './manifests.ts';
import { isDangling, type Resolved, resolveImage } from './names.ts';
import { keepDangling } from './naming.ts';

export interface RemoveRequest {
  readonly force?: boolean;
  /** Accepted: parents are layers here, and go when nothing needs them. */
  readonly noPrune?: boolean;
  /** Only the content of these, of an image for several. */
  readonly platforms?: readonly Platform[];
}

const short = (digest: Digest): string => digest.slice(7, 19);

export async function removeImage(
  deps: ImageDeps,
  text: string,
  request: RemoveRequest = {},
): Promise<ImageDeleteItem[]> {
  const resolved = resolveImage(deps.containerd.images, text);
  const users = deps.users().filter(user => user.imageId === resolved.id);
  if (request.platforms !== undefined && request.platforms.length > 0) {
    return removePlatforms(deps, resolved, users, request.platforms, request.force === true);
  }
  const items =
    resolved.name === undefined
      ? removeById(deps, resolved, users, text, request.force === true)
      : removeByName(deps, resolved, resolved.name, users, request.force === true);
  // What has lost its last name is swept away; nobody waits for the files themselves.
  await deps.containerd.gc.collect();
  return items;
}

function removeByName(
  deps: ImageDeps,
  resolved: Resolved,
  name: Image,
  users: readonly ImageUser[],
  force: boolean,
): ImageDeleteItem[] {
  const words = familiarString(parseReference(name.name));
  if (resolved.names.length > 1) return [untag(deps, name)];
  const running = users.find(user => user.running);
  if (running !== undefined && !force) {
    throw new Conflict(
      `conflict: unable to delete ${words} (must be forced) - container ${running.id.slice(0, 12)} is using its referenced image ${short(resolved.id)}`,
    );
  }
  const user = users[0];
  if (user !== undefined && !force) {
    throw new Conflict(
      `conflict: unable to delete ${words} (must be forced) - container ${user.id.slice(0, 12)} is using its referenced image ${short(resolved.id)}`,
    );
  }
  const untagged = untag(deps, name);
  if (user !== undefined) {
    // Forced: the name goes, what the container is made of stays.
    keepDangling(deps.containerd, resolved.target);
    return [untagged];
  }
  return [untagged, deleted(deps, resolved)];
}

function removeById(
  deps: ImageDeps,
  resolved: Resolved,
  users: readonly ImageUser[],
  text: string,
  force: boolean,
): ImageDeleteItem[] {
  const running = users.find(user => user.running);
  if (running !== undefined) {
    throw new Conflict(
      `conflict: unable to delete ${short(resolved.id)} (cannot be forced) - image is being used by running container ${running.id.slice(0, 12)}`,
    );
  }
  const stopped = users[0];
  if (stopped !== undefined && !force) {
    throw new Conflict(
      `conflict: unable to delete ${short(resolved.id)} (must be forced) - image is being used by stopped container ${stopped.id.slice(0, 12)}`,
    );
  }
  const repositories = new Set(resolved.names.map(({ name }) => repositoryName(parseReference(name))));
  if (repositories.size > 1 && !force) {
    throw new Conflict(
      `conflict: unable to delete ${text} (must be forced) - image is referenced in multiple repositories`,
    );
  }
  const items = resolved.names.map(name => untag(deps, name));
  // A dangling image is untagged by its digest.
  if (items.length === 0) items.push({ Untagged: resolved.id });
  for (const image of resolved.all) if (isDangling(image)) deps.containerd.images.delete(image.name);
  if (stopped !== undefined) {
    keepDangling(deps.containerd, resolved.target);
    return items;
  }
  return [...items, deleted(deps, resolved)];
}

function untag({ containerd, events }: ImageDeps, image: Image): ImageDeleteItem {
  containerd.images.delete(image.name);
  const words = familiarString(parseReference(image.name));
  events.publish('image', 'untag', image.target.digest, { name: image.target.digest });
  return { Untagged: words };
}

function deleted({ containerd, events }: ImageDeps, { id }: Resolved): ImageDeleteItem {
  for (const image of containerd.images.listByTarget(id)) containerd.images.delete(image.name);
  events.publish('image', 'delete', id, { name: id });
  return { Deleted: id };
}

/** The index stays, the manifests go; their configs and layers with them, where nothing else needs them. */
async function removePlatforms(
  deps: ImageDeps,
  resolved: Resolved,
  users: readonly ImageUser[],
  platforms: readonly Platform[],
  force: boolean,
): Promise<ImageDeleteItem[]> {
  const { containerd } = deps;
  const views = await listManifests(containerd, resolved.target);
  const chosen = platforms.map(platform => {
    const view = views.find(({ manifest, platform: offered }) => {
      return manifest !== undefined && offered !== undefined && platformRank(platform, offered) === 0;
    });
    if (view === undefined) throw new NotFound(`no matching manifest for ${formatPlatform(platform)}`);
    if (view.descriptor.digest === resolved.id) {
      throw new InvalidArgument(`image ${short(resolved.id)} is for one platform only: remove the image`);
    }
    return view.descriptor;
  });
  const [user] = users;
  if (user !== undefined && !force) {
    throw new Conflict(
      `conflict: unable to delete ${short(resolved.id)} (must be forced) - image is being used by ${user.running ? 'running' : 'stopped'} container ${user.id.slice(0, 12)}`,
    );
  }
  for (const { digest } of chosen) await containerd.content.delete(digest);
  await containerd.gc.collect();
  return chosen.map(({ digest }) => ({ Deleted: digest }));
}

/** For prune: removes one name, or a dangling image. */
export function removeUnused(deps: ImageDeps, resolved: Resolved): ImageDeleteItem[] {
  return removeById(deps, resolved, [], familiarOrId(resolved), true);
}

const familiarOrId = ({ names, id }: Resolved): string => {
  const [first] = names;
  return first === undefined ? id : familiarName(parseReference(first.name));
};
