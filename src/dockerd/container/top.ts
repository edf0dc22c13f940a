// GET /containers/{id}/top: `ps` of the processes of one container, read from /proc; no host program is run.

import { readFileSync } from 'node:fs';
import type { ContainerTopResponse } from '../../api/index.ts';
import { Conflict, InvalidArgument } from '../../errdefs/index.ts';
import type { Container } from './container.ts';
import { type ContainerServices, eventAttributes } from './services.ts';

/** One process as /proc has it. */
interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  readonly uid: number;
  readonly user: string;
  readonly state: string;
  readonly tty: string;
  readonly nice: number;
  readonly threads: number;
  readonly vszKib: number;
  readonly rssKib: number;
  /** Seconds of CPU time, and since its start. */
  readonly cpuSeconds: number;
  readonly elapsedSeconds: number;
  readonly startedMs: number;
  readonly name: string;
  readonly command: string;
  readonly memoryPercent: number;
}

interface Column {
  readonly title: string;
  readonly value: (process: ProcessFacts) => string;
}

const two = (number: number): string => String(Math.floor(number)).padStart(2, '0');
const clock = (seconds: number): string => `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
const percent = (process: ProcessFacts): number =>
  process.elapsedSeconds > 0 ? (process.cpuSeconds / process.elapsedSeconds) * 100 : 0;
const started = (process: ProcessFacts): string => {
  const date = new Date(process.startedMs);
  const sameDay = Date.now() - process.startedMs < 86_400_000;
  return sameDay
    ? `${two(date.getHours())}:${two(date.getMinutes())}`
    : `${date.toLocaleString('en', { month: 'short' })}${two(date.getDate())}`;
};
const elapsed = (seconds: number): string => {
  const days = Math.floor(seconds / 86_400);
  const rest = seconds % 86_400;
  const text = rest >= 3600 ? clock(rest) : `${two(rest / 60)}:${two(rest % 60)}`;
  return days > 0 ? `${days}-${clock(rest)}` : text;
};

const columns: Readonly<Record<string, Column>> = {
  user: { title: 'USER', value: p => p.user },
  uid: { title: 'UID', value: p => String(p.uid) },
  uname: { title: 'USER', value: p => p.user },
  pid: { title: 'PID', value: p => String(p.pid) },
  ppid: { title: 'PPID', value: p => String(p.ppid) },
  c: { title: 'C', value: p => String(Math.min(99, Math.floor(percent(p)))) },
  stime: { title: 'STIME', value: started },
  start: { title: 'STARTED', value: started },
  tty: { title: 'TTY', value: p => p.tty },
  tname: { title: 'TTY', value: p => p.tty },
  time: { title: 'TIME', value: p => clock(p.cpuSeconds) },
  cmd: { title: 'CMD', value: p => p.command },
  args: { title: 'COMMAND', value: p => p.command },
  command: { title: 'COMMAND', value: p => p.command },
  comm: { title: 'COMMAND', value: p => p.name },
  ni: { title: 'NI', value: p => String(p.nice) },
  nlwp: { title: 'NLWP', value: p => String(p.threads) },
  vsz: { title: 'VSZ', value: p => String(p.vszKib) },
  rss: { title: 'RSS', value: p => String(p.rssKib) },
  etime: { title: 'ELAPSED', value: p => elapsed(p.elapsedSeconds) },
  stat: { title: 'STAT', value: p => p.state },
  s: { title: 'S', value: p => p.state[0]! },
  '%cpu': { title: '%CPU', value: p => percent(p).toFixed(1) },
  pcpu: { title: '%CPU', value: p => percent(p).toFixed(1) },
  '%mem': { title: '%MEM', value: p => p.memoryPercent.toFixed(1) },
  pmem: { title: '%MEM', value: p => p.memoryPercent.toFixed(1) },
};

const full = ['pid', 'ppid', 'c', 'stime', 'tty', 'time', 'cmd'].map(name => columns[name]!);
const fullFormat: readonly Column[] = [{ title: 'UID', value: p => p.user }, ...full];
const bsdFormat: readonly Column[] = [
  ...['user', 'pid', '%cpu', '%mem', 'vsz', 'rss', 'tty', 'stat'].map(name => columns[name]!),
  { title: 'START', value: started },
  { title: 'TIME', value: p => `${Math.floor(p.cpuSeconds / 60)}:${two(p.cpuSeconds % 60)}` },
  columns.command!,
];

/** The columns that ps's arguments ask for; what we cannot show is refused by name. */
export function columnsOf(psArguments: string): readonly Column[] {
  const words = psArguments.trim().split(/\s+/);
  const format: Column[] = [];
  let base: readonly Column[] | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const list = /^(?:-?[a-zA-Z]*o|--format)(?:=|$)?(.*)$/.exec(word);
    if (list !== null && (word.startsWith('-') || word === 'o')) {
      const names = list[1] !== '' ? list[1]! : (words[++i] ?? '');
      for (const item of names.split(',')) {
        const [name = '', title] = item.split('=');
        if (title !== undefined && title.toUpperCase() === 'PID' && name !== 'pid') {
          throw new InvalidArgument(`specifying "${item}" is not allowed`);
        }
        const column = columns[name.toLowerCase()];
        if (column === undefined) throw new InvalidArgument(`error: unknown user-defined format specifier "${name}"`);
        format.push(title === undefined ? column : { ...column, title });
      }
    } else if (/^(-ef|-e|-f|-eF|-A)$/.test(word)) base = fullFormat;
    else if (/^(aux|axu|-aux|au|ax)$/.test(word)) base = bsdFormat;
    else throw new InvalidArgument(`ps: unsupported arguments: ${psArguments}`);
  }
  const chosen = format.length > 0 ? format : (base ?? fullFormat);
  if (!chosen.some(column => column.title === 'PID')) throw new InvalidArgument("Couldn't find PID field in ps output");
  return chosen;
}

export async function topContainer(
  services: ContainerServices,
  container: Container,
  psArguments: string,
): Promise<ContainerTopResponse> {
  if (!container.state.running) throw new Conflict(`container ${container.id} is not running`);
  if (container.state.restarting) {
    throw new Conflict(`Container ${container.id} is restarting, wait until the container is running`);
  }
  const chosen = columnsOf(psArguments === '' ? '-ef' : psArguments);
  const pids = await services.tasks.listPids(container.id);
  const context = machine();
  const processes = pids.map(pid => read(pid, context)).filter(facts => facts !== undefined);
  services.events.publish('container', 'top', container.id, eventAttributes(container));
  return {
    Titles: chosen.map(column => column.title),
    Processes: processes.map(facts => chosen.map(column => column.value(facts))),
  };
}

interface Machine {
  readonly bootMs: number;
  readonly totalKib: number;
  readonly users: ReadonlyMap<number, string>;
}

function machine(): Machine {
  const users = new Map<number, string>();
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (name !== '' && !users.has(Number(uid))) users.set(Number(uid), name);
  }
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'));
  const total = /^MemTotal:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return { bootMs: Number(boot?.[1] ?? 0) * 1000, totalKib: Number(total?.[1] ?? 1), users };
}

const ticksPerSecond = 100;

function read(pid: number, { bootMs, totalKib, users }: Machine): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const number = (index: number): number => Number(fields[index]);
    const uid = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? 0);
    const startedMs = bootMs + (number(19) / ticksPerSecond) * 1000;
    const rssKib = number(21) * 4;
    return {
      pid,
      ppid: number(1),
      uid,
      user: users.get(uid) ?? String(uid),
      state: `${fields[0]}${number(3) === pid ? 's' : ''}`,
      tty: ttyName(number(4)),
      nice: number(16),
      threads: number(17),
      vszKib: Math.floor(number(20) / 1024),
      rssKib,
      cpuSeconds: (number(11) + number(12)) / ticksPerSecond,
      elapsedSeconds: Math.max(0, (Date.now() - startedMs) / 1000),
      startedMs,
      name,
      command: words.length > 0 ? words.join(' ') : `[${name}]`,
      memoryPercent: (rssKib / totalKib) * 100,
    };
  } catch {
    return undefined; // it has ended
  }
}

function ttyName(device: number): string {
  if (device === 0) return '?';
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * 256 + minor}` : '?';
}
