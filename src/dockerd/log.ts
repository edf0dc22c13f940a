// The daemon's own log: one line per message on stderr, in the form that dockerd writes.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal'];

/** What parts of the daemon log to. */
export interface Log {
  readonly level: LogLevel;
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A log that writes `time="…" level=info msg="…" key=value` lines through `write`. */
export function createLog(level: LogLevel, write: (line: string) => void = line => process.stderr.write(line)): Log {
  const at = order.indexOf(level);
  const emit =
    (of: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      if (order.indexOf(of) < at) return;
      let line = `time="${new Date().toISOString()}" level=${of === 'warn' ? 'warning' : of} msg=${JSON.stringify(message)}`;
      for (const [key, value] of Object.entries(fields)) line += ` ${key}=${quote(value)}`;
      write(`${line}\n`);
    };
  return { level, debug: emit('debug'), info: emit('info'), warn: emit('warn'), error: emit('error') };
}

function quote(value: unknown): string {
  const text = value instanceof Error ? (value.stack ?? value.message) : String(value);
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}
