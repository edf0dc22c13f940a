// Request bodies become typed values here, with the manners of Go's decoder that clients rely on: keys match in any case,
// null leaves the default, unknown fields are ignored, and a wrong type is refused by field and Go type name.
//
// The marks without effect on us tell the bundler that a shape nobody uses may go: the client's bundle has none of them.

import { InvalidArgument } from '../errdefs/index.ts';
import { jsonProblem } from './json-syntax.ts';

/** How to read one JSON value. `zero` is what an absent or null one becomes: Go's zero value. */
export interface Shape<T> {
  /** Go's name of the type, for messages. */
  readonly goType: string;
  zero(): T;
  /** `path` names the place in messages, such as ".HostConfig.Memory". */
  decode(value: unknown, path: string): T;
}

/** The type of the values that a shape reads. */
export type Decoded<S> = S extends Shape<infer T> ? T : never;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

function mismatch(value: unknown, path: string, goType: string, detail = ''): never {
  const into = path === '' ? 'Go value' : `Go struct field ${path}`;
  throw new InvalidArgument(`json: cannot unmarshal ${kindOf(value)}${detail} into ${into} of type ${goType}`);
}

/* @__NO_SIDE_EFFECTS__ */
function scalar<T>(goType: string, kind: string, zero: T): Shape<T> {
  return {
    goType,
    zero: () => zero,
    decode: (value, path) => (typeof value === kind ? (value as T) : mismatch(value, path, goType)),
  };
}

export const text = /* @__NO_SIDE_EFFECTS__ */ (goType = 'string'): Shape<string> => scalar(goType, 'string', '');
export const bool = /* @__NO_SIDE_EFFECTS__ */ (): Shape<boolean> => scalar('bool', 'boolean', false);
export const float = /* @__NO_SIDE_EFFECTS__ */ (): Shape<number> => scalar('float64', 'number', 0);

/** An integer of Go's `goType`. Values beyond 2^53 lose their last digits; beyond 64 bits they are refused. */
/* @__NO_SIDE_EFFECTS__ */
export function int(goType = 'int64'): Shape<number> {
  const unsigned = goType.startsWith('uint');
  return {
    goType,
    zero: () => 0,
    decode: (value, path) => {
      if (typeof value !== 'number') return mismatch(value, path, goType);
      const inRange = unsigned ? value >= 0 && value <= 2 ** 64 : Math.abs(value) <= 2 ** 63;
      if (!Number.isInteger(value) || !inRange) {
        const digits = Number.isInteger(value) && Math.abs(value) < 1e40 ? BigInt(value).toString() : String(value);
        return mismatch(value, path, goType, ` ${digits}`);
      }
      return value;
    },
  };
}

/** A slice; absent is null, as Go's nil slice prints. */
/* @__NO_SIDE_EFFECTS__ */
export function list<T>(element: Shape<T>): Shape<readonly T[] | null> {
  const goType = `[]${element.goType}`;
  return {
    goType,
    zero: () => null,
    decode: (value, path) => {
      if (!Array.isArray(value)) return mismatch(value, path, goType);
      return value.map((item, i) =>
        item === null || item === undefined ? element.zero() : element.decode(item, `${path}.${i}`),
      );
    },
  };
}

/** A map with string keys; absent is null, as Go's nil map prints. */
/* @__NO_SIDE_EFFECTS__ */
export function dict<T>(element: Shape<T>, keyType = 'string'): Shape<Readonly<Record<string, T>> | null> {
  const goType = `map[${keyType}]${element.goType}`;
  return {
    goType,
    zero: () => null,
    decode: (value, path) => {
      if (kindOf(value) !== 'object') return mismatch(value, path, goType);
      // fromEntries defines own properties, so that a key "__proto__" is only a key.
      return Object.fromEntries(
        Object.entries(value as object).map(([key, item]) => [
          key,
          item === null
            ? element.zero()
            : element.decode(item, `${path}.${key.replace(/~/g, '~0').replace(/\//g, '~1')}`),
        ]),
      );
    },
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type StructOf<F extends Fields> = { readonly [K in keyof F]: Decoded<F[K]> };

/** An object with known fields, spelled as we spell them whatever case they came in; the rest is ignored. */
/* @__NO_SIDE_EFFECTS__ */
export function struct<F extends Fields>(goType: string, fields: F): Shape<StructOf<F>> {
  const names = Object.keys(fields);
  const byLowerCase = new Map(names.map(name => [name.toLowerCase(), name]));
  const zero = (): Record<string, unknown> => {
    const out: Record<string, unknown> = {};
    for (const name of names) out[name] = fields[name]!.zero();
    return out;
  };
  return {
    goType,
    zero: () => zero() as StructOf<F>,
    decode: (value, path) => {
      if (kindOf(value) !== 'object') return mismatch(value, path, goType);
      const out = zero();
      for (const [key, item] of Object.entries(value as object)) {
        const name = byLowerCase.get(key.toLowerCase());
        if (name === undefined || item === null) continue;
        out[name] = fields[name]!.decode(item, `${path}.${name}`);
      }
      return out as StructOf<F>;
    },
  };
}

/** A pointer that is left out of JSON when it is nil (`omitempty`): absent is undefined. */
/* @__NO_SIDE_EFFECTS__ */
export function optional<T>(element: Shape<T>): Shape<T | undefined> {
  return { goType: element.goType, zero: () => undefined, decode: element.decode };
}

/** A pointer that prints as null when it is nil. */
/* @__NO_SIDE_EFFECTS__ */
export function nullable<T>(element: Shape<T>): Shape<T | null> {
  return { goType: element.goType, zero: () => null, decode: element.decode };
}

/** Go's strslice: an array of strings, or one string that stands for an array of one. */
/* @__NO_SIDE_EFFECTS__ */
export function textOrList(): Shape<readonly string[] | null> {
  const array = list(text());
  return {
    goType: 'strslice.StrSlice',
    zero: () => null,
    decode: (value, path) => {
      if (typeof value === 'string') return [value];
      // Go decodes this type by a method of its own, which has lost the path.
      return Array.isArray(value) ? array.decode(value, path) : mismatch(value, '', 'string');
    },
  };
}

/** The set that Go writes as map[...]struct{}. */
export const emptyStruct = /* @__NO_SIDE_EFFECTS__ */ (): Shape<Record<never, never>> => struct('struct {}', {});

/** Any JSON, unchecked. */
export const anything = /* @__NO_SIDE_EFFECTS__ */ (): Shape<unknown> => ({
  goType: 'interface {}',
  zero: () => undefined,
  decode: value => value,
});

/** Parses JSON, or throws InvalidArgument in the engine's words. */
export function parseJson(json: string): unknown {
  if (json.trim() === '') throw new InvalidArgument('invalid JSON: got EOF while reading request body');
  try {
    return JSON.parse(json);
  } catch (cause) {
    const problem = jsonProblem(json);
    if (problem?.kind === 'trailing') throw new InvalidArgument(problem.message);
    throw new InvalidArgument(`invalid JSON: ${problem?.message ?? (cause as Error).message}`);
  }
}

/** Reads a request body. `root` is how Go's message begins the path for this body ("" or "CreateRequest"). */
export function decodeBody<T>(shape: Shape<T>, json: string, root = ''): T {
  const value = parseJson(json);
  if (value === null) return shape.zero();
  try {
    if (kindOf(value) !== 'object' && !Array.isArray(value)) return mismatchRoot(value, shape.goType);
    return Array.isArray(value) && !shape.goType.startsWith('[]')
      ? mismatchRoot(value, shape.goType)
      : shape.decode(value, root);
  } catch (err) {
    if (err instanceof InvalidArgument) throw new InvalidArgument(`invalid JSON: ${err.message}`);
    throw err;
  }
}

const mismatchRoot = (value: unknown, goType: string): never => mismatch(value, '', goType);
