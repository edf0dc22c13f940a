// `-v SOURCE:TARGET:OPTIONS` as a mount request (moby volume/mounts/linux_parser.go).

import type { MountRequest } from '../../../api/index.ts';
import { InvalidArgument } from '../../../errdefs/index.ts';
import { isName } from '../names.ts';

export const propagations = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'] as const;

export interface ParsedBind {
  /** A host path, or '' for a volume. */
  readonly hostPath: string;
  /** A volume's name, '' for an anonymous one or a host path. */
  readonly volume: string;
  readonly target: string;
  readonly mode: string;
  readonly readWrite: boolean;
  readonly noCopy: boolean;
  readonly propagation: string;
}

/** Reads one entry of HostConfig.Binds. */
export function parseBind(text: string): ParsedBind {
  const invalid = () => new InvalidArgument(`invalid volume specification: '${text}'`);
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part, i) => part === '' && i < 2)) throw invalid();
  let source = '';
  let target = parts[0]!;
  let mode = '';
  if (parts.length === 2) {
    // `/target:ro` of an anonymous volume cannot be told from `name:/target` but by its second half being a mode.
    if (isMode(parts[1]!)) throw invalid();
    [source, target] = [parts[0]!, parts[1]!];
  } else if (parts.length === 3) [source, target, mode] = [parts[0]!, parts[1]!, parts[2]!];
  if (mode !== '' && !isMode(mode)) throw new InvalidArgument(`invalid mode: ${mode}`);
  if (!target.startsWith('/')) {
    throw new InvalidArgument(
      `invalid volume specification: '${text}': invalid mount config for type "${source.startsWith('/') ? 'bind' : 'volume'}": invalid mount path: '${target}' mount path must be absolute`,
    );
  }
  const clean = cleanPath(target);
  if (clean === '/')
    throw new InvalidArgument(
      `invalid volume specification: '${text}': invalid mount config for type "${source.startsWith('/') ? 'bind' : 'volume'}": invalid specification: destination can't be '/'`,
    );
  const words = mode.split(',');
  const isPath = source.startsWith('/');
  if (source !== '' && !isPath && !isName(source)) {
    throw new InvalidArgument(
      `invalid volume specification: '${text}': ${JSON.stringify(source)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`.replace(
        /^invalid volume specification: '.*?': /s,
        `create ${source}: `,
      ),
    );
  }
  const propagation = words.find(word => (propagations as readonly string[]).includes(word)) ?? '';
  if (propagation !== '' && !isPath) throw unfit(text, 'volume', 'BindOptions');
  if (words.includes('nocopy') && isPath) throw unfit(text, 'bind', 'VolumeOptions');
  return {
    hostPath: isPath ? cleanPath(source) : '',
    volume: isPath ? '' : source,
    target: clean,
    mode,
    readWrite: !words.includes('ro'),
    noCopy: words.includes('nocopy'),
    propagation: isPath ? (propagation === '' ? 'rprivate' : propagation) : '',
  };
}

/** An option of the other kind of mount. */
const unfit = (text: string, type: string, field: string) =>
  new InvalidArgument(
    `invalid volume specification: '${text}': invalid mount config for type "${type}": field ${field} must not be specified`,
  );

const modeWords = ['ro', 'rw', 'z', 'Z', 'nocopy', 'consistent', 'cached', 'delegated', ...propagations];

/** Each word once, and only one of each kind. */
function isMode(text: string): boolean {
  const words = text.split(',');
  const count = (kind: readonly string[]): number => words.filter(word => kind.includes(word)).length;
  return (
    words.every(word => modeWords.includes(word)) &&
    count(['ro', 'rw']) <= 1 &&
    count(['z', 'Z']) <= 1 &&
    count(propagations) <= 1 &&
    count(['consistent', 'cached', 'delegated']) <= 1
  );
}

/** Go's filepath.Clean for absolute paths. */
export function cleanPath(text: string): string {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The request that a bind stands for, so that one path handles both forms. */
export const asRequest = (bind: ParsedBind): MountRequest => ({
  Type: bind.hostPath === '' ? 'volume' : 'bind',
  Source: bind.hostPath === '' ? bind.volume : bind.hostPath,
  Target: bind.target,
  ReadOnly: !bind.readWrite,
  Consistency: '',
  BindOptions:
    bind.hostPath === ''
      ? undefined
      : {
          Propagation: bind.propagation,
          NonRecursive: false,
          CreateMountpoint: true,
          ReadOnlyNonRecursive: false,
          ReadOnlyForceRecursive: false,
        },
  VolumeOptions:
    bind.hostPath === '' ? { NoCopy: bind.noCopy, Labels: null, Subpath: '', DriverConfig: undefined } : undefined,
  ImageOptions: undefined,
  TmpfsOptions: undefined,
  ClusterOptions: undefined,
});
