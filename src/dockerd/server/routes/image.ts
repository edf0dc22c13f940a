// The image endpoints: what a request says, given to the operations of ../../image.

import { InvalidArgument } from '../../../errdefs/index.ts';
import { type Platform, parsePlatform } from '../../../oci/index.ts';
import {
  type AuthConfig,
  decodeAuthHeader,
  parseReference,
  type Registry,
  withDefaultTag,
} from '../../../registry/index.ts';
import { applyChanges } from '../../image/changes.ts';
import type { ImageService } from '../../image/index.ts';
import type { Call } from '../call.ts';
import { progressStream } from '../progress-stream.ts';
import type { Handlers } from '../server.ts';
import { writeAll } from '../stream.ts';

type Names =
  | 'imageList'
  | 'imageLoad'
  | 'imageInspect'
  | 'imageHistory'
  | 'imageTag'
  | 'imageRemove'
  | 'imageCreate'
  | 'imagePrune'
  | 'imagePush'
  | 'imageSave'
  | 'imageSaveOne'
  | 'imageSearch'
  | 'distributionInspect';

export function imageHandlers(images: ImageService, registry: Registry): Pick<Handlers, Names> {
  return {
    async imageList(call) {
      const items = await images.list({
        filters: call.filterValues(),
        all: call.query.bool('all'),
        sharedSize: !call.below('1.42') && call.query.bool('shared-size'),
        manifests: !call.below('1.47') && call.query.bool('manifests'),
      });
      if (!call.below('1.44')) {
        call.json(200, items);
        return;
      }
      const none = (list: readonly string[], text: string) => (call.below('1.43') && list.length === 0 ? [text] : list);
      call.json(
        200,
        items.map(item => ({
          ...item,
          RepoTags: none(item.RepoTags, '<none>:<none>'),
          RepoDigests: none(item.RepoDigests, '<none>@<none>'),
          VirtualSize: item.Size,
        })),
      );
    },

    async imageLoad(call) {
      const quiet = call.query.bool('quiet');
      await progressStream(call, output =>
        images.load(
          { archive: call.request, platforms: call.query.all('platform').map(platformOfJson), signal: call.signal },
          message => {
            if (!quiet || message.progressDetail === undefined) output(message);
          },
        ),
      );
    },

    async imageInspect(call) {
      const platform = jsonPlatform(call);
      const manifests = !call.below('1.48') && call.query.bool('manifests');
      call.json(
        200,
        await images.inspect(call.param('name'), { ...(platform !== undefined && { platform }), manifests }),
      );
    },

    async imageHistory(call) {
      call.json(200, await images.history(call.param('name'), jsonPlatform(call)));
    },

    imageTag(call) {
      images.tag(call.param('name'), call.query.text('repo'), call.query.text('tag'));
      call.empty(201);
    },

    async imageRemove(call) {
      const items = await images.remove(call.param('name'), {
        force: call.query.bool('force'),
        noPrune: call.query.bool('noprune'),
        platforms: call.below('1.50') ? [] : call.query.all('platforms').map(platformOfJson),
      });
      call.json(200, items);
    },

    async imageCreate(call) {
      if (call.query.text('fromImage') !== '') await pull(images, call);
      else await importArchive(images, call);
    },

    async imagePrune(call) {
      call.json(200, await images.prune(call.filterValues()));
    },

    async imagePush(call) {
      const platform = call.below('1.46') ? undefined : jsonPlatform(call);
      await progressStream(call, output =>
        images.push(
          {
            name: call.param('name'),
            tag: call.query.text('tag'),
            ...(platform !== undefined && { platform }),
            ...authOf(call),
            signal: call.signal,
          },
          output,
        ),
      );
    },

    imageSave: call => save(images, call, call.query.all('names')),
    imageSaveOne: call => save(images, call, [call.param('name')]),

    async imageSearch(call) {
      const term = call.query.text('term');
      const limit = call.query.integer('limit');
      const found = await registry.search({
        term,
        ...(limit !== undefined && { limit }),
        signal: call.signal,
        ...authOf(call),
      });
      call.json(200, found);
    },

    async distributionInspect(call) {
      const reference = withDefaultTag(parseReference(call.param('name')));
      call.json(200, await registry.inspect({ reference, signal: call.signal, ...authOf(call) }));
    },
  };
}

/** X-Registry-Auth and the X-Meta- headers, which go to the registry. */
export function authOf(call: Call): { auth?: AuthConfig; headers?: Record<string, string> } {
  const header = call.header('x-registry-auth');
  const headers = Object.fromEntries(
    Object.entries(call.request.headers).filter(([name]) => name.startsWith('x-meta-')),
  ) as Record<string, string>;
  return {
    ...(header !== '' && { auth: decodeAuthHeader(header) }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

/** POST /images/create with fromImage. */
async function pull(images: ImageService, call: Call): Promise<void> {
  const platform = call.query.text('platform');
  await progressStream(call, output =>
    images.pull(
      {
        fromImage: call.query.text('fromImage'),
        tag: call.query.text('tag'),
        ...(platform !== '' && { platform: parsePlatform(platform) }),
        ...authOf(call),
        signal: call.signal,
      },
      output,
    ),
  );
}

/** POST /images/create with fromSrc: the archive is the body, or comes from a URL. */
async function importArchive(images: ImageService, call: Call): Promise<void> {
  const source = call.query.text('fromSrc');
  if (source === '') throw new InvalidArgument('either fromImage or fromSrc must be given');
  const platform = call.query.text('platform');
  await progressStream(call, async output => {
    let archive: AsyncIterable<Uint8Array> = call.request;
    if (source !== '-') {
      const url = source.includes('://') ? source : `http://${source}`;
      output({ status: `Downloading from ${url}` });
      const answer = await fetch(url, { signal: call.signal });
      if (!answer.ok || answer.body === null)
        throw new InvalidArgument(`${url}: ${answer.status} ${answer.statusText}`);
      archive = answer.body as unknown as AsyncIterable<Uint8Array>;
    }
    const message = call.query.text('message');
    await images.import(
      {
        archive,
        repo: call.query.text('repo'),
        tag: call.query.text('tag'),
        message: message === '' ? `Imported from ${source}` : message,
        config: applyChanges({}, call.query.all('changes')),
        ...(platform !== '' && { platform: parsePlatform(platform) }),
        signal: call.signal,
      },
      output,
    );
  });
}

async function save(images: ImageService, call: Call, names: readonly string[]): Promise<void> {
  const platforms = call.below('1.48') ? [] : call.query.all('platform').map(platformOfJson);
  const archive = await images.save({ names, platforms, signal: call.signal });
  const out = call.stream('application/x-tar');
  try {
    for await (const bytes of archive) await writeAll(out, bytes, call.signal);
    out.end();
  } catch (err) {
    // The status is out: a connection that breaks off says it.
    out.destroy();
    if (!call.signal.aborted) throw err;
  }
}

/** `platform` of newer calls: JSON of an OCI platform. */
function jsonPlatform(call: Call): Platform | undefined {
  const text = call.below('1.48') ? '' : call.query.text('platform');
  return text === '' ? undefined : platformOfJson(text);
}

function platformOfJson(text: string): Platform {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgument('failed to parse platform', { cause });
  }
  const { os, architecture, variant } = (value ?? {}) as Record<string, unknown>;
  if (typeof os !== 'string' || typeof architecture !== 'string') {
    throw new InvalidArgument('both OS and Architecture must be provided');
  }
  return { os, architecture, ...(typeof variant === 'string' && variant !== '' && { variant }) };
}
