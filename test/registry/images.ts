// Small images for tests, made in memory, and a plain way to put them into a registry that does not use the code under test.

import { gzipSync } from 'node:zlib';
import { type Descriptor, digestOf, type ImageConfig, mediaTypes, type Platform } from '../../src/oci/index.ts';

export interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

export interface TestImage {
  /** Manifest or index. */
  readonly top: Blob;
  /** Manifests below an index. */
  readonly children: readonly Blob[];
  readonly blobs: readonly Blob[];
}

/** A blob with its descriptor. */
export const blob = (mediaType: string, content: Buffer | object): Blob => {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes };
};

/** A tar archive of regular files. */
export function tar(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, content]) => {
    const data = Buffer.from(content as string);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${data.byteLength.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\0', 257);
    header.write('00', 263);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, data, Buffer.alloc((512 - (data.byteLength % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

/** An image of one manifest; a layer per entry, each a tar of the given files. */
export function makeImage(
  layers: readonly Readonly<Record<string, string | Buffer>>[],
  options: { platform?: Platform; docker?: boolean } = {},
): TestImage {
  const platform = options.platform ?? { os: 'linux', architecture: 'amd64' };
  const archives = layers.map(tar);
  const layerBlobs = archives.map(archive =>
    blob(options.docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip, gzipSync(archive)),
  );
  const config: ImageConfig = {
    ...platform,
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
    history: layers.map(() => ({ created_by: 'test' })),
  };
  const configBlob = blob(options.docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig, config);
  const mediaType = options.docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const top = blob(mediaType, {
    schemaVersion: 2,
    mediaType,
    config: configBlob.descriptor,
    layers: layerBlobs.map(({ descriptor }) => descriptor),
  });
  return {
    top: { ...top, descriptor: { ...top.descriptor, platform } },
    children: [],
    blobs: [configBlob, ...layerBlobs],
  };
}

/** An index over images. */
export function makeIndex(images: readonly TestImage[], docker = false): TestImage {
  const mediaType = docker ? mediaTypes.dockerIndex : mediaTypes.ociIndex;
  return {
    top: blob(mediaType, { schemaVersion: 2, mediaType, manifests: images.map(image => image.top.descriptor) }),
    children: images.map(image => image.top),
    blobs: images.flatMap(image => image.blobs),
  };
}

/** Bytes that do not compress, the same each time for a seed. */
export function noise(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Puts an image into a registry by plain requests. */
export async function publish(
  url: string,
  repository: string,
  tag: string,
  image: TestImage,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const expect = async (response: Response, status: number): Promise<Response> => {
    if (response.status !== status) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
    return response;
  };
  for (const { descriptor, bytes } of image.blobs) {
    const begun = await expect(await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers }), 202);
    const address = new URL(begun.headers.get('location') as string, url);
    address.searchParams.set('digest', descriptor.digest);
    await expect(await fetch(address, { method: 'PUT', body: new Uint8Array(bytes), headers }), 201);
  }
  const put = async ({ descriptor, bytes }: Blob, name: string): Promise<void> => {
    const type = { 'content-type': descriptor.mediaType };
    const address = `${url}/v2/${repository}/manifests/${name}`;
    await expect(
      await fetch(address, { method: 'PUT', body: new Uint8Array(bytes), headers: { ...headers, ...type } }),
      201,
    );
  };
  for (const child of image.children) await put(child, child.descriptor.digest);
  await put(image.top, tag);
}
