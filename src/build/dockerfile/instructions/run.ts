import { flagValue, takeFlags } from '../flags.ts';
import { commandForm } from '../forms.ts';
import type { RunInstruction, RunMount } from '../instruction.ts';
import { DockerfileError, nearest, type Range } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** RUN [--mount=…] [--network=…] [--security=…] [--device=…] COMMAND */
export function parseRun(line: InstructionLine): RunInstruction {
  const flags = takeFlags(
    'RUN',
    line.rest,
    { mount: { repeat: true }, network: {}, security: {}, device: { repeat: true } },
    line.range,
  );
  if (flags.rest === '' && line.heredocs.length === 0) {
    throw new DockerfileError('RUN requires at least one argument', line.range);
  }
  const network = oneOf('network', flagValue(flags, 'network'), ['default', 'none', 'host'] as const, line.range);
  const security = oneOf('security', flagValue(flags, 'security'), ['sandbox', 'insecure'] as const, line.range);
  return {
    kind: 'RUN',
    ...base(line),
    command: commandForm(flags.rest),
    heredocs: line.heredocs,
    mounts: (flags.values.get('mount') ?? []).map(text => parseMount(text!, line.range)),
    devices: (flags.values.get('device') ?? []).map(text => text!),
    ...(network !== undefined && { network }),
    ...(security !== undefined && { security }),
  };
}

function oneOf<T extends string>(
  flag: string,
  value: string | undefined,
  known: readonly T[],
  range: Range,
): T | undefined {
  if (value === undefined || known.includes(value as T)) return value as T | undefined;
  throw new DockerfileError(`invalid ${flag} mode: ${value} (want ${known.join(', ')})`, range);
}

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
const sharings = ['shared', 'private', 'locked'] as const;
const keys = [
  'type',
  'from',
  'source',
  'src',
  'target',
  'dst',
  'destination',
  'readonly',
  'ro',
  'readwrite',
  'rw',
  'id',
  'sharing',
  'required',
  'size',
  'mode',
  'uid',
  'gid',
  'env',
];

/** The comma-separated key=value list of --mount. Variables in it are expanded later; keys and flags are checked now. */
function parseMount(text: string, range: Range): RunMount {
  const mount: { -readonly [K in keyof RunMount]: RunMount[K] } = { type: 'bind' };
  const fail = (message: string): never => {
    throw new DockerfileError(message, range);
  };
  for (const field of csv(text)) {
    const equals = field.indexOf('=');
    const key = (equals === -1 ? field : field.slice(0, equals)).toLowerCase();
    const value = equals === -1 ? undefined : field.slice(equals + 1);
    const flag = (): boolean => {
      if (value === undefined || /^(1|t|true)$/i.test(value)) return true;
      if (/^(0|f|false)$/i.test(value)) return false;
      return fail(`invalid value for ${key}: ${value}`);
    };
    if (!keys.includes(key)) {
      const close = nearest(key, keys);
      fail(`unexpected key '${key}' in '${field}'${close === undefined ? '' : ` (did you mean ${close}?)`}`);
    }
    if (value === undefined && !/^(readonly|ro|readwrite|rw|required)$/.test(key)) {
      fail(`invalid field '${field}' must be a key=value pair`);
    }
    switch (key) {
      case 'type': {
        const type = mountTypes.find(known => known === value!.toLowerCase());
        if (type === undefined) return fail(`unsupported mount type "${value}"`);
        mount.type = type;
        break;
      }
      case 'from':
        mount.from = value!;
        break;
      case 'source':
      case 'src':
        mount.source = value!;
        break;
      case 'target':
      case 'dst':
      case 'destination':
        mount.target = value!;
        break;
      case 'readonly':
      case 'ro':
        mount.readOnly = flag();
        break;
      case 'readwrite':
      case 'rw':
        mount.readOnly = !flag();
        break;
      case 'id':
        mount.id = value!;
        break;
      case 'required':
        mount.required = flag();
        break;
      case 'mode':
        mount.mode = value!;
        break;
      case 'uid':
        mount.uid = value!;
        break;
      case 'gid':
        mount.gid = value!;
        break;
      case 'env':
        mount.env = value!;
        break;
      case 'size':
        mount.sizeBytes = sizeBytes(value!) ?? fail(`invalid size: '${value}'`);
        break;
      case 'sharing': {
        const sharing = sharings.find(known => known === value!.toLowerCase());
        if (sharing === undefined) return fail(`unsupported sharing value "${value}"`);
        mount.sharing = sharing;
        break;
      }
    }
  }
  if (mount.type === 'tmpfs' && mount.from !== undefined) fail('tmpfs mount should not have a from');
  if (mount.type === 'bind' || mount.type === 'cache' || mount.type === 'tmpfs') {
    if (mount.target === undefined) fail('target required for mount');
  }
  if (mount.type === 'secret' && mount.id === undefined && mount.target === undefined && mount.source === undefined) {
    fail(`invalid secret mount. one of source, target required`);
  }
  return mount;
}

/** Fields of one CSV record: commas inside double quotes do not count. */
function csv(text: string): string[] {
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '"') {
      if (quoted && text[i + 1] === '"') field += text[++i];
      else quoted = !quoted;
    } else if (c === ',' && !quoted) {
      fields.push(field);
      field = '';
    } else field += c;
  }
  fields.push(field);
  return fields;
}

/** `64m`, `1g`, `1048576`; binary units. */
function sizeBytes(text: string): number | undefined {
  const match = text.match(/^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i);
  if (match === null) return undefined;
  const exponent = ['', 'k', 'm', 'g', 't'].indexOf(match[2]!.toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** exponent);
}
