// Where a build's result goes: the engine's images, or back to the client as an archive or a tree.

import type { Builder, BuildResult } from '../../../build/index.ts';
import { InvalidArgument, NotImplemented } from '../../../errdefs/index.ts';
import type { Descriptor } from '../../../oci/index.ts';
import type { Session } from '../session/session.ts';

export interface ExporterRequest {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

/** What exporting needs of the rest of the daemon. */
export interface ExportTargets {
  /** Names an image that is in the content store; checks and normalises the name. Gives it as stored. */
  tag(name: string, target: Descriptor): string;
  /** Keeps an image without a name as the engine's (it is dangling). */
  keep(target: Descriptor): void;
  /** Pushes an image that is to have no name here afterwards, unless it had it before. */
  pushOnly(name: string, target: Descriptor, session: Session | undefined, signal: AbortSignal): Promise<void>;
  push(name: string, session: Session | undefined, signal: AbortSignal): Promise<void>;
  /** An archive of one image, in Docker's or OCI's layout. */
  archive(target: Descriptor, names: readonly string[], format: 'docker' | 'oci'): AsyncIterable<Uint8Array>;
  /** The files of a result as a tar. */
  filesTar(result: BuildResult): AsyncIterable<Uint8Array>;
  /** Sends the files of a result to a directory of the client. */
  sendFiles(result: BuildResult, session: Session, exporterId: string, signal: AbortSignal): Promise<void>;
}

/** Exports to one place; what comes back is shown by clients and goes into `--metadata-file`. */
export async function exportResult(
  exporter: ExporterRequest,
  index: number,
  builder: Builder,
  result: BuildResult,
  targets: ExportTargets,
  session: Session | undefined,
  signal: AbortSignal,
  say: (id: string) => void,
  inlineCache: boolean,
): Promise<Record<string, string>> {
  const { Type: type, Attrs: attributes } = exporter;
  const annotation = Object.keys(attributes).find(key => key.startsWith('annotation'));
  if (annotation !== undefined) throw new NotImplemented(`annotations are not supported: ${annotation}`);
  const names = (attributes.name ?? '').split(',').filter(name => name !== '');
  const needSession = (): Session => {
    if (session === undefined) throw new InvalidArgument(`output ${type} needs a session with the client`);
    return session;
  };
  const id = String(index);
  switch (type) {
    case 'moby':
    case 'image': {
      const { target } = await builder.writeImage(result, { inlineCache });
      say('exporting layers');
      say(`writing image ${target.digest}`);
      const stored = names.map(name => {
        const full = targets.tag(name, target);
        say(`naming to ${full.replace(/:latest$/, '')}`);
        return full;
      });
      if (stored.length === 0) targets.keep(target);
      if (attributes.push === 'true') {
        for (const name of stored) {
          await targets.push(name, session, signal);
          say(`pushing ${name}`);
        }
      }
      // Clients show this as the image's id, which here is that of its manifest or index.
      return describe(target, target.digest, stored);
    }
    case 'docker':
    case 'oci': {
      const { target, configDigest } = await builder.writeImage(result, { inlineCache });
      say('exporting layers');
      say(`exporting manifest ${target.digest}`);
      say(`exporting config ${configDigest}`);
      await needSession().sendFile(id, {}, targets.archive(target, names, type), signal);
      say('sending tarball');
      return describe(target, configDigest, names);
    }
    case 'tar':
      await needSession().sendFile(id, {}, targets.filesTar(result), signal);
      say('sending tarball');
      return {};
    case 'local':
      await targets.sendFiles(result, needSession(), id, signal);
      say('copying files');
      return {};
    case 'cacheonly':
      return {};
    default:
      throw new NotImplemented(`exporter "${type}" could not be found`);
  }
}

const describe = (target: Descriptor, configDigest: string, names: readonly string[]): Record<string, string> => ({
  'containerimage.digest': target.digest,
  'containerimage.config.digest': configDigest,
  'containerimage.descriptor': Buffer.from(
    JSON.stringify({ mediaType: target.mediaType, digest: target.digest, size: target.size }),
  ).toString('base64'),
  ...(names.length > 0 && { 'image.name': names.join(',') }),
});

/** What the vertex of an export is called. */
export function exportName(type: string): string {
  switch (type) {
    case 'moby':
    case 'image':
      return 'exporting to image';
    case 'docker':
      return 'exporting to docker image format';
    case 'oci':
      return 'exporting to oci image format';
    case 'local':
      return 'exporting to client directory';
    case 'tar':
      return 'exporting to client tarball';
    default:
      return `exporting to ${type}`;
  }
}
