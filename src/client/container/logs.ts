import { type ContainerInspect, FrameDemultiplexer, streamTypes } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { flag } from '../command/flag.ts';
import { parseTimestamp } from '../format/timestamp.ts';
import { segment } from '../http/engine.ts';
import { DescriptorWriter } from '../terminal/writer.ts';

export const logs: Command = {
  usage: '[OPTIONS] CONTAINER',
  description: 'Fetch the logs of a container',
  names: ['container logs', 'logs'],
  flags: [
    flag.bool('details', '', 'Show extra details provided to logs'),
    flag.bool('follow', 'f', 'Follow log output'),
    flag.string(
      'since',
      '',
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
    flag.string('tail', 'n', 'Number of lines to show from the end of the logs', {
      shownDefault: '"all"',
      initial: 'all',
    }),
    flag.bool('timestamps', 't', 'Show timestamps'),
    flag.string(
      'until',
      '',
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
  ],
  arity: { kind: 'exactly', count: 1 },
  completes: 'containers',
  run: async ({ cli, args, flags }) => {
    const container = await cli.engine.json<ContainerInspect>('GET', `/containers/${segment(args[0]!)}/json`);
    const time = (name: string): string | undefined =>
      flags.string(name) === '' ? undefined : parseTimestamp(flags.string(name), name);
    const response = await cli.engine.request('GET', `/containers/${container.Id}/logs`, {
      query: {
        stdout: true,
        stderr: true,
        since: time('since'),
        until: time('until'),
        timestamps: flags.bool('timestamps') || undefined,
        details: flags.bool('details') || undefined,
        follow: flags.bool('follow') || undefined,
        tail: flags.string('tail'),
      },
    });
    const stdout = new DescriptorWriter(1);
    const stderr = new DescriptorWriter(2);
    let systemError = '';
    const frames = new FrameDemultiplexer((stream, payload) => {
      if (stream === streamTypes.systemError) systemError += payload.toString();
      else (stream === streamTypes.stderr ? stderr : stdout).push(payload);
    });
    for await (const chunk of response.body()) {
      if (container.Config.Tty) stdout.push(chunk);
      else frames.push(chunk);
      // Keep memory bounded, and the order of the two streams as it was.
      if (stdout.waitingBytes + stderr.waitingBytes > 4 * 1024 * 1024)
        await Promise.all([stdout.drained(), stderr.drained()]);
    }
    await Promise.all([stdout.drained(), stderr.drained()]);
    if (systemError !== '') throw new Error(`error from daemon in stream: ${systemError}`);
  },
};
