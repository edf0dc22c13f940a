// The build graph: what has to be done, as vertices that name their inputs. A vertex is content-addressed: `definition` is all that
// decides its result except the contents of its inputs, so equal ones are done once, in one build or over many.

import { digestOf, type ImageConfig, type Platform } from '../../oci/index.ts';
import type { Range } from '../dockerfile/source.ts';

interface Base {
  /** For progress: `[build 2/5] RUN make`. */
  readonly name: string;
  /** The lines that asked for it, for errors. */
  readonly range?: Range;
  readonly platform?: Platform;
}

/** The file system of an image. */
export interface ImageVertex extends Base {
  readonly kind: 'image';
  /** Normalised reference with the digest it was resolved to. */
  readonly reference: string;
  readonly digest: string;
  readonly config: ImageConfig;
}

/** A directory that the client holds, or that came as a tar: the build context, or a named one. */
export interface LocalVertex extends Base {
  readonly kind: 'local';
  readonly context: string;
}

export interface HttpVertex extends Base {
  readonly kind: 'http';
  readonly url: string;
  readonly checksum?: string;
  readonly fileName: string;
}

export interface GitVertex extends Base {
  readonly kind: 'git';
  readonly remote: string;
  readonly ref: string;
  readonly subdir: string;
  readonly keepGitDir: boolean;
  readonly checksum?: string;
}

/** Files given in the Dockerfile itself. */
export interface InlineVertex extends Base {
  readonly kind: 'inline';
  readonly files: readonly { readonly name: string; readonly content: string }[];
}

/** Something mounted into a RUN. */
export interface ExecMount {
  readonly type: 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
  readonly target: string;
  readonly readOnly: boolean;
  /** Where a bind comes from, or what a cache begins with. */
  readonly input?: Vertex;
  /** Path within the input. */
  readonly source?: string;
  /** Of a cache, a secret, or an ssh agent. */
  readonly id?: string;
  readonly sharing?: 'shared' | 'private' | 'locked';
  readonly required?: boolean;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sizeBytes?: number;
  /** The secret is given as this variable. */
  readonly env?: string;
}

export interface ExecVertex extends Base {
  readonly kind: 'exec';
  /** Absent: an empty root file system. */
  readonly rootfs?: Vertex;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Given to the process, but not part of what it is: proxies. */
  readonly uncachedEnv: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly mounts: readonly ExecMount[];
  readonly network: 'default' | 'none' | 'host';
  readonly insecure: boolean;
}

export type FileAction =
  | {
      readonly action: 'copy';
      readonly from: Vertex;
      /** Paths within `from`, cleaned, absolute there; may hold wildcards. */
      readonly sources: readonly string[];
      readonly destination: string;
      /** `a:b` names or numbers, looked up in the destination. */
      readonly chown?: string;
      readonly chmod?: string;
      readonly exclude: readonly string[];
      readonly parents: boolean;
      /** Archives among the sources are unpacked. */
      readonly unpack: boolean;
      /** A missing source is no error only for wildcards of ADD's heredocs: never set by COPY. */
      readonly mode?: number;
    }
  | { readonly action: 'mkdir'; readonly path: string; readonly mode: number; readonly user: string };

/** Changes of files without running anything: COPY, ADD, WORKDIR. */
export interface FileVertex extends Base {
  readonly kind: 'file';
  readonly base?: Vertex;
  readonly actions: readonly FileAction[];
  /** --link: the layer is made on nothing and then laid over the base, so that it does not depend on it. */
  readonly link: boolean;
}

export type Vertex = ImageVertex | LocalVertex | HttpVertex | GitVertex | InlineVertex | ExecVertex | FileVertex;

/** What a vertex is made from. */
export function inputsOf(vertex: Vertex): Vertex[] {
  switch (vertex.kind) {
    case 'exec':
      return [...optional(vertex.rootfs), ...vertex.mounts.flatMap(mount => optional(mount.input))];
    case 'file':
      return [
        ...optional(vertex.base),
        ...vertex.actions.flatMap(action => (action.action === 'copy' ? [action.from] : [])),
      ];
    default:
      return [];
  }
}

const optional = (vertex: Vertex | undefined): Vertex[] => (vertex === undefined ? [] : [vertex]);

const digests = new WeakMap<Vertex, string>();

/** Digest of the vertex with all below it, as the definition says: the same for equal vertices of different builds. */
export function vertexDigest(vertex: Vertex): string {
  let digest = digests.get(vertex);
  if (digest === undefined) {
    digest = digestOf(JSON.stringify([definition(vertex), inputsOf(vertex).map(vertexDigest)]));
    digests.set(vertex, digest);
  }
  return digest;
}

/** All that decides a vertex's result besides its inputs' contents: no names, no lines, no secrets' values, no proxies. */
export function definition(vertex: Vertex): unknown {
  const platform = vertex.platform ?? null;
  switch (vertex.kind) {
    case 'image':
      return ['image', vertex.digest];
    case 'local':
      return ['local', vertex.context];
    case 'http':
      return ['http', vertex.url, vertex.checksum ?? null, vertex.fileName];
    case 'git':
      return ['git', vertex.remote, vertex.ref, vertex.subdir, vertex.keepGitDir, vertex.checksum ?? null];
    case 'inline':
      return ['inline', vertex.files.map(file => [file.name, file.content])];
    case 'exec':
      return [
        'exec',
        platform,
        vertex.rootfs !== undefined,
        vertex.args,
        vertex.env,
        vertex.cwd,
        vertex.user,
        vertex.network,
        vertex.insecure,
        vertex.mounts.map(({ input, ...mount }) => [mount, input !== undefined]),
      ];
    case 'file':
      return [
        'file',
        vertex.base !== undefined,
        vertex.link,
        vertex.actions.map(action => {
          if (action.action === 'mkdir') return action;
          const { from, ...rest } = action;
          return rest;
        }),
      ];
  }
}
