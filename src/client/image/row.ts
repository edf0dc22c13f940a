// What `images` shows: one row for each name of an image.

import type { ImageSummary } from '../../api/index.ts';
import { humanDuration } from '../../api/index.ts';
import type { RowType } from '../format/formatter.ts';
import { localTime } from '../format/time.ts';
import { humanSize } from '../format/units.ts';

export interface ImageName {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

const none = '<none>';

/** Splits at the last colon that is no port's, or at the @. */
function splitName(name: string): readonly [string, string] {
  const at = name.indexOf('@') >= 0 ? name.indexOf('@') : name.lastIndexOf(':');
  return at <= name.lastIndexOf('/') && !name.includes('@') ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}

/** Tags of a repository next to each other; with digests, a row for each pair of tag and digest. */
export function imageRows(images: readonly ImageSummary[], digests: boolean): ImageName[] {
  const rows: ImageName[] = [];
  for (const image of images) {
    const tags = new Map<string, string[]>();
    const hashes = new Map<string, string[]>();
    for (const name of image.RepoTags ?? []) {
      const [repository, tag] = splitName(name);
      if (repository !== none) tags.set(repository, [...(tags.get(repository) ?? []), tag]);
    }
    for (const name of image.RepoDigests ?? []) {
      const [repository, digest] = splitName(name);
      if (repository !== none) hashes.set(repository, [...(hashes.get(repository) ?? []), digest]);
    }
    const row = (repository: string, tag: string, digest: string): void =>
      void rows.push({ image, repository, tag, digest });
    if (tags.size === 0 && hashes.size === 0) row(none, none, none);
    for (const [repository, names] of tags) {
      const own = hashes.get(repository);
      hashes.delete(repository);
      for (const tag of names) {
        if (!digests || own === undefined) row(repository, tag, own?.[0] !== undefined && digests ? own[0] : none);
        else for (const digest of own) row(repository, tag, digest);
      }
    }
    for (const [repository, own] of hashes) {
      if (!digests) row(repository, none, none);
      else for (const digest of own) row(repository, none, digest);
    }
  }
  return rows;
}

export const imageRow = (noTrunc: boolean): RowType<ImageName> => ({
  typeName: '*formatter.imageContext',
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
  row: ({ image, repository, tag, digest }) => {
    const { SharedSize: shared, Containers: containers } = image;
    return {
      ID: noTrunc ? image.Id : image.Id.replace('sha256:', '').slice(0, 12),
      Repository: repository,
      Tag: tag,
      Digest: digest,
      CreatedSince: image.Created === 0 ? '' : `${humanDuration(Date.now() - image.Created * 1000)} ago`,
      CreatedAt: localTime(image.Created * 1000),
      Size: humanSize(image.Size, 3),
      Containers: containers === -1 ? 'N/A' : String(containers),
      VirtualSize: humanSize(image.Size, 4),
      SharedSize: shared === -1 ? 'N/A' : humanSize(shared),
      UniqueSize: shared === -1 || image.Size === -1 ? 'N/A' : humanSize(image.Size - shared),
    };
  },
});
