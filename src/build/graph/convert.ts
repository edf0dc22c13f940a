// Dockerfile → graph. Stages that the target does not need are never looked at.

import { InvalidArgument } from '../../errdefs/index.ts';
import { formatPlatform, type ImageConfig, type Platform, parsePlatform } from '../../oci/index.ts';
import type { ArgInstruction, StageInstruction } from '../dockerfile/instruction.ts';
import { type Dockerfile, parseInstruction, type Stage } from '../dockerfile/parse.ts';
import { DockerfileError, nearest, type Range } from '../dockerfile/source.ts';
import { expand } from '../dockerfile/words.ts';
import type { Conversion, ConvertOptions, NamedContext, Warning } from './context.ts';
import { arg, command, env, expose, healthcheck, label, onbuild, shell, text, volume } from './dispatch/config.ts';
import { run } from './dispatch/run.ts';
import { transfer } from './dispatch/transfer.ts';
import { workdir } from './dispatch/workdir.ts';
import { lookup, type StageState, stepName } from './stage.ts';
import type { Vertex } from './vertex.ts';

/** What a Dockerfile comes to: the vertex whose file system is the image's, and the image's config without its layers. */
export interface Conversed {
  /** Undefined: the image is empty (FROM scratch and nothing else). */
  readonly result: Vertex | undefined;
  readonly config: Omit<ImageConfig, 'rootfs'>;
  readonly warnings: readonly Warning[];
  /** All instructions that have part in it, in the order of the file. */
  readonly steps: readonly Step[];
}

/** An instruction and what it came to. */
export interface Step {
  readonly text: string;
  readonly stage: number;
  /** Undefined where it only changes the config. */
  readonly vertex: Vertex | undefined;
}

/** Converts the stage that `options.target` names with all that it needs. Throws DockerfileError and what resolveImage throws. */
export async function convert(dockerfile: Dockerfile, options: ConvertOptions): Promise<Conversed> {
  return new Converter(dockerfile, options).convert();
}

class Converter implements Conversion {
  readonly options: ConvertOptions;
  readonly escape: '\\' | '`';
  readonly globalArgs = new Map<string, string | undefined>();
  readonly warnings: Warning[];
  readonly mainContext: Vertex = { kind: 'local', name: '[internal] load build context', context: 'context' };
  readonly #stages: readonly Stage[];
  /** Stages under way or done, by number: each is converted once. */
  readonly #done = new Map<number, Promise<StageState>>();
  readonly #steps: Step[] = [];
  readonly #images = new Map<string, Promise<Vertex & { kind: 'image' }>>();

  constructor(dockerfile: Dockerfile, options: ConvertOptions) {
    this.options = options;
    this.warnings = options.warnings;
    this.escape = dockerfile.directives.escape;
    this.#stages = dockerfile.stages;
    for (const [key, value] of Object.entries(this.#platformArgs())) this.globalArgs.set(key, value);
    for (const instruction of dockerfile.globalArgs) {
      for (const { key, value } of instruction.args) {
        const given = options.buildArgs.get(key);
        this.globalArgs.set(
          key,
          given ?? (value === undefined ? this.globalArgs.get(key) : this.#expandGlobal(value, instruction.range)),
        );
      }
    }
  }

  async convert(): Promise<Conversed> {
    const index = this.#targetIndex();
    const stage = await this.#stage(index);
    if (this.options.everyStage) for (const other of this.#stages.keys()) await this.#stage(other);
    const labels = { ...stage.config.Labels, ...this.options.labels };
    const { os, architecture, variant } = stage.platform;
    return {
      result: stage.rootfs,
      warnings: this.warnings,
      steps: this.#steps.toSorted((a, b) => a.stage - b.stage),
      config: {
        os,
        architecture,
        ...(variant !== undefined && { variant }),
        ...(stage.author !== undefined && { author: stage.author }),
        config: { ...stage.config, ...(Object.keys(labels).length > 0 && { Labels: labels }) },
        history: stage.history,
      },
    };
  }

  #platformArgs(): Record<string, string> {
    const { buildPlatform, targetPlatform, target } = this.options;
    const of = (prefix: string, platform: Platform): Record<string, string> => ({
      [`${prefix}PLATFORM`]: formatPlatform(platform),
      [`${prefix}OS`]: platform.os,
      [`${prefix}ARCH`]: platform.architecture,
      [`${prefix}VARIANT`]: platform.variant ?? '',
    });
    return { ...of('BUILD', buildPlatform), ...of('TARGET', targetPlatform), TARGETSTAGE: target ?? 'default' };
  }

  #expandGlobal(value: string, range: Range): string {
    try {
      return expand(value, name => this.globalArgs.get(name), { escape: this.escape });
    } catch (cause) {
      throw new DockerfileError(`failed to process "${value}": ${(cause as Error).message}`, range, { cause });
    }
  }

  #targetIndex(): number {
    const { target } = this.options;
    if (target === undefined || target === '') return this.#stages.length - 1;
    const index = this.#find(target, this.#stages.length);
    if (index === undefined) {
      const close = nearest(
        target,
        this.#stages.flatMap(stage => stage.from.name ?? []),
      );
      throw new InvalidArgument(
        `target stage "${target}" could not be found${close === undefined ? '' : ` (did you mean ${close}?)`}`,
      );
    }
    return index;
  }

  /** Number of the stage called `name` among the first `before`; later ones of one name hide earlier ones. */
  #find(name: string, before: number): number | undefined {
    const byName = this.#stages.slice(0, before).findLastIndex(stage => stage.from.name === name.toLowerCase());
    if (byName !== -1) return byName;
    return /^\d+$/.test(name) && Number(name) < before ? Number(name) : undefined;
  }

  #stage(index: number): Promise<StageState> {
    let done = this.#done.get(index);
    if (done === undefined) {
      done = this.#convertStage(index);
      this.#done.set(index, done);
    }
    return done;
  }

  async #convertStage(index: number): Promise<StageState> {
    const { from, instructions } = this.#stages[index]!;
    const image = this.#expandGlobal(from.image, from.range);
    if (image === '') throw new DockerfileError(`base name (${from.image}) should not be blank`, from.range);
    const platform =
      from.platform === undefined
        ? this.options.targetPlatform
        : platformOf(this.#expandGlobal(from.platform, from.range), from.range);
    const name = this.#stages.length === 1 ? '' : (from.name ?? `stage-${index}`);
    const stage: StageState = {
      name,
      index,
      platform,
      rootfs: undefined,
      config: {},
      author: undefined,
      history: [],
      args: new Map(),
      cmdSet: false,
      step: 1,
      steps: 1,
    };
    const triggers = await this.#base(stage, image, index, from.range);
    const all: StageInstruction[] = [...triggers, ...instructions];
    stage.steps = 1 + all.filter(makesVertex).length;
    if (stage.rootfs?.kind === 'image') {
      stage.rootfs = { ...stage.rootfs, name: stepName(stage, `FROM ${stage.rootfs.reference}`) };
    }
    this.#steps.push({ text: from.original, stage: index, vertex: stage.rootfs });
    for (const instruction of all) {
      if (makesVertex(instruction)) stage.step++;
      const before = stage.rootfs;
      await this.#dispatch(stage, instruction);
      this.#steps.push({
        text: instruction.original,
        stage: index,
        vertex: stage.rootfs === before ? undefined : stage.rootfs,
      });
    }
    return stage;
  }

  /** Sets what the stage begins with; gives back the ONBUILD triggers of its base. */
  async #base(stage: StageState, image: string, index: number, range: Range): Promise<StageInstruction[]> {
    const context = this.options.namedContexts.get(image.toLowerCase());
    const earlier =
      context === undefined ? this.#stages.slice(0, index).findLastIndex(other => other.from.name === image) : -1;
    let config: ImageConfig['config'];
    if (earlier !== -1) {
      const base = await this.#stage(earlier);
      stage.rootfs = base.rootfs;
      stage.author = base.author;
      stage.history.push(...base.history);
      for (const [key, value] of base.args) stage.args.set(key, value);
      config = base.config;
    } else if (context === undefined && image === 'scratch') config = scratchConfig;
    else if (context !== undefined && context.kind !== 'image') stage.rootfs = contextVertex(image, context, range);
    else {
      const vertex = await this.#image(context?.kind === 'image' ? context.reference : image, stage.platform, range);
      stage.rootfs = vertex;
      stage.author = vertex.config.author;
      stage.history.push(...(vertex.config.history ?? []));
      config = vertex.config.config ?? {};
    }
    const { OnBuild: onBuild, ...rest } = config ?? {};
    stage.config = rest;
    return (onBuild ?? []).map(trigger => {
      try {
        return parseInstruction(trigger);
      } catch (cause) {
        throw new DockerfileError(`ONBUILD trigger of ${image}: ${(cause as Error).message}`, range, { cause });
      }
    });
  }

  async source(name: string, stage: StageState, range: Range): Promise<Vertex> {
    const context = this.options.namedContexts.get(name.toLowerCase());
    if (context?.kind === 'image') return this.#image(context.reference, stage.platform, range);
    if (context !== undefined) return contextVertex(name, context, range);
    const index = this.#find(name, stage.index);
    if (index !== undefined) {
      const other = await this.#stage(index);
      return other.rootfs ?? { kind: 'inline', name: 'empty stage', files: [] };
    }
    if (this.#stages.some((other, i) => i === stage.index && other.from.name === name.toLowerCase())) {
      throw new DockerfileError(`circular dependency detected on stage: ${name}`, range);
    }
    if (name === 'scratch') return { kind: 'inline', name: 'scratch', files: [] };
    return this.#image(name, stage.platform, range);
  }

  #image(reference: string, platform: Platform, range: Range): Promise<Vertex & { kind: 'image' }> {
    const key = `${reference} ${formatPlatform(platform)}`;
    let found = this.#images.get(key);
    if (found === undefined) {
      found = this.options.resolveImage(reference, platform, range).then(resolved => ({
        kind: 'image',
        name: `FROM ${resolved.reference}`,
        range,
        platform,
        ...resolved,
      }));
      this.#images.set(key, found);
    }
    return found;
  }

  declareArg(stage: StageState, instruction: ArgInstruction): void {
    for (const { key, value } of instruction.args) {
      const given = this.options.buildArgs.get(key);
      if (given !== undefined) stage.args.set(key, given);
      else if (value !== undefined) {
        try {
          stage.args.set(
            key,
            expand(value, name => lookup(stage, name), { escape: this.escape }),
          );
        } catch (cause) {
          throw new DockerfileError((cause as Error).message, instruction.range, { cause });
        }
      } else if (this.globalArgs.get(key) !== undefined) stage.args.set(key, this.globalArgs.get(key));
      else if (!stage.args.has(key)) stage.args.set(key, undefined);
    }
  }

  #dispatch(stage: StageState, instruction: StageInstruction): Promise<void> | void {
    switch (instruction.kind) {
      case 'RUN':
        return run(this, stage, instruction);
      case 'COPY':
      case 'ADD':
        return transfer(this, stage, instruction);
      case 'WORKDIR':
        return workdir(this, stage, instruction as typeof instruction & { kind: 'WORKDIR' });
      case 'ENV':
        return env(this, stage, instruction);
      case 'LABEL':
        return label(this, stage, instruction);
      case 'ARG':
        return arg(this, stage, instruction);
      case 'EXPOSE':
        return expose(this, stage, instruction);
      case 'CMD':
      case 'ENTRYPOINT':
        return command(this, stage, instruction);
      case 'SHELL':
        return shell(this, stage, instruction);
      case 'HEALTHCHECK':
        return healthcheck(this, stage, instruction);
      case 'VOLUME':
        return volume(this, stage, instruction);
      case 'ONBUILD':
        return onbuild(this, stage, instruction);
      default:
        return text(this, stage, instruction);
    }
  }
}

/** What FROM scratch begins with. */
const scratchConfig = {
  Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  WorkingDir: '/',
};

const makesVertex = ({ kind }: StageInstruction): boolean =>
  kind === 'RUN' || kind === 'COPY' || kind === 'ADD' || kind === 'WORKDIR';

function contextVertex(name: string, context: Exclude<NamedContext, { kind: 'image' }>, range: Range): Vertex {
  const common = { name: `[context ${name}]`, range };
  switch (context.kind) {
    case 'local':
      return { kind: 'local', ...common, context: context.context };
    case 'http':
      return { kind: 'http', ...common, url: context.url, fileName: 'context' };
    case 'git': {
      const [remote, fragment = ''] = context.url.split('#');
      const [ref = '', subdir = ''] = fragment.split(':');
      return { kind: 'git', ...common, remote: remote!, ref, subdir, keepGitDir: false };
    }
  }
}

function platformOf(text: string, range: Range): Platform {
  try {
    return parsePlatform(text);
  } catch (cause) {
    throw new DockerfileError(`failed to parse platform ${text}: ${(cause as Error).message}`, range, { cause });
  }
}
