// COPY and ADD: a vertex that changes files.

import { posix } from 'node:path';
import type { AddInstruction, CopyInstruction } from '../../dockerfile/instruction.ts';
import { DockerfileError } from '../../dockerfile/source.ts';
import { type Conversion, expandIn, expandRaw } from '../context.ts';
import { addHistory, type StageState, stepName } from '../stage.ts';
import type { FileAction, FileVertex, Vertex } from '../vertex.ts';

export async function transfer(
  conversion: Conversion,
  stage: StageState,
  instruction: CopyInstruction | AddInstruction,
): Promise<void> {
  const { range } = instruction;
  const value = (text: string): string => expandIn(conversion, stage, text, range);
  const sources = instruction.sources.map(value);
  const chown = instruction.chown === undefined ? undefined : value(instruction.chown);
  const chmod = instruction.chmod === undefined ? undefined : value(instruction.chmod);
  if (chmod !== undefined && !/^(0?[0-7]{3,4}|[ugoa]*[-+=][rwxXst]*(,[ugoa]*[-+=][rwxXst]*)*)$/.test(chmod)) {
    throw new DockerfileError(
      `invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`,
      range,
    );
  }
  const exclude = instruction.exclude.map(value);
  const destination = destinationOf(stage, value(instruction.destination));
  const common = {
    action: 'copy' as const,
    destination,
    exclude,
    ...(chown !== undefined && { chown }),
    ...(chmod !== undefined && { chmod }),
  };
  const actions: FileAction[] = [];

  if (instruction.kind === 'COPY') {
    const from =
      instruction.from === undefined
        ? conversion.mainContext
        : await conversion.source(value(instruction.from), stage, range);
    if (instruction.from === undefined) warnIgnored(conversion, sources, instruction);
    if (sources.length > 0) {
      actions.push({
        ...common,
        from,
        sources: sources.map(source => clean(source, instruction.parents)),
        parents: instruction.parents,
        unpack: false,
      });
    }
  } else {
    const local: string[] = [];
    for (const source of sources) {
      const remote = remoteSource(source, instruction, value);
      if (remote === undefined) local.push(source);
      else {
        actions.push({
          ...common,
          from: remote,
          sources: ['/'],
          parents: false,
          unpack: remote.kind === 'http' && instruction.unpack === true,
          ...(remote.kind === 'http' && { mode: 0o600 }),
        });
      }
    }
    if (local.length > 0) {
      if (instruction.checksum !== undefined) {
        throw new DockerfileError("checksum can't be specified for local sources", range);
      }
      warnIgnored(conversion, local, instruction);
      actions.push({
        ...common,
        from: conversion.mainContext,
        sources: local.map(source => clean(source, false)),
        parents: false,
        unpack: instruction.unpack ?? true,
      });
    }
  }
  if (instruction.heredocs.length > 0) {
    actions.push({
      ...common,
      from: {
        kind: 'inline',
        name: 'preparing inline document',
        files: instruction.heredocs.map(doc => ({
          name: doc.name,
          content: doc.expand ? expandIn(conversion, stage, doc.content, range) : doc.content,
        })),
      },
      sources: instruction.heredocs.map(doc => `/${doc.name}`),
      parents: false,
      unpack: false,
      mode: 0o644,
    });
  }

  const vertex: FileVertex = {
    kind: 'file',
    name: stepName(stage, expandRaw(conversion, stage, instruction.original)),
    range,
    platform: stage.platform,
    ...(stage.rootfs !== undefined && { base: stage.rootfs }),
    actions,
    link: instruction.link,
  };
  stage.rootfs = vertex;
  const flags = `${chown === undefined ? '' : ` --chown=${chown}`}${chmod === undefined ? '' : ` --chmod=${chmod}`}`;
  const shownSources = [...sources, ...instruction.heredocs.map(doc => `<<${doc.name}`)];
  addHistory(
    stage,
    `${instruction.kind}${flags} ${[...shownSources, value(instruction.destination)].join(' ')} # buildkit`,
    true,
  );
}

/** Absolute; a trailing slash stays, for it says that this is a directory. */
function destinationOf(stage: StageState, text: string): string {
  const absolute = posix.resolve('/', stage.config.WorkingDir || '/', text);
  return /(^|\/)\.?$/.test(text) && absolute !== '/' ? `${absolute}/` : absolute;
}

/** Within the source's root: `..` cannot leave it. With --parents the `/./` that marks the pivot stays. */
function clean(source: string, parents: boolean): string {
  if (parents && source.includes('/./')) {
    const [before, ...after] = source.split('/./');
    return `${posix.resolve('/', before!)}/./${after.join('/')}`.replace('//./', '/./');
  }
  return posix.resolve('/', source);
}

function warnIgnored(
  conversion: Conversion,
  sources: readonly string[],
  instruction: CopyInstruction | AddInstruction,
): void {
  const { ignore } = conversion.options;
  for (const source of sources) {
    const path = clean(source, false).slice(1);
    if (ignore !== undefined && path !== '' && !/[*?[]/.test(path) && ignore.ignores(path)) {
      conversion.warnings.push({
        rule: 'CopyIgnoredFile',
        message: `Attempting to ${instruction.kind === 'COPY' ? 'Copy' : 'Add'} file "${source}" that is excluded by .dockerignore`,
        range: instruction.range,
      });
    }
  }
}

/** What ADD fetches: a git repository or a URL; undefined for a path of the context. */
function remoteSource(
  source: string,
  instruction: AddInstruction,
  value: (text: string) => string,
): Vertex | undefined {
  const { range } = instruction;
  const checksum = instruction.checksum === undefined ? undefined : value(instruction.checksum);
  const isGit = /^(git@|git:\/\/|ssh:\/\/)/.test(source) || /^https?:\/\/[^#?]+\.git(#|\?|$)/.test(source);
  if (isGit) {
    const [remote, fragment = ''] = source.split('#');
    const [ref = '', subdir = ''] = fragment.split(':');
    return {
      kind: 'git',
      name: `[internal] ${source}`,
      range,
      remote: remote!,
      ref,
      subdir,
      keepGitDir: instruction.keepGitDir,
      ...(checksum !== undefined && { checksum }),
    };
  }
  if (!/^https?:\/\//.test(source)) return undefined;
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    throw new DockerfileError(`invalid checksum digest: "${checksum}"`, range);
  }
  let name: string;
  try {
    name = decodeURIComponent(posix.basename(new URL(source).pathname));
  } catch (cause) {
    throw new DockerfileError(`cannot read the URL "${source}"`, range, { cause });
  }
  if (name === '' || name === '/') throw new DockerfileError(`cannot determine filename from url: ${source}`, range);
  return {
    kind: 'http',
    name: `[internal] ${source}`,
    range,
    url: source,
    fileName: name,
    ...(checksum !== undefined && { checksum }),
  };
}
