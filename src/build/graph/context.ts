// What a conversion is given, and what its parts share.

import type { ImageConfig, Platform } from '../../oci/index.ts';
import type { IgnoreRules } from '../../patternmatcher/index.ts';
import type { ArgInstruction } from '../dockerfile/instruction.ts';
import type { Range } from '../dockerfile/source.ts';
import { DockerfileError } from '../dockerfile/source.ts';
import { expand, expandWords } from '../dockerfile/words.ts';
import { lookup, type StageState } from './stage.ts';
import type { Vertex } from './vertex.ts';

/** An image that a FROM or a --from names, found. */
export interface ResolvedImage {
  /** Normalised, with the digest. */
  readonly reference: string;
  readonly digest: string;
  readonly config: ImageConfig;
}

/** A named context (`--build-context NAME=…`) stands before stages and images of that name. */
export type NamedContext =
  | { readonly kind: 'image'; readonly reference: string }
  | { readonly kind: 'local'; readonly context: string }
  | { readonly kind: 'git'; readonly url: string }
  | { readonly kind: 'http'; readonly url: string };

/** A warning of the build checks. */
export interface Warning {
  readonly rule: string;
  readonly message: string;
  readonly range: Range;
}

export interface ConvertOptions {
  /** Name or number of the stage that is wanted; default the last. */
  readonly target?: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  /** Mode of RUNs that name none. */
  readonly network: 'default' | 'none' | 'host';
  readonly insecureAllowed: boolean;
  readonly ignore?: IgnoreRules;
  /** Convert the stages that the target does not need too: for the checks. */
  readonly everyStage?: boolean;
  /** Warnings are added here, also by a conversion that fails. */
  readonly warnings: Warning[];
  /** Finds an image and its config. NotFound in Docker's words. */
  resolveImage(reference: string, platform: Platform, range: Range): Promise<ResolvedImage>;
}

/** A conversion at work. */
export interface Conversion {
  readonly options: ConvertOptions;
  readonly escape: '\\' | '`';
  readonly globalArgs: ReadonlyMap<string, string | undefined>;
  readonly warnings: Warning[];
  /** A finished stage by name or number, a named context, or an image: what --from can mean. */
  source(name: string, stage: StageState, range: Range): Promise<Vertex>;
  /** The build context. */
  readonly mainContext: Vertex;
  declareArg(stage: StageState, instruction: ArgInstruction): void;
}

/** One value with the stage's variables put in. */
export function expandIn(conversion: Conversion, stage: StageState, text: string, range: Range): string {
  return guarded(text, range, () => expand(text, name => lookup(stage, name), expansion(conversion, range, text)));
}

/** The same, as words. */
export function expandWordsIn(conversion: Conversion, stage: StageState, text: string, range: Range): string[] {
  return guarded(text, range, () => expandWords(text, name => lookup(stage, name), expansion(conversion, range, text)));
}

/** Only variables are put in; quotes and escapes stay: texts that a shell reads later, or that people do. */
export function expandRaw(conversion: Conversion, stage: StageState, text: string): string {
  try {
    return expand(text, name => lookup(stage, name), { escape: conversion.escape, rawQuotes: true, rawEscapes: true });
  } catch {
    return text; // for show only
  }
}

function expansion(conversion: Conversion, range: Range, _text: string) {
  return {
    escape: conversion.escape,
    onUnset: (name: string) => {
      conversion.warnings.push({ rule: 'UndefinedVar', message: `Usage of undefined variable '$${name}'`, range });
    },
  };
}

function guarded<T>(text: string, range: Range, run: () => T): T {
  try {
    return run();
  } catch (err) {
    throw new DockerfileError(`failed to process "${text}": ${err instanceof Error ? err.message : err}`, range);
  }
}
