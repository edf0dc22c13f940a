// Docker's own layout: manifest.json [{Config, RepoTags, Layers}].

import { InvalidArgument, NotFound } from '../../../errdefs/index.ts';
import { type Descriptor, digestOf, mediaTypes, parseImageConfig } from '../../../oci/index.ts';
import { formatReference, parseReference, withDefaultTag } from '../../../registry/index.ts';
import type { LoadedImage } from '../load.ts';
import type { Archive } from './archive-reader.ts';
import { type LoadStore, type Placed, placeLayers } from './place-layers.ts';

interface Item {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

export async function importDockerArchive(archive: Archive, store: LoadStore): Promise<LoadedImage[]> {
  const placed: Placed = new Map();
  const images: LoadedImage[] = [];
  for (const item of parseItems(archive)) images.push(await importItem(archive, store, item, placed));
  return images;
}

async function importItem(archive: Archive, store: LoadStore, item: Item, placed: Placed): Promise<LoadedImage> {
  const file = archive.resolve(item.Config);
  if (file?.kind !== 'bytes') throw new NotFound(`invalid image: config "${item.Config}" is not in the archive`);
  const config = parseImageConfig(file.bytes);
  const names = item.RepoTags.map(text => formatReference(withDefaultTag(parseReference(text))));
  const layers = await placeLayers(
    archive,
    store,
    config,
    item.Layers.map(path => ({ path })),
    placed,
    true,
  );
  const stored = await store.content.writeBlob(file.bytes);
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, digest: stored.digest, size: stored.size },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  // The same bytes as containerd's importer writes, so that the image's id is the same as Docker's.
  const bytes = Buffer.from(JSON.stringify(manifest));
  await store.content.writeBlob(bytes);
  const target: Descriptor = { mediaType: mediaTypes.dockerManifest, digest: digestOf(bytes), size: bytes.length };
  return { target, names };
}

function parseItems(archive: Archive): Item[] {
  const file = archive.resolve('manifest.json');
  if (file?.kind !== 'bytes') throw new NotFound('invalid image: no manifest.json in the archive');
  let items: unknown;
  try {
    items = JSON.parse(file.bytes.toString('utf8'));
  } catch (cause) {
    throw new InvalidArgument('invalid image: manifest.json is not JSON', { cause });
  }
  if (!Array.isArray(items) || items.length > 10_000)
    throw new InvalidArgument('invalid image: malformed manifest.json');
  return items.map((item: Partial<Item> | null) => {
    const { Config, RepoTags, Layers } = item ?? {};
    if (typeof Config !== 'string' || !isTexts(Layers ?? []) || !isTexts(RepoTags ?? [])) {
      throw new InvalidArgument('invalid image: malformed manifest.json');
    }
    return { Config, RepoTags: RepoTags ?? [], Layers: Layers ?? [] };
  });
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(text => typeof text === 'string');
