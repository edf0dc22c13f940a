// The dockerfile frontend: fetches Dockerfile and ignore file from the client, and has the build done.

import type { Builder, BuildResult, ProgressSink } from '../../../build/index.ts';
import { NotFound, NotImplemented } from '../../../errdefs/index.ts';
import { digestOf } from '../../../oci/index.ts';
import type { ContextDirectories } from '../session/context-directories.ts';
import type { Session } from '../session/session.ts';
import { BuildError } from './build-error.ts';
import { SessionClient } from './client.ts';
import { type Attributes, type FrontendOptions, frontendOptions } from './frontend-options.ts';
import { describeAnswer, lintAnswer, outlineAnswer, targetsAnswer } from './requests.ts';
import type { StatusLog } from './status-log.ts';

/** Frontend images that mean what is built in. */
const builtInSyntax = /^(docker\.io\/)?docker\/dockerfile(-upstream)?(:[\w.-]+)?(@sha256:[0-9a-f]+)?$|^dockerfile\.v0$/;

export interface FrontendDeps {
  readonly builder: Builder;
  readonly directories: ContextDirectories;
}

/** Builds what `attributes` say. The result is the caller's to release. */
export async function runFrontend(
  deps: FrontendDeps,
  attributes: Attributes,
  session: Session,
  status: StatusLog,
  signal: AbortSignal,
): Promise<BuildResult> {
  const options = frontendOptions(attributes);
  const { dockerfile, ignoreFile, warningVertex } = await loadFiles(session, options, status, signal);
  using client = sessionClient(deps, session, options, ignoreFile, status);
  const sink: ProgressSink = {
    vertex: progress => status.vertex(progress),
    status: progress => status.status(progress),
    log: progress => status.log(progress),
    warning: progress => status.warning({ ...progress, vertex: warningVertex }),
  };
  try {
    return await deps.builder.build(
      { ...options, dockerfile, ...(ignoreFile !== undefined && { ignoreFile }) },
      client,
      sink,
      signal,
    );
  } catch (err) {
    throw new BuildError(err, options.filename, dockerfile.text);
  }
}

/** Answers a question about the Dockerfile instead of building it: what comes back is for the result's metadata. */
export async function answerRequest(
  deps: FrontendDeps,
  attributes: Attributes,
  session: Session,
  status: StatusLog,
  signal: AbortSignal,
): Promise<Record<string, Buffer>> {
  const options = frontendOptions(attributes);
  const { dockerfile, ignoreFile } = await loadFiles(session, options, status, signal);
  using client = sessionClient(deps, session, options, ignoreFile, status);
  const build = { ...options, dockerfile, ...(ignoreFile !== undefined && { ignoreFile }) };
  switch (options.request) {
    case 'frontend.lint':
      return lintAnswer(await deps.builder.check(build, client, status, signal), dockerfile);
    case 'frontend.targets':
      return targetsAnswer(dockerfile.text);
    case 'frontend.outline':
      return outlineAnswer(dockerfile.text, build);
    case 'frontend.subrequests.describe':
      return describeAnswer();
    default:
      throw new NotImplemented(`unsupported request ${options.request}`);
  }
}

/** Dockerfile and ignore file, fetched from the client. */
async function loadFiles(session: Session, options: FrontendOptions, status: StatusLog, signal: AbortSignal) {
  if (options.remoteContext !== undefined) {
    throw new NotImplemented(`remote build contexts are not supported yet: ${options.remoteContext}`);
  }
  const { filename } = options;
  let warningVertex = '';
  const files = await step(status, `[internal] load build definition from ${filename}`, async (onBytes, digest) => {
    warningVertex = digest;
    const own = `${filename}.dockerignore`;
    const names = [filename, own, ...(filename === 'Dockerfile' ? ['dockerfile'] : [])];
    const found = await session.readFiles(options.dockerfileName, names, signal, bytes =>
      onBytes('transferring dockerfile:', bytes),
    );
    const text = found.get(filename) ?? (filename === 'Dockerfile' ? found.get('dockerfile') : undefined);
    if (text === undefined) {
      throw new NotFound(`failed to read dockerfile: open ${filename}: no such file or directory`);
    }
    return { text, ownIgnore: found.get(own) };
  });
  const syntax = files.text.match(/^#\s*syntax\s*=\s*(\S+)/i)?.[1];
  if (syntax !== undefined && !builtInSyntax.test(syntax)) {
    throw new NotImplemented(`frontend ${syntax} is not supported: only docker/dockerfile is built in`);
  }
  const ignoreFile = await step(status, '[internal] load .dockerignore', async onBytes => {
    if (files.ownIgnore !== undefined) return files.ownIgnore;
    const found = await session.readFiles(options.contextName, ['.dockerignore'], signal, bytes =>
      onBytes('transferring context:', bytes),
    );
    return found.get('.dockerignore');
  });
  return {
    dockerfile: { name: filename, text: files.text },
    warningVertex,
    ...(ignoreFile !== undefined && { ignoreFile }),
  };
}

function sessionClient(
  deps: FrontendDeps,
  session: Session,
  options: FrontendOptions,
  ignoreFile: string | undefined,
  status: StatusLog,
): SessionClient {
  return new SessionClient({
    session,
    directories: deps.directories,
    mainContext: options.contextName,
    exclude: (ignoreFile ?? '').split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#')),
    onBytes: (context, bytes, started, done) =>
      status.status({
        vertex: contextVertexDigest(context),
        id: 'transferring context:',
        current: bytes,
        total: 0,
        started,
        ...(done && { completed: new Date() }),
      }),
  });
}

const contextVertexDigest = (context: string): string => digestOf(JSON.stringify([['local', context], []]));

/** Shows a step of the frontend itself as a vertex. */
export async function step<T>(
  status: StatusLog,
  name: string,
  work: (onBytes: (id: string, bytes: number) => void, digest: string) => Promise<T>,
): Promise<T> {
  const vertex = { digest: digestOf(`${name} ${crypto.randomUUID()}`), name, inputs: [] };
  const started = new Date();
  status.vertex({ ...vertex, started });
  try {
    const transfers = new Map<string, number>();
    const tell = (id: string, current: number, done: boolean): void =>
      status.status({ vertex: vertex.digest, id, current, total: 0, started, ...(done && { completed: new Date() }) });
    const result = await work((id, bytes) => {
      transfers.set(id, bytes);
      tell(id, bytes, false);
    }, vertex.digest);
    for (const [id, bytes] of transfers) tell(id, bytes, true);
    status.vertex({ ...vertex, started, completed: new Date() });
    return result;
  } catch (err) {
    status.vertex({ ...vertex, started, completed: new Date(), error: (err as Error).message });
    throw err;
  }
}
