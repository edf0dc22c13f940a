// `system df -v`: every image, container, volume and cache record.

import type { BuildCacheRecord, DiskUsageResponse } from '../../api/index.ts';
import { humanDuration } from '../../api/index.ts';
import { containerRow } from '../container/row.ts';
import { formatList, type RowType } from '../format/formatter.ts';
import { humanSize } from '../format/units.ts';
import { type ImageName, imageRow } from '../image/row.ts';
import { volumeRow } from '../volume/ls.ts';

/** One row for each image, under the first of its names. */
function imagesOf(usage: DiskUsageResponse): ImageName[] {
  return (usage.Images ?? []).map(image => {
    const name = image.RepoTags?.[0];
    if (name === undefined) return { image, repository: '<none>', tag: '<none>', digest: '' };
    const colon = name.lastIndexOf(':');
    return { image, repository: name.slice(0, colon), tag: name.slice(colon + 1), digest: '' };
  });
}

/** Containers without the size of their images. */
const containersOf = (usage: DiskUsageResponse): NonNullable<DiskUsageResponse['Containers']> =>
  (usage.Containers ?? []).map(container => ({ ...container, SizeRootFs: 0 }));

const cacheRow: RowType<BuildCacheRecord> = {
  typeName: '*formatter.buildCacheContext',
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
  row: record => ({
    ID: record.ID.slice(0, 12) + (record.InUse ? '*' : ''),
    Parent: (record.Parents ?? []).join(', '),
    CacheType: record.Type,
    Description: record.Description,
    InUse: String(record.InUse),
    Shared: String(record.Shared),
    Size: humanSize(record.Size, 3),
    CreatedAt: record.CreatedAt,
    CreatedSince: `${humanDuration(Date.now() - Date.parse(record.CreatedAt))} ago`,
    LastUsedAt: record.LastUsedAt ?? '',
    LastUsedSince: record.LastUsedAt === null ? '' : `${humanDuration(Date.now() - Date.parse(record.LastUsedAt))} ago`,
    UsageCount: String(record.UsageCount),
  }),
};

export function verboseText(usage: DiskUsageResponse): string {
  const table = (defaultTable: string): { format: string; defaultTable: string } => ({ format: '', defaultTable });
  const cache = usage.BuildCache ?? [];
  const cacheSize = cache.filter(record => !record.Shared).reduce((total, record) => total + record.Size, 0);
  return (
    `Images space usage:\n\n${formatList(imagesOf(usage), imageRow(false), table('{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}'))}` +
    `\nContainers space usage:\n\n${formatList(containersOf(usage), containerRow({ noTrunc: false }), table('{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}'))}` +
    `\nLocal Volumes space usage:\n\n${formatList(usage.Volumes ?? [], volumeRow, table('{{.Name}}\t{{.Links}}\t{{.Size}}'))}` +
    `\nBuild cache usage: ${humanSize(cacheSize)}\n\n${formatList(cache, cacheRow, table('{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}'))}`
  );
}

/** All rows, for templates and JSON. */
export function verboseRows(usage: DiskUsageResponse): Record<string, unknown[]> {
  const rows = <T>(items: readonly T[], type: RowType<T>): unknown[] =>
    items.map(item => JSON.parse(formatList([item], type, { format: 'json', defaultTable: '' })));
  return {
    Images: rows(imagesOf(usage), imageRow(true)),
    Containers: rows(containersOf(usage), containerRow({ noTrunc: true })),
    Volumes: rows(usage.Volumes ?? [], volumeRow),
    BuildCache: rows(usage.BuildCache ?? [], cacheRow),
  };
}
