// A scenario is a transcript: commands as a person types them, each followed by what the real Docker answered (recorded with
// `bin/node test/differential/record.ts`). Replaying it on our engine must give the same, after normalising what differs by nature.
//
//     $ docker run --rm busybox sh -c 'echo hi; exit 3'
//     hi
//     [3]
//
// `[n]` is the exit code, left out when 0; lines of stderr begin with `! `. `# text` before a command is a comment; a command that begins
// with `$! reason: ` runs, but its answer is not compared, for that reason.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { command } from '../harness/command.ts';

export interface Step {
  readonly comments: readonly string[];
  readonly command: string;
  /** Why this step is run but not compared. */
  readonly differs: string | undefined;
  readonly answer: string;
}

export function parseTranscript(text: string): Step[] {
  const steps: Step[] = [];
  let comments: string[] = [];
  let answer: string[] | undefined;
  let current: { command: string; differs: string | undefined; comments: string[] } | undefined;
  const end = (): void => {
    if (current !== undefined) steps.push({ ...current, answer: (answer ?? []).map(line => `${line}\n`).join('') });
    current = undefined;
    answer = undefined;
  };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const prompt = line.match(/^\$(?:! (.*?):)? (.*)$/);
    if (prompt !== null) {
      end();
      current = { command: prompt[2]!, differs: prompt[1], comments };
      comments = [];
      answer = [];
    } else if (line.startsWith('# ') || (line === '' && current === undefined)) {
      end();
      comments.push(line);
    } else answer?.push(line);
  }
  end();
  return steps;
}

export function formatTranscript(steps: readonly Step[]): string {
  return steps
    .map(s => {
      const comments = s.comments.map(line => `${line}\n`).join('');
      return `${comments}$${s.differs === undefined ? '' : `! ${s.differs}:`} ${s.command}\n${s.answer}`;
    })
    .join('');
}

/** What stands for values that are new at every run: ids, times, addresses, names of temporary things. */
export function normalise(text: string): string {
  return text
    .replace(/\b(sha256:)?[0-9a-f]{64}\b/g, '<id>')
    .replace(/\b[0-9a-f]{12}\b/g, '<short>')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \w+/g, '<time>')
    .replace(
      /\b(Less than a second|About an? (second|minute)|\d+ (milli)?seconds?|\d+ minutes?)( ago)?/g,
      '<duration>$4',
    )
    .replace(/\b\d+ (years?|months?|weeks?|days?) ago/g, '<ago>')
    .replace(/\b(172\.\d+|10\.\d+)\.\d+\.\d+\b/g, '<ip>')
    .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>')
    .replace(/\/(dev\/shm)\/berth-diff-\w+/g, '<dir>')
    .replace(/@if\d+/g, '@if<n>')
    .replace(/[ \t]+$/gm, '');
}

/** Small programs that transcripts may use: see their first lines. */
const tools = {
  CALL: `${process.execPath} ${join(import.meta.dirname, 'call.ts')}`,
  KEYS: `${process.execPath} ${join(import.meta.dirname, 'key-paths.ts')}`,
};

/** Runs the steps one after another with `env`, in a folder that the engine sees too ($DIR), and gives them back with the answers got. */
export async function replay(steps: readonly Step[], env: NodeJS.ProcessEnv): Promise<Step[]> {
  // Under /dev/shm, since the recorded Docker has a root file system of its own but shares /dev.
  const dir = mkdtempSync('/dev/shm/berth-diff-');
  try {
    const answered: Step[] = [];
    for (const step of steps) {
      const { code, stdout, stderr } = await command('/bin/sh', ['-c', step.command], {
        env: { ...env, ...tools, DIR: dir, HOME: dir, LC_ALL: 'C' },
        cwd: dir,
        timeoutMs: 30_000,
      });
      const lines = [
        ...split(normalise(stdout)),
        ...split(normalise(stderr)).map(line => `! ${line}`),
        ...(code === 0 ? [] : [`[${code}]`]),
      ];
      answered.push({ ...step, answer: lines.map(line => `${line}\n`).join('') });
    }
    return answered;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

/** Paths of the transcripts. */
export const scenarioDir = join(import.meta.dirname, 'scenarios');
