// Answers to questions about a Dockerfile (buildkit frontend/subrequests): each as JSON for programs and as text for people.

import {
  type BuildOptions,
  type Checked,
  checkRules,
  parseDockerfile,
  type Range,
  rangeOf,
  ruleUrl,
} from '../../../build/index.ts';

export type Answer = Record<string, Buffer>;

const answer = (value: unknown, text: string, version: string, status = '0'): Answer => ({
  'result.json': Buffer.from(JSON.stringify(value, undefined, 2)),
  'result.txt': Buffer.from(text),
  'result.statuscode': Buffer.from(status),
  version: Buffer.from(version),
});

const location = ({ start, end }: Range) => ({ ranges: [{ start: { line: start }, end: { line: end } }] });

export function lintAnswer({ warnings, error }: Checked, dockerfile: { name: string; text: string }): Answer {
  const range = rangeOf(error);
  const value = {
    warnings: warnings.map(({ rule, message, range: where }) => ({
      ruleName: rule,
      description: checkRules[rule] ?? '',
      url: ruleUrl(rule),
      detail: message,
      location: location(where),
    })),
    sources: [
      { filename: dockerfile.name, data: Buffer.from(dockerfile.text).toString('base64'), language: 'Dockerfile' },
    ],
    ...(error !== undefined && {
      buildError: { message: error.message, ...(range !== undefined && { location: location(range) }) },
    }),
  };
  const text = warnings
    .map(({ rule, message, range: where }) => `${rule}: ${message} (line ${where.start})\n`)
    .join('');
  return answer(value, text, '1.0.0', error !== undefined || warnings.length > 0 ? '1' : '0');
}

export function targetsAnswer(text: string): Answer {
  const { stages } = parseDockerfile(text);
  const targets = stages.map(({ from }, i) => ({
    ...(from.name !== undefined && { name: from.name }),
    ...(i === stages.length - 1 && { default: true }),
    base: from.image,
    ...(from.platform !== undefined && { platform: from.platform }),
    location: location(from.range),
  }));
  const lines = targets.map(target => `${target.name ?? '(default)'}\n`).join('');
  return answer({ targets, sources: [Buffer.from(text).toString('base64')] }, `TARGET\n${lines}`, '1.0.0');
}

/** The arguments and secrets of the stages that the target is made of. */
export function outlineAnswer(text: string, build: BuildOptions): Answer {
  const { stages, globalArgs } = parseDockerfile(text);
  const target = stages.findLastIndex(
    ({ from }, i) =>
      build.target === undefined || from.name === build.target.toLowerCase() || String(i) === build.target,
  );
  const needed = new Set<number>();
  const need = (index: number): void => {
    const stage = stages[index];
    if (stage === undefined || needed.has(index)) return;
    needed.add(index);
    const sources = stage.instructions.flatMap(instruction =>
      instruction.kind === 'COPY'
        ? [instruction.from]
        : instruction.kind === 'RUN'
          ? instruction.mounts.map(mount => mount.from)
          : [],
    );
    for (const name of [stage.from.image, ...sources]) {
      const at = stages.slice(0, index).findLastIndex(({ from }, i) => name === from.name || name === String(i));
      if (at !== -1) need(at);
    }
  };
  need(target);
  const inTarget = [...needed].sort((a, b) => a - b).flatMap(i => stages[i]!.instructions);
  const bases = [...needed].map(i => `${stages[i]!.from.image} ${stages[i]!.from.platform ?? ''}`).join(' ');
  const used = globalArgs.filter(({ args }) => args.some(({ key }) => new RegExp(`\\$\\{?${key}\\b`).test(bases)));
  const args = [...used, ...inTarget.filter(instruction => instruction.kind === 'ARG')].flatMap(instruction =>
    instruction.args.map(({ key, value }) => ({
      name: key,
      value: build.buildArgs.get(key) ?? value ?? '',
      location: location(instruction.range),
    })),
  );
  const secrets = inTarget
    .filter(instruction => instruction.kind === 'RUN')
    .flatMap(instruction =>
      instruction.mounts
        .filter(mount => mount.type === 'secret')
        .map(mount => ({
          name: mount.id ?? mount.target ?? '',
          ...(mount.required && { required: true }),
          location: location(instruction.range),
        })),
    );
  const { from } = stages[target]!;
  const value = {
    ...(from.name !== undefined && { name: from.name }),
    args,
    ...(secrets.length > 0 && { secrets }),
    sources: [Buffer.from(text).toString('base64')],
  };
  const table = args.map(({ name, value: text }) => `${name}\t${text}\n`).join('');
  return answer(value, `BUILD ARG\tVALUE\n${table}`, '1.0.0');
}

export function describeAnswer(): Answer {
  const metadata = [{ name: 'result.json' }, { name: 'result.txt' }];
  const request = (name: string, description: string) => ({
    Name: name,
    Version: '1.0.0',
    Type: 'rpc',
    Description: description,
    Opts: null,
    Metadata: metadata,
    Refs: null,
  });
  const requests = [
    request('frontend.lint', 'Lint a Dockerfile'),
    request('frontend.outline', 'List all parameters current build target supports'),
    request('frontend.targets', 'List all targets current build supports'),
    request('frontend.subrequests.describe', 'List available subrequest types'),
  ];
  return answer(requests, requests.map(({ Name }) => `${Name}\n`).join(''), '1.0.0');
}
