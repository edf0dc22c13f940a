// Runs a client against the fake engine and writes down what it printed, with what differs from run to run made equal.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Case, cases } from './cases.ts';
import { startFakeEngine } from './fake-engine.ts';

export interface Transcript {
  readonly args: readonly string[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Every case in turn. `client` is the command line that the arguments are added to. */
export async function recordTranscripts(
  client: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Transcript[]> {
  const directory = mkdtempSync(`${tmpdir()}/berth-client-`);
  try {
    await using _engine = await startFakeEngine(`${directory}/s.sock`);
    const transcripts: Transcript[] = [];
    // A few at a time: each is mostly the start of a process.
    const queue = cases.map((entry, i) => [entry, i] as const);
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [entry, i] = next;
        transcripts[i] = await run(client, entry, directory, environment);
      }
    };
    await Promise.all([work(), work(), work()]);
    return transcripts;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(
  client: readonly string[],
  { args, stdin }: Case,
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<Transcript> {
  const [program = '', ...before] = client;
  const child = spawn(program, [...before, ...args], {
    env: {
      PATH: '/nonesuch',
      HOME: directory,
      TZ: 'UTC',
      DOCKER_HOST: `unix://${directory}/s.sock`,
      DOCKER_CONFIG: `${directory}/config`,
      ...environment,
    },
    timeout: 20_000,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', chunk => {
    output.stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    output.stderr += chunk;
  });
  child.stdin.on('error', () => {}); // it may not read
  child.stdin.end(stdin ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      resolve({
        args,
        status: code ?? -1,
        stdout: normalise(output.stdout, directory),
        stderr: normalise(output.stderr, directory),
      });
    });
  });
}

const normalise = (text: string, directory: string): string =>
  text
    .replaceAll(directory, 'DIR')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=")/g, 'TIME');
