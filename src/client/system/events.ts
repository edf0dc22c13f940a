import { type EventMessage, JsonStreamDecoder } from '../../api/index.ts';
import type { Command } from '../command/command.ts';
import { StatusError } from '../command/command.ts';
import { checkFilter, encodeFilters } from '../command/filter-flag.ts';
import { flag } from '../command/flag.ts';
import { parseTimestamp } from '../format/timestamp.ts';
import { asMap, evaluate, goJson, parse, type Template } from '../template/index.ts';

export const events: Command = {
  usage: '[OPTIONS]',
  description: 'Get real time events from the server',
  names: ['system events', 'events'],
  flags: [
    flag.list('filter', 'f', 'Filter output based on conditions provided', { typeName: 'filter', check: checkFilter }),
    flag.string(
      'format',
      '',
      "Format output using a custom template:\n'json':             Print in JSON format\n'TEMPLATE':         Print output using the given Go template.\nRefer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates",
    ),
    flag.string('since', '', 'Show all events created since timestamp'),
    flag.string('until', '', 'Stream events until this timestamp'),
  ],
  arity: { kind: 'none' },
  run: async ({ cli, flags }) => {
    const template = readFormat(flags.string('format'));
    const time = (name: string): string | undefined =>
      flags.string(name) === '' ? undefined : parseTimestamp(flags.string(name), name);
    const response = await cli.engine.request('GET', '/events', {
      query: { since: time('since'), until: time('until'), filters: encodeFilters(flags.list('filter')) },
    });
    const decoder = new JsonStreamDecoder(value =>
      cli.print(template === undefined ? eventLine(value as EventMessage) : template(value as EventMessage)),
    );
    for await (const chunk of response.body()) decoder.push(quoteTimeNano(chunk));
  },
};

/** timeNano exceeds what a JavaScript number holds: as text its digits stay. */
const quoteTimeNano = (chunk: Buffer): Buffer =>
  Buffer.from(chunk.toString('latin1').replace(/"timeNano":(\d+)/g, '"timeNano":"$1"'), 'latin1');

function readFormat(format: string): ((event: EventMessage) => string) | undefined {
  if (format === '') return undefined;
  let template: Template;
  try {
    template = parse(format === 'json' ? '{{json .}}' : format);
  } catch (err) {
    throw new StatusError(`Error parsing format: ${(err as Error).message}`, 64);
  }
  const json = (value: unknown): string => goJson(value).replace(/"timeNano":"(\d+)"/g, '"timeNano":$1');
  return event => {
    const { time, timeNano, scope, status, id, from } = event;
    // The fields by the names of Go's type, which templates use; {{json .}} shows those of the wire.
    const names = { Status: status, ID: id, From: from, Scope: scope, Time: time, TimeNano: timeNano };
    const data = Object.defineProperties(
      { ...event, Actor: { ...event.Actor, Attributes: asMap({ ...event.Actor.Attributes }) } },
      Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { value }])),
    );
    return evaluate(template, data, { typeName: 'events.Message', functions: { json } });
  };
}

function eventLine(event: EventMessage): string {
  const nanos = String(event.timeNano ?? '').slice(-9);
  const at = new Date(event.time * 1000);
  const attributes = Object.entries(event.Actor.Attributes ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const time = `${localSeconds(at)}.${nanos.padStart(9, '0')}${zoneOf(at)}`;
  const tail = attributes.length === 0 ? '' : ` (${attributes.join(', ')})`;
  return `${time} ${event.Type} ${event.Action} ${event.Actor.ID}${tail}`;
}

const two = (value: number): string => String(value).padStart(2, '0');
const localSeconds = (date: Date): string =>
  `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

function zoneOf(date: Date): string {
  const offset = -date.getTimezoneOffset();
  if (offset === 0) return 'Z';
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
}
