// The container endpoints: what a request says, given to the operations of ../../container, and their answers.

import {
  type ContainerCreateRequest,
  containerConfigShape,
  containerCreateShape,
  frame,
  streamTypes as frames,
  hostConfigShape,
  parseJson,
  updateRequestShape,
} from '../../../api/index.ts';
import { codeOf, describe, EngineError, InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import { parsePlatform } from '../../../oci/index.ts';
import { formatNs } from '../../clock.ts';
import { attachContainer, attachWebSocket, multiplexedStream, rawStream } from '../../container/attach.ts';
import type { WaitCondition } from '../../container/container.ts';
import { createContainer } from '../../container/create.ts';
import { explainContainer } from '../../container/explain.ts';
import { inspectContainer } from '../../container/inspect.ts';
import { killContainer } from '../../container/kill.ts';
import { listContainers, listFilterKeys, summarise } from '../../container/list.ts';
import { listText } from '../../container/list-text.ts';
import { readLog } from '../../container/logs/log-reader.ts';
import { containerPaths } from '../../container/paths.ts';
import { pauseContainer, unpauseContainer } from '../../container/pause.ts';
import { pruneContainers, pruneFilterKeys } from '../../container/prune.ts';
import type { ContainerRecord } from '../../container/record.ts';
import { removeContainer } from '../../container/remove.ts';
import { renameContainer } from '../../container/rename.ts';
import { parseSize, resizeContainer } from '../../container/resize.ts';
import type { ContainerServices } from '../../container/services.ts';
import { parseSignal } from '../../container/signals.ts';
import { sizesOf } from '../../container/size.ts';
import { startContainer } from '../../container/start.ts';
import { streamStats } from '../../container/stats.ts';
import { restartContainer, stopContainer } from '../../container/stop.ts';
import { topContainer } from '../../container/top.ts';
import { updateContainer } from '../../container/update.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../server.ts';
import { writeAll } from '../stream.ts';

/** What the list needs to know about images. */
export interface ImageNames {
  /** Ids that a reference means as an ancestor: the image, and images built on it. */
  ancestors(reference: string): readonly string[];
  /** Whether a typed reference still means this image. */
  stillNames(reference: string, imageId: string): boolean;
}

type Names =
  | 'containerList'
  | 'containerCreate'
  | 'containerPrune'
  | 'containerInspect'
  | 'containerExplain'
  | 'containerTimings'
  | 'containerTop'
  | 'containerLogs'
  | 'containerStats'
  | 'containerResize'
  | 'containerStart'
  | 'containerStop'
  | 'containerRestart'
  | 'containerKill'
  | 'containerUpdate'
  | 'containerRename'
  | 'containerPause'
  | 'containerUnpause'
  | 'containerAttach'
  | 'containerAttachWebSocket'
  | 'containerWait'
  | 'containerRemove';

export function containerHandlers(services: ContainerServices, images: ImageNames): Pick<Handlers, Names> {
  const find = (call: Call) => services.store.find(call.param('id'));
  return {
    async containerList(call) {
      const options = {
        all: call.query.bool('all'),
        limit: Math.max(0, call.query.integer('limit') ?? 0),
        filters: call.filters(listFilterKeys),
        imagesOf: images.ancestors.bind(images),
      };
      const found = listContainers(services, options);
      const now = Date.now();
      const imageName = imageNamer(images);
      if (!call.query.bool('size')) {
        call.jsonBytes(200, listText(found, imageName, now));
        return;
      }
      const items = [];
      for (const container of found) {
        items.push(summarise(container, imageName, now, await sizesOf(services, container)));
      }
      call.json(200, items);
    },

    async containerCreate(call) {
      const json = await call.jsonText();
      if (json === '') throw new InvalidArgument('invalid JSON: got EOF while reading request body');
      if (!hasConfig(json)) throw new InvalidArgument('config cannot be empty in order to create a container');
      const body = call.decode(containerCreateShape, json);
      const request: ContainerCreateRequest = { ...body, HostConfig: body.HostConfig ?? hostConfigShape.zero() };
      const platform = call.query.text('platform');
      const created = await createContainer(services, request, {
        name: call.query.text('name'),
        platform: platform === '' || call.below('1.41') ? undefined : parsePlatform(platform),
        below: version => call.below(version),
      });
      call.json(201, created);
    },

    async containerPrune(call) {
      call.json(200, await pruneContainers(services, call.filters(pruneFilterKeys)));
    },

    async containerInspect(call) {
      const container = find(call);
      const sizes = call.query.bool('size') ? await sizesOf(services, container) : undefined;
      call.json(200, await inspectContainer(services, container, call.version, sizes));
    },

    async containerExplain(call) {
      call.send(200, 'text/plain; charset=utf-8', await explainContainer(services, find(call)));
    },

    containerTimings(call) {
      const container = find(call);
      call.json(200, services.timings.get(container.id) ?? {});
    },

    async containerTop(call) {
      call.json(200, await topContainer(services, find(call), call.query.text('ps_args')));
    },

    async containerLogs(call) {
      await sendLogs(services, call);
    },

    async containerStats(call) {
      await streamStats(services, find(call), call);
    },

    async containerResize(call) {
      const container = find(call);
      await resizeContainer(services, container, parseSize(call.query.text('h'), call.query.text('w')));
      call.empty(200);
    },

    async containerStart(call) {
      const length = call.header('content-length');
      if (Number(length) > 7 || call.header('transfer-encoding') !== '') {
        throw new InvalidArgument(
          'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
        );
      }
      await startContainer(services, find(call));
      call.empty(204);
    },

    async containerStop(call) {
      const container = find(call);
      // One that is stopped needs no signal, not even a good one.
      await stopContainer(services, container, container.state.running ? stopOptions(call) : {});
      call.empty(204);
    },

    async containerRestart(call) {
      await restartContainer(services, find(call), stopOptions(call));
      call.empty(204);
    },

    async containerKill(call) {
      const signal = call.query.text('signal');
      const container = find(call);
      try {
        await killContainer(services, container, signal === '' ? undefined : parseSignal(signal));
      } catch (err) {
        throw new EngineError(codeOf(err), `cannot kill container: ${call.param('id')}: ${describe(err)}`);
      }
      call.empty(204);
    },

    async containerUpdate(call) {
      const container = find(call);
      const request = await call.body(updateRequestShape, 'UpdateConfig');
      const warnings = await updateContainer(services, container, request, version => call.below(version));
      call.json(200, { Warnings: warnings.length > 0 ? warnings : null });
    },

    async containerRename(call) {
      await renameContainer(services, find(call), call.query.text('name'));
      call.empty(204);
    },

    async containerPause(call) {
      await pauseContainer(services, find(call));
      call.empty(204);
    },

    async containerUnpause(call) {
      await unpauseContainer(services, find(call));
      call.empty(204);
    },

    async containerAttach(call) {
      await attachContainer(services, find(call), call);
    },

    async containerAttachWebSocket(call) {
      await attachWebSocket(services, find(call), call);
    },

    async containerWait(call) {
      await wait(services, call);
    },

    async containerRemove(call) {
      if (call.query.bool('link')) throw new NotImplemented('removing a link of a container is not supported');
      const container = find(call);
      await removeContainer(services, container, {
        force: call.query.bool('force'),
        volumes: call.query.bool('v'),
        ref: call.param('id'),
      });
      call.empty(204);
    },
  };
}

/** The name to show for a container's image: as typed while it still means that image, else the id. One look-up per name and list. */
export function imageNamer(images: ImageNames): (record: ContainerRecord) => string {
  const still = new Map<string, boolean>();
  return ({ config, imageId }) => {
    const key = `${config.Image} ${imageId}`;
    let known = still.get(key);
    if (known === undefined) {
      known = images.stillNames(config.Image, imageId);
      still.set(key, known);
    }
    return known ? config.Image : imageId;
  };
}

/** Whether a body says anything of the container itself; only its host and networks are not enough. */
function hasConfig(json: string): boolean {
  const body = parseJson(json);
  if (body === null) return false;
  if (typeof body !== 'object' || Array.isArray(body)) return true;
  const known = new Set(Object.keys(containerConfigShape.zero()).map(key => key.toLowerCase()));
  return Object.entries(body).some(([key, value]) => value !== null && known.has(key.toLowerCase()));
}

function stopOptions(call: Call): { signal?: number; timeoutSeconds?: number } {
  const signal = call.below('1.42') ? '' : call.query.text('signal');
  const seconds = call.query.integer('t');
  return {
    ...(signal !== '' && { signal: parseSignal(signal) }),
    ...(seconds !== undefined && { timeoutSeconds: seconds }),
  };
}

/** The headers leave at once: the CLI waits for them before it starts the container. */
async function wait(services: ContainerServices, call: Call): Promise<void> {
  const container = services.store.find(call.param('id'));
  const text = call.query.text('condition');
  const legacy = call.below('1.30');
  const condition = legacy || text === '' ? 'not-running' : text;
  if (!['not-running', 'next-exit', 'removed'].includes(condition)) {
    throw new InvalidArgument(`invalid condition: ${JSON.stringify(condition)}`);
  }
  const signal = call.signal;
  const waiting = container.wait(condition as WaitCondition, signal);
  waiting.catch(() => {});
  if (legacy) {
    call.json(200, { StatusCode: (await waiting).exitCode });
    return;
  }
  const out = call.stream('application/json');
  try {
    const status = await waiting;
    const body = {
      ...(status.error !== undefined && { Error: { Message: status.error } }),
      StatusCode: status.exitCode,
    };
    out.end(`${JSON.stringify(body)}\n`);
  } catch {
    out.destroy();
  }
}

async function sendLogs(services: ContainerServices, call: Call): Promise<void> {
  const stdout = call.query.bool('stdout');
  const stderr = call.query.bool('stderr');
  if (!stdout && !stderr) throw new InvalidArgument('Bad parameters: you must choose at least one stream');
  const container = services.store.find(call.param('id'));
  const { record } = container;
  const tailText = call.query.text('tail');
  const tail = tailText === '' || tailText === 'all' || !/^\d+$/.test(tailText) ? undefined : Number(tailText);
  const since = call.query.timeNs('since');
  const until = call.query.timeNs('until');
  const format = record.hostConfig.LogConfig.Type;
  if (format !== 'json-file' && format !== 'local') {
    throw new NotImplemented('configured logging driver does not support reading');
  }
  const follow = call.query.bool('follow') && container.state.running;
  const signal = call.signal;
  const ended = container.ended;
  const tty = record.config.Tty;
  const out = call.stream(tty || call.below('1.42') ? rawStream : multiplexedStream);
  try {
    await readLog(
      containerPaths(services.config.dataRoot, record.id).log,
      {
        stdout,
        stderr,
        timestamps: call.query.bool('timestamps'),
        details: call.query.bool('details'),
        framed: !tty,
        merged: !follow,
        format,
        ...(tail !== undefined && { tail }),
        ...(since !== undefined && { since: formatNs(since) }),
        ...(until !== undefined && { until: formatNs(until) }),
      },
      bytes => writeAll(out, bytes, signal),
      follow ? { ended, signal } : undefined,
    );
  } catch (err) {
    if (!signal.aborted) {
      services.log.warn('could not read a log', { container: record.id, err });
      out.write(frame(frames.systemError, Buffer.from(`Error grabbing logs: ${(err as Error).message}\n`)));
    }
  }
  out.end();
}
