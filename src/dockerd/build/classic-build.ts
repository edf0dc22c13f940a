// POST /build: the classic door. The context comes as a tar in the body; progress goes back as a stream of records.

import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { encodeProgress, progressError } from '../../api/index.ts';
import { type BuildResult, ProcessFailed, type ProgressSink } from '../../build/index.ts';
import { describe, InvalidArgument, isCanceled, NotImplemented } from '../../errdefs/index.ts';
import { IgnoreRules } from '../../patternmatcher/index.ts';
import { familiarString, parseReference, withDefaultTag } from '../../registry/index.ts';
import { StatusLog } from '../buildkit/control/status-log.ts';
import { StatusResponse } from '../buildkit/proto/buildkit.ts';
import { encode } from '../buildkit/proto/wire.ts';
import type { Call } from '../server/call.ts';
import type { BuildService } from './build-service.ts';
import { ClassicClient } from './classic-client.ts';
import { ClassicOutput } from './classic-output.ts';
import { type ClassicRequest, classicRequest } from './classic-request.ts';
import { ContextArchive, clean } from './context-archive.ts';

export async function classicBuild(service: BuildService, call: Call): Promise<void> {
  const request = classicRequest(call);
  if (request.remote !== '')
    throw new NotImplemented('remote build contexts are not supported: send the context as a tar');
  const abort = new AbortController();
  const stop = (): void => abort.abort(new DOMException('build cancelled', 'AbortError'));
  call.signal.addEventListener('abort', stop, { once: true });
  if (request.buildId !== '') service.running.set(request.buildId, abort);
  mkdirSync(service.scratch, { recursive: true, mode: 0o700 });
  const root = mkdtempSync(path.join(service.scratch, 'context-'));
  try {
    const context = new ContextArchive(root, service.parts.images.containerd.extract);
    const ignoreNames = [`${request.dockerfile}.dockerignore`, '.dockerignore'];
    const keep = new Set([request.dockerfile, ...ignoreNames].map(clean));
    await context.receive(call.request as AsyncIterable<Uint8Array>, keep, abort.signal);
    const dockerfile = context.text(request.dockerfile);
    if (dockerfile === undefined)
      throw new InvalidArgument(`Cannot locate specified Dockerfile: ${request.dockerfile}`);
    const ignoreFile = ignoreNames.map(name => context.text(name)).find(text => text !== undefined);
    if (ignoreFile !== undefined) dropIgnored(context, request.dockerfile, ignoreFile);
    await answer(service, call, request, context, dockerfile, ignoreFile, abort.signal);
  } finally {
    call.signal.removeEventListener('abort', stop);
    if (service.running.get(request.buildId) === abort) service.running.delete(request.buildId);
    // Nobody waits for thousands of files to go.
    rm(root, { recursive: true, force: true }).catch(err =>
      service.parts.services.log.warn('could not remove a build context', { err }),
    );
  }
}

/** Clients send these two even where the rules leave them out, since they are needed here. */
function dropIgnored(context: ContextArchive, dockerfile: string, ignoreFile: string): void {
  const rules = IgnoreRules.parse(ignoreFile);
  for (const name of [clean(dockerfile), '.dockerignore']) if (rules.ignores(name)) context.drop(name);
}

async function answer(
  service: BuildService,
  call: Call,
  request: ClassicRequest,
  context: ContextArchive,
  dockerfile: string,
  ignoreFile: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const out = call.stream('application/json');
  const send = (message: object): void => {
    out.write(encodeProgress(message));
  };
  // What a quiet build has said is only told if it fails.
  const kept: string[] = [];
  const stream = (text: string): void => {
    if (request.quiet) kept.push(text);
    else send({ stream: text });
  };
  const classic = new ClassicOutput(stream);
  const log = new StatusLog();
  const progress: ProgressSink = request.trace ? log : classic;
  const following = request.trace ? follow(log, send) : undefined;
  try {
    using result = await service.builder.build(
      {
        ...request.options,
        dockerfile: { name: request.dockerfile, text: dockerfile },
        ...(ignoreFile !== undefined && { ignoreFile }),
      },
      new ClassicClient(context, request.auth),
      progress,
      signal,
    );
    const id = await keep(service, request, result);
    log.end();
    await following;
    if (request.trace) send({ id: 'moby.image.id', aux: { ID: id } });
    else {
      classic.done(id);
      if (request.quiet) send({ stream: `${id}\n` });
      else send({ aux: { ID: id } });
      stream(`Successfully built ${id.slice(7, 19)}\n`);
      for (const tag of request.tags) {
        stream(`Successfully tagged ${familiarString(withDefaultTag(parseReference(tag)))}\n`);
      }
    }
  } catch (err) {
    log.end();
    await following;
    for (const text of kept) send({ stream: text });
    if (!call.signal.aborted) out.write(encodeProgress(failure(err)));
  }
  out.end();
}

async function keep(service: BuildService, request: ClassicRequest, result: BuildResult): Promise<string> {
  const { target } = await service.builder.writeImage(result);
  for (const tag of request.tags) service.targets.tag(tag, target);
  if (request.tags.length === 0) service.targets.keep(target);
  return target.digest;
}

/** Docker's words for what ends a build. */
function failure(err: unknown) {
  if (err instanceof ProcessFailed) {
    const words = err.args.join(' ');
    return progressError(`The command '${words}' returned a non-zero code: ${err.exitCode}`, err.exitCode);
  }
  if (isCanceled(err)) return progressError('build cancelled');
  const missing = /failed to calculate checksum of ref \S+ "\/?(.*)": not found$/.exec((err as Error).message)?.[1];
  if (missing !== undefined) {
    const where = 'file not found in build context or excluded by .dockerignore';
    return progressError(`COPY failed: ${where}: stat ${missing}: file does not exist`);
  }
  return progressError(describe(err));
}

async function follow(log: StatusLog, send: (message: object) => void): Promise<void> {
  for await (const status of log.follow(new AbortController().signal)) {
    send({ id: 'moby.buildkit.trace', aux: encode(StatusResponse, status).toString('base64') });
  }
}
