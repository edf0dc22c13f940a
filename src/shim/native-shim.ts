// Shims of our own: processes of build/berth-shim.

import { closeSync, openSync } from 'node:fs';
import { createConnection } from 'node:net';
import { DataLoss, Unavailable } from '../errdefs/index.ts';
import { encodeProgram, native, nativeFile, type Program, ProgramError } from '../launcher/index.ts';
import { ProgramStopped, ShimConnection } from './connection.ts';
import { reapLater } from './reaper.ts';
import type {
  AttachClient,
  ExecOptions,
  ExitStatus,
  LogConfig,
  ProcessIo,
  ProcessNumber,
  Shim,
  ShimEvent,
  ShimState,
} from './shim.ts';
import { syslogBytes } from './syslog.ts';
import {
  attachFlags,
  clientEnds,
  events,
  type Frame,
  FrameReader,
  FrameWriter,
  ioFlags,
  logTypes,
  phases,
  requests,
  wireVersion,
} from './wire.ts';

export interface StartShimOptions {
  /** Shown in `ps`. */
  readonly id: string;
  /** Creates the container, up to `ready`; the rest runs on `start`. */
  readonly program: Program;
  /** The container's state directory: `shim.sock` and `exit` are made in it. */
  readonly directory: string;
  /** Where nameless files for slow clients go: a disk rather than memory. Default: the state directory. */
  readonly spillDirectory?: string;
  /** How much of a client's output waits in such a file before the container is held up, and before the client is cut off. */
  readonly spillLimits?: { readonly softBytes: number; readonly hardBytes: number };
  readonly io: ProcessIo;
  readonly log: LogConfig;
  /** The container's memory cgroup, to notice kills for want of memory. */
  readonly oom?: { readonly version: 1 | 2; readonly directory: string };
  /** oom_score_adj of the shim (as far as the machine allows; 0 leaves it) and of what it starts. */
  readonly oomScore?: { readonly shim: number; readonly container: number };
  /** Called for each event, beginning before this function has answered. */
  readonly onEvent: (event: ShimEvent) => void;
}

const defaultSpill = { softBytes: 256 << 20, hardBytes: 2 ** 30 };

let binary: number | undefined;

/** The program as a sealed memfd: no container can reach the file on disk through /proc (CVE-2019-5736). */
function shimBinary(): number {
  binary ??= native().sealedMemfd(nativeFile('berth-shim'));
  return binary;
}

/** Starts a shim and creates the container. Fails with ProgramError where the program stops; then nothing of the shim is left. */
export async function startShim(options: StartShimOptions): Promise<Shim> {
  const program = native().sealedMemfd(encodeProgram(options.program));
  const [ours, theirs] = native().socketpair(1);
  let pid: number;
  try {
    pid = native().spawn({
      file: shimBinary(),
      args: ['berth-shim', 'shim', options.id],
      env: process.env.BERTH_CRASH === undefined ? [] : [`BERTH_CRASH=${process.env.BERTH_CRASH}`],
      fds: [-1, -1, -1, program, theirs],
      newSession: true,
    });
  } catch (error) {
    native().close(ours);
    throw error;
  } finally {
    native().close(program);
    native().close(theirs);
  }
  void reapLater(pid);
  const shim = new NativeShim(ours, options.directory, options.program, options.onEvent);
  await shim.create(options);
  return shim;
}

/** Connects to the shim of a state directory, with its state at that moment. Unavailable: there is none. */
export async function connectShim(
  directory: string,
  program: Program,
  onEvent: (event: ShimEvent) => void,
): Promise<{ shim: Shim; state: ShimState }> {
  const fd = await connectIn(directory, 'shim.sock');
  const shim = new NativeShim(fd, directory, program, onEvent);
  const state = await shim.adopt();
  return { shim, state };
}

/** Connects through a descriptor of the directory: its path may be longer than a socket's may be. */
async function connectIn(directory: string, name: string): Promise<number> {
  let directoryFd: number;
  try {
    directoryFd = openSync(directory, 'r');
  } catch (error) {
    throw new Unavailable(`no shim in ${directory}`, { cause: error });
  }
  try {
    const socket = createConnection({ path: `/proc/self/fd/${directoryFd}/${name}` });
    socket.pause();
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', error => reject(new Unavailable(`no shim in ${directory}`, { cause: error })));
    });
    const fd = native().dup((socket as unknown as { _handle: { fd: number } })._handle.fd);
    socket.destroy();
    return fd;
  } finally {
    closeSync(directoryFd);
  }
}

class NativeShim implements Shim {
  readonly directory: string;
  pid = 0;
  initPid = 0;
  readonly #connection: ShimConnection;
  readonly #program: Program;
  readonly #onEvent: (event: ShimEvent) => void;
  readonly #firstState = Promise.withResolvers<ShimState>();
  #clientId = 0;
  #closed = false;

  constructor(fd: number, directory: string, program: Program, onEvent: (event: ShimEvent) => void) {
    this.directory = directory;
    this.#program = program;
    this.#onEvent = onEvent;
    this.#firstState.promise.catch(() => {}); // nobody waits for it after startShim
    this.#connection = new ShimConnection(
      fd,
      frame => this.#event(frame),
      () => {
        this.#firstState.reject(new Unavailable(`the shim in ${directory} hung up`));
        if (!this.#closed) this.#onEvent({ kind: 'lost' });
      },
    );
  }

  async create(options: StartShimOptions): Promise<void> {
    const spill = options.spillLimits ?? defaultSpill;
    const writer = new FrameWriter()
      .u16(wireVersion)
      .u8(ioBits(options.io))
      .i32(options.oomScore?.shim ?? 0)
      .i32(options.oomScore?.container ?? 0)
      .u64(spill.softBytes)
      .u64(spill.hardBytes)
      .u8(options.oom?.version ?? 0)
      .string(options.oom?.directory ?? '')
      .string(options.directory)
      .string(options.spillDirectory ?? options.directory);
    putLog(writer, options.log, options.log.type === 'syslog' ? await syslogBytes(options.log) : undefined);
    const reply = new FrameReader(await this.#run(requests.create, writer));
    this.pid = reply.u32();
    this.initPid = reply.u32();
  }

  async adopt(): Promise<ShimState> {
    const state = await this.#firstState.promise;
    this.pid = state.shimPid;
    this.initPid = state.initPid;
    // Ids of clients that an earlier daemon handed over must not come again.
    this.#clientId = (Date.now() & 0xfffff) * 0x800;
    return state;
  }

  async start(): Promise<void> {
    await this.#run(requests.start, new FrameWriter());
  }

  async kill(number: ProcessNumber, signal: number): Promise<void> {
    await this.#connection.request(requests.kill, new FrameWriter().u32(number).i32(signal));
  }

  async resize(number: ProcessNumber, size: { readonly rows: number; readonly columns: number }): Promise<void> {
    const writer = new FrameWriter()
      .u32(number)
      .u16(size.rows & 0xffff)
      .u16(size.columns & 0xffff);
    await this.#connection.request(requests.resize, writer);
  }

  async closeStdin(number: ProcessNumber): Promise<void> {
    await this.#connection.request(requests.closeStdin, new FrameWriter().u32(number));
  }

  async attach(number: ProcessNumber, client: AttachClient): Promise<number> {
    const writer = new FrameWriter().u32(number);
    const id = this.#putClient(writer, client);
    await this.#connection.request(requests.attach, writer, [client.fd]);
    return id;
  }

  async exec(options: ExecOptions): Promise<{ readonly pid: number; readonly clientId?: number }> {
    const writer = new FrameWriter()
      .u32(options.number)
      .u8(ioBits(options.io))
      .string(options.execId)
      .u8(options.client === undefined ? 0 : 1);
    const clientId = options.client === undefined ? undefined : this.#putClient(writer, options.client);
    const program = native().sealedMemfd(encodeProgram(options.program));
    let reply: Promise<Buffer>;
    try {
      const fds = options.client === undefined ? [program] : [program, options.client.fd];
      reply = this.#run(requests.exec, writer, fds, options.program);
    } finally {
      native().close(program);
    }
    return { pid: new FrameReader(await reply).u32(), ...(clientId !== undefined && { clientId }) };
  }

  async terminal(number: ProcessNumber, fd: number): Promise<void> {
    await this.#connection.request(requests.terminal, new FrameWriter().u32(number), [fd]);
  }

  async state(): Promise<ShimState> {
    return readState(new FrameReader(await this.#connection.request(requests.state)));
  }

  async replaceRotatedLog(temporary: string, inode: number): Promise<void> {
    await this.#connection.request(requests.compressed, new FrameWriter().string(temporary).u64(inode));
  }

  async shutdown(): Promise<void> {
    this.#closed = true;
    await this.#connection.request(requests.shutdown);
  }

  close(): void {
    this.#closed = true;
    this.#connection.close();
  }

  #putClient(writer: FrameWriter, client: AttachClient): number {
    const id = ++this.#clientId;
    const { stdin, stdout, stderr, framed } = attachFlags;
    const flags =
      (client.stdin ? stdin : 0) |
      (client.stdout ? stdout : 0) |
      (client.stderr ? stderr : 0) |
      (client.framed ? framed : 0);
    const keys = client.detachKeys ?? new Uint8Array();
    const early = client.alreadyRead ?? new Uint8Array();
    writer.u32(id).u8(flags).u8(keys.length).raw(keys).u32(early.length).raw(early);
    return id;
  }

  async #run(type: number, writer: FrameWriter, fds: readonly number[] = [], program = this.#program): Promise<Buffer> {
    try {
      return await this.#connection.request(type, writer, fds);
    } catch (error) {
      if (!(error instanceof ProgramStopped)) throw error;
      if (type !== requests.exec) this.close();
      throw new ProgramError(program, error.failure);
    }
  }

  #event(frame: Frame): void {
    const reader = new FrameReader(frame.payload);
    switch (frame.type) {
      case events.state:
        this.#firstState.resolve(readState(reader));
        return;
      case events.exit: {
        const number = reader.u32();
        const status = readExit(reader);
        this.#onEvent({ kind: 'exit', number, status, execId: reader.string() });
        return;
      }
      case events.oom:
        this.#onEvent({ kind: 'oom' });
        return;
      case events.client:
        this.#onEvent({
          kind: 'client',
          id: reader.u32(),
          number: reader.u32(),
          why: clientEnds[reader.u8()] ?? 'gone',
        });
        return;
      case events.rotated:
        this.#onEvent({ kind: 'rotated', path: reader.string() });
        return;
    }
  }
}

function ioBits({ terminal, stdin, stdinOnce, external }: ProcessIo): number {
  return (
    (terminal ? ioFlags.terminal : 0) |
    (stdin ? ioFlags.stdin : 0) |
    (stdinOnce ? ioFlags.stdinOnce : 0) |
    (external ? ioFlags.external : 0)
  );
}

function putLog(writer: FrameWriter, log: LogConfig, syslog: Uint8Array | undefined): void {
  writer.u8(logTypes[log.type]);
  if (log.type === 'syslog') {
    writer.string('').string(syslog!).u64(0).u32(1);
    return;
  }
  if (log.type === 'none') {
    writer.string('').string('').u64(0).u32(1);
    return;
  }
  // Go sorts the keys of a map, and escapes these three.
  const entries = Object.entries(log.attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const json = JSON.stringify(Object.fromEntries(entries)).replace(/[<>&\u2028\u2029]/g, escapeOne);
  writer
    .string(log.path)
    .string(entries.length > 0 ? `,"attrs":${json}` : '')
    .u64(log.maxSizeBytes ?? 0)
    .u32(log.maxFiles ?? 1);
}

function escapeOne(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function readExit(reader: FrameReader): ExitStatus {
  return { code: reader.i32(), signal: reader.i32(), timeNs: reader.u64(), oom: reader.u8() !== 0 };
}

function readState(reader: FrameReader): ShimState {
  const version = reader.u16();
  if (version !== wireVersion) throw new DataLoss(`shim of another version: ${version}`);
  const shimPid = reader.u32();
  const initPid = reader.u32();
  const phase = phases[reader.u8()];
  const exit = readExit(reader);
  reader.u8();
  const execs = Array.from({ length: reader.u32() }, () => {
    const number = reader.u32();
    const pid = reader.u32();
    const finished = reader.u8() !== 0;
    const status = readExit(reader);
    return { number, pid, execId: reader.string(), ...(finished && { exit: status }) };
  });
  if (phase === undefined) throw new DataLoss('shim in an unknown phase');
  return { phase, shimPid, initPid, execs, ...(phase === 'stopped' && { exit }) };
}
