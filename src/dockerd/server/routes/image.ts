// The image endpoints: what a request says, given to the operations of ../../image.

import { InvalidArgument } from '../../../errdefs/index.ts';
import { type Platform, parsePlatform } from '../../../oci/index.ts';
import { type AuthConfig, decodeAuthHeader, parseReference, withDefaultTag } from '../../../registry/index.ts';
import type { ImageDeps } from '../../image/deps.ts';
import { imageHistory, inspectImage } from '../../image/inspect.ts';
import { listImages } from '../../image/list.ts';
import { loadImages } from '../../image/load.ts';
import { pullImage } from '../../image/pull.ts';
import { removeImage } from '../../image/remove.ts';
import { tagImage } from '../../image/tag.ts';
import type { Call } from '../call.ts';
import { progressStream } from '../progress-stream.ts';
import type { Handlers } from '../server.ts';

type Names =
  | 'imageList'
  | 'imageLoad'
  | 'imageInspect'
  | 'imageHistory'
  | 'imageTag'
  | 'imageRemove'
  | 'imageSearch'
  | 'distributionInspect';

export function imageHandlers(deps: ImageDeps): Pick<Handlers, Names> {
  return {
    async imageList(call) {
      const items = await listImages(deps, {
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
        loadImages(
          deps,
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
        await inspectImage(deps, call.param('name'), { ...(platform !== undefined && { platform }), manifests }),
      );
    },

    async imageHistory(call) {
      call.json(200, await imageHistory(deps, call.param('name'), jsonPlatform(call)));
    },

    imageTag(call) {
      tagImage(deps, call.param('name'), call.query.text('repo'), call.query.text('tag'));
      call.empty(201);
    },

    async imageRemove(call) {
      const items = await removeImage(deps, call.param('name'), {
        force: call.query.bool('force'),
        noPrune: call.query.bool('noprune'),
      });
      call.json(200, items);
    },

    async imageSearch(call) {
      const term = call.query.text('term');
      const limit = call.query.integer('limit');
      const found = await deps.registry.search({
        term,
        ...(limit !== undefined && { limit }),
        signal: call.signal,
        ...authOf(call),
      } as never);
      call.json(200, found);
    },

    async distributionInspect(call) {
      const reference = withDefaultTag(parseReference(call.param('name')));
      call.json(200, await deps.registry.inspect({ reference, signal: call.signal, ...authOf(call) }));
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
export async function pull(deps: ImageDeps, call: Call): Promise<void> {
  const platform = call.query.text('platform');
  await progressStream(call, output =>
    pullImage(
      deps,
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
