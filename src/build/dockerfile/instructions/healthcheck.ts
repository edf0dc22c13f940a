import { flagValue, takeFlags } from '../flags.ts';
import { commandForm } from '../forms.ts';
import type { HealthcheckInstruction } from '../instruction.ts';
import { DockerfileError, type Range } from '../source.ts';
import { base, type InstructionLine } from './context.ts';

/** HEALTHCHECK [options] CMD COMMAND, or HEALTHCHECK NONE */
export function parseHealthcheck(line: InstructionLine): HealthcheckInstruction {
  const options = { interval: {}, timeout: {}, 'start-period': {}, 'start-interval': {}, retries: {} };
  const flags = takeFlags('HEALTHCHECK', line.rest, options, line.range);
  const [type = '', rest = ''] = flags.rest.match(/^(\S*)\s*([\s\S]*)$/)!.slice(1);
  if (type === '') throw new DockerfileError('HEALTHCHECK requires at least one argument', line.range);
  if (type.toUpperCase() === 'NONE') {
    if (rest !== '') throw new DockerfileError('HEALTHCHECK NONE takes no arguments', line.range);
    return { kind: 'HEALTHCHECK', ...base(line), command: 'NONE' };
  }
  if (type.toUpperCase() !== 'CMD') {
    throw new DockerfileError(`unknown type "${type.toUpperCase()}" in HEALTHCHECK (try CMD)`, line.range);
  }
  if (rest === '') throw new DockerfileError('missing command after HEALTHCHECK CMD', line.range);
  const duration = (name: string): number | undefined => {
    const text = flagValue(flags, name);
    return text === undefined ? undefined : durationNs(text, name, line.range);
  };
  const interval = duration('interval');
  const timeout = duration('timeout');
  const startPeriod = duration('start-period');
  const startInterval = duration('start-interval');
  const retriesText = flagValue(flags, 'retries');
  if (retriesText !== undefined && !/^\d{1,9}$/.test(retriesText)) {
    throw new DockerfileError(`--retries cannot be parsed: ${retriesText}`, line.range);
  }
  return {
    kind: 'HEALTHCHECK',
    ...base(line),
    command: commandForm(rest),
    ...(interval !== undefined && { interval }),
    ...(timeout !== undefined && { timeout }),
    ...(startPeriod !== undefined && { startPeriod }),
    ...(startInterval !== undefined && { startInterval }),
    ...(retriesText !== undefined && { retries: Number(retriesText) }),
  };
}

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A Go duration (`1m30s`) in nanoseconds; below a millisecond is refused, 0 means the default. */
function durationNs(text: string, name: string, range: Range): number {
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$|^0$/.test(text)) {
    throw new DockerfileError(
      `invalid duration "${text}" for --${name}: want a number with a unit, like 30s or 1m30s`,
      range,
    );
  }
  let total = 0;
  for (const [, value, , unit] of text.matchAll(/(\d+(\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    total += Number(value) * unitNs[unit!]!;
  if (total !== 0 && total < 1e6) {
    throw new DockerfileError(`Interval "${name}" cannot be less than 1ms`, range);
  }
  return total;
}
