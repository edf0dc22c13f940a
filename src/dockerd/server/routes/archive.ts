// cp in both directions, export, diff, commit.

import type { PathStat } from '../../../api/index.ts';
import { containerConfigShape } from '../../../api/index.ts';
import { decompressed } from '../../../containerd/index.ts';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { exportRoot, readPath, statPath, writePath } from '../../container/archive/archive.ts';
import { changesOf } from '../../container/changes.ts';
import { commitContainer } from '../../container/commit.ts';
import { type ContainerServices, eventAttributes, layersOf } from '../../container/services.ts';
import { userOf } from '../../container/spec/build.ts';
import type { ImageDeps } from '../../image/index.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../server.ts';
import { writeAll } from '../stream.ts';

type Names =
  | 'containerChanges'
  | 'containerExport'
  | 'containerArchiveStat'
  | 'containerArchiveGet'
  | 'containerArchivePut'
  | 'commit';

export function archiveHandlers(services: ContainerServices, images: ImageDeps): Pick<Handlers, Names> {
  const find = (call: Call) => services.store.find(call.param('id'));
  const pathOf = (call: Call): string => {
    const text = call.query.text('path');
    if (text === '') throw new InvalidArgument('bad parameter: pathcannot be empty');
    return text;
  };
  return {
    async containerChanges(call) {
      const changes = await changesOf(services, find(call));
      call.json(200, changes?.length ? changes : null);
    },

    async containerExport(call) {
      const container = find(call);
      services.events.publish('container', 'export', container.id, eventAttributes(container));
      await sendArchive(call, exportRoot(services, container), {});
    },

    async containerArchiveStat(call) {
      const stat = await statPath(services, find(call), pathOf(call));
      call.empty(200, { 'X-Docker-Container-Path-Stat': statHeader(stat) });
    },

    async containerArchiveGet(call) {
      const container = find(call);
      const text = pathOf(call);
      const stat = await statPath(services, container, text);
      services.events.publish('container', 'archive-path', container.id, eventAttributes(container));
      await sendArchive(call, readPath(services, container, text), {
        'X-Docker-Container-Path-Stat': statHeader(stat),
      });
    },

    async containerArchivePut(call) {
      const container = find(call);
      const text = pathOf(call);
      const owner = call.query.bool('copyUIDGID') ? await ownerOf(services, container) : undefined;
      await writePath(services, container, text, decompressed(call.request), {
        noOverwriteDirNonDir: call.query.bool('noOverwriteDirNonDir'),
        ...(owner !== undefined && { owner }),
      });
      services.events.publish('container', 'extract-to-dir', container.id, eventAttributes(container, { path: text }));
      call.empty(200);
    },

    async commit(call) {
      const { query } = call;
      const config = await call.body(containerConfigShape, 'Config', containerConfigShape.zero());
      const id = await commitContainer(services, images, services.store.find(query.text('container')), {
        repo: query.text('repo'),
        tag: query.text('tag'),
        comment: query.text('comment'),
        author: query.text('author'),
        pause: query.bool('pause', true),
        changes: query.all('changes'),
        config,
      });
      call.json(201, { Id: id });
    },
  };
}

const statHeader = (stat: PathStat): string => Buffer.from(JSON.stringify(stat)).toString('base64');

async function ownerOf(services: ContainerServices, container: ReturnType<ContainerServices['store']['find']>) {
  const mounts = await services.snapshotter.mounts(container.id);
  const { uid, gid } = userOf(layersOf(mounts), container.record.config.User, []);
  return { uid, gid };
}

/** The first piece decides the status; after it, a failure breaks the connection off. */
async function sendArchive(
  call: Call,
  archive: AsyncGenerator<Uint8Array>,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const first = await archive.next();
  const out = call.stream('application/x-tar', headers);
  try {
    if (first.done !== true) await writeAll(out, first.value, call.signal);
    for await (const piece of archive) {
      if (call.signal.aborted) break;
      await writeAll(out, piece, call.signal);
    }
    out.end();
  } catch (err) {
    out.destroy();
    throw err;
  }
}
