// The dockerfile frontend: fetches Dockerfile and ignore file from the client, and has the build done.

import type { Builder, BuildResult } from '../../../build/index.ts';
import { NotFound, NotImplemented } from '../../../errdefs/index.ts';
import { digestOf } from '../../../oci/index.ts';
import type { ContextDirectories } from '../session/context-directories.ts';
import type { Session } from '../session/session.ts';
import { BuildError } from './build-error.ts';
import { SessionClient } from './client.ts';
import { type Attributes, frontendOptions } from './frontend-options.ts';
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
  if (options.request !== undefined) throw new NotImplemented(`unsupported request ${options.request}`);
  if (options.remoteContext !== undefined) {
    throw new NotImplemented(`remote build contexts are not supported yet: ${options.remoteContext}`);
  }
  const { filename } = options;
  const files = await step(status, `[internal] load build definition from ${filename}`, async onBytes => {
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
  using client = new SessionClient({
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
  try {
    return await deps.builder.build(
      {
        ...options,
        dockerfile: { name: filename, text: files.text },
        ...(ignoreFile !== undefined && { ignoreFile }),
      },
      client,
      status,
      signal,
    );
  } catch (err) {
    throw new BuildError(err, filename, files.text);
  }
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
