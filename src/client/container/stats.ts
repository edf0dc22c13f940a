import type { ContainerStats, ContainerSummary, EventMessage } from '../../api/index.ts';
import { JsonStreamDecoder } from '../../api/index.ts';
import type { Cli } from '../cli.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { formatList } from '../format/formatter.ts';
import { segment } from '../http/engine.ts';
import { emptySample, type Sample, sampleOf, statsRow } from './stats-row.ts';

const refreshMs = 500;

export const stats: Command = {
  usage: '[OPTIONS] [CONTAINER...]',
  description: 'Display a live stream of container(s) resource usage statistics',
  names: ['container stats', 'stats'],
  flags: [
    flag.bool('all', 'a', 'Show all containers (default shows just running)'),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'table':            Print output in table format with column headers (default)\n'table TEMPLATE':   Print output in table format using the given Go template\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.bool('no-stream', '', 'Disable streaming stats and only pull the first result'),
    flag.bool('no-trunc', '', 'Do not truncate output'),
  ],
  arity: { kind: 'any' },
  completes: 'runningContainers',
  run: async ({ cli, args, flags }) => {
    const noStream = flags.bool('no-stream');
    const watch = new Watch(cli, noStream);
    if (args.length > 0) for (const name of args) watch.add(name);
    else {
      const list = await cli.engine.json<ContainerSummary[]>('GET', '/containers/json', {
        query: { all: flags.bool('all') || undefined },
      });
      for (const container of list) watch.add(container.Id);
      if (!noStream) watch.followEvents(flags.bool('all'));
    }
    await watch.firstSamples();
    const failure = watch.failure();
    if (failure !== undefined && args.length > 0) throw failure;
    const format = flags.string('format') || cli.config.statsFormat || '';
    const show = (): void => {
      const text = formatList(watch.samples(), statsRow(flags.bool('no-trunc')), {
        format,
        defaultTable:
          '{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}',
      });
      // Each line overwrites the one that was there, to its end; what is below is wiped.
      if (noStream) cli.write(text);
      else cli.write(`\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J`);
    };
    if (!noStream) cli.write('\x1b[2J');
    show();
    if (noStream) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setInterval(() => {
        try {
          show();
        } catch (err) {
          clearInterval(timer);
          reject(err as Error);
        }
        if (args.length > 0 && watch.allEnded()) {
          clearInterval(timer);
          resolve();
        }
      }, refreshMs);
    });
  },
};

interface Watched {
  sample: Sample;
  failure: Error | undefined;
  ended: boolean;
  readonly first: Promise<void>;
}

/** The containers shown, each with its stream of samples. */
class Watch {
  readonly #cli: Cli;
  readonly #once: boolean;
  readonly #watched = new Map<string, Watched>();

  constructor(cli: Cli, once: boolean) {
    this.#cli = cli;
    this.#once = once;
  }

  add(name: string): void {
    if (this.#watched.has(name)) return;
    let resolveFirst = (): void => {};
    const watched: Watched = {
      sample: emptySample(name),
      failure: undefined,
      ended: false,
      first: new Promise(resolve => {
        resolveFirst = resolve;
      }),
    };
    this.#watched.set(name, watched);
    void this.#follow(name, watched, resolveFirst);
  }

  async #follow(name: string, watched: Watched, onFirst: () => void): Promise<void> {
    try {
      const response = await this.#cli.engine.request('GET', `/containers/${segment(name)}/stats`, {
        query: { stream: !this.#once },
      });
      let count = 0;
      const decoder = new JsonStreamDecoder(value => {
        watched.sample = sampleOf(value as ContainerStats, name, !this.#once);
        // The first of a stream has no earlier one to compare with.
        if (this.#once || ++count > 1) onFirst();
      });
      for await (const chunk of response.body()) decoder.push(chunk);
    } catch (err) {
      watched.failure = err as Error;
      watched.sample = emptySample(name);
    }
    watched.ended = true;
    onFirst();
  }

  /** Containers that start join, and those that are gone leave. */
  followEvents(all: boolean): void {
    const follow = async (): Promise<void> => {
      const response = await this.#cli.engine.request('GET', '/events', {
        query: { filters: '{"type":{"container":true}}' },
      });
      const decoder = new JsonStreamDecoder(value => {
        const { Action: action, Actor: actor } = value as EventMessage;
        if (action === 'start' || (all && action === 'create')) {
          this.#watched.delete(actor.ID);
          this.add(actor.ID);
        }
        if (action === 'destroy' || (!all && action === 'die')) this.#watched.delete(actor.ID);
      });
      for await (const chunk of response.body()) decoder.push(chunk);
    };
    void follow().catch(err => {
      process.stderr.write(`${(err as Error).message}\n`);
      process.exit(1);
    });
  }

  async firstSamples(): Promise<void> {
    const patience = new Promise(resolve => setTimeout(resolve, 2000));
    await Promise.race([
      Promise.all([...this.#watched.values()].map(watched => watched.first)),
      this.#once ? new Promise(() => {}) : patience,
    ]);
  }

  failure(): Error | undefined {
    return [...this.#watched.values()].find(watched => watched.failure !== undefined)?.failure;
  }

  allEnded(): boolean {
    return [...this.#watched.values()].every(watched => watched.ended);
  }

  samples(): Sample[] {
    return [...this.#watched.values()].filter(watched => watched.failure === undefined).map(watched => watched.sample);
  }
}
