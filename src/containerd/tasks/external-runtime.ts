// Runtimes of others (runc, crun, our own command line) behind the interface of ours. The shim starts them, so that the container's
// processes become its children; they are given what the OCI command line gives: a bundle, pipes or a console socket, a pid file, a log.
//
//     <state directory>/b/config.json, b/rootfs   the bundle; the root is mounted on the host, as the command line demands
//     <state directory>/<number>.pid              written by the runtime: 0 the container's init, others execs
//     <state directory>/<number>.log              its log in JSON; the last error is what the client is told
//     <state directory>/<number>.sock             where it sends the pty

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineError, FailedPrecondition, Internal, Unknown } from '../../errdefs/index.ts';
import { NetlinkSocket, native, type Op, type Program } from '../../launcher/index.ts';
import { type RuntimeSpec, stringifyRuntimeSpec } from '../../oci/index.ts';
import { openCgroup, planCreate } from '../../runc/index.ts';
import { reapLater } from '../../shim/index.ts';
import type { SnapshotMount } from '../snapshots/snapshotter.ts';
import type { ExternalSteps, PendingConsole, Runtime, RuntimeCreateOptions, RuntimeExecOptions } from './runtime.ts';

export interface ExternalRuntimeOptions {
  /** Path of the runtime; a bare name is looked for in PATH. */
  readonly path: string;
  /** Given before the subcommand. */
  readonly args?: readonly string[];
  /** Its own state (--root), in the exec root. */
  readonly root: string;
}

const pipeSizeBytes = 1 << 20;
const consoleTimeoutMs = 10_000;
const MS_BIND = 0x1000;
const MS_REC = 0x4000;
const MNT_DETACH = 2;
/** mount(2) takes one page of options. */
const mountDataMax = 4000;

export function externalRuntime({ path: given, args = [], root }: ExternalRuntimeOptions): Runtime {
  const path = findProgram(given);
  const env = [`PATH=${process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'}`];

  const command = (directory: string, name: string, ...rest: readonly string[]): string[] => {
    const log = join(directory, `${name}.log`);
    return [path, ...args, '--root', root, '--log', log, '--log-format', 'json', ...rest];
  };

  /** Runs the runtime to its end from here. */
  const run = async (directory: string, ...rest: readonly string[]): Promise<void> => {
    const name = rest[0]!;
    const pid = native().spawn({ file: path, args: command(directory, name, ...rest), env, fds: [-1, -1, -1] });
    const { code } = await reapLater(pid);
    if (code !== 0)
      throw new Unknown(lastError(join(directory, `${name}.log`)) ?? `${path} ${name} ended with ${code}`);
  };

  const compileCreate = (options: RuntimeCreateOptions) => {
    const { id, directory, spec } = options;
    // Where its cgroups are: the same place, since both go by spec.linux.cgroupsPath.
    const terminal = spec.process?.terminal === true;
    const stdio = { terminal, stdin: options.stdin, pipeSizeBytes };
    const { cgroups } = planCreate({ id, spec, bundle: options.bundle, stdio, startGate: 'ready' });
    const user = spec.process?.user ?? { uid: 0, gid: 0 };
    const words = ['create', '--bundle', join(directory, 'b'), '--pid-file', join(directory, '0.pid')];
    if (terminal) words.push('--console-socket', join(directory, '0.sock'));
    const program = [
      ...mountOps(options.rootfs ?? [], join(directory, 'b/rootfs')),
      ...startOps(command(directory, '0', ...words, id), env, { terminal, stdin: options.stdin, ...user }),
    ];
    return { program, cgroups, warnings: [] };
  };

  const compileExec = (options: RuntimeExecOptions): Program => {
    const { id, directory, number, process: execProcess } = options;
    const terminal = execProcess.terminal === true;
    const file = join(directory, `${number}.json`);
    writeFileSync(file, JSON.stringify(execProcess), { mode: 0o600 });
    const words = ['exec', '--detach', '--process', file, '--pid-file', join(directory, `${number}.pid`)];
    if (terminal) words.push('--console-socket', join(directory, `${number}.sock`));
    const { user } = execProcess;
    return startOps(command(directory, String(number), ...words, id), env, { terminal, stdin: options.stdin, ...user });
  };

  const external: ExternalSteps = {
    prepare: ({ directory, spec, rootfs }) => {
      mkdirSync(join(directory, 'b/rootfs'), { recursive: true });
      writeFileSync(join(directory, 'b/config.json'), stringifyRuntimeSpec(externalSpec(spec, rootfs !== undefined)), {
        mode: 0o600,
      });
    },
    console: listenForConsole,
    created: async ({ netns }, initPid) => {
      if (netns === undefined) return;
      for (const { bytes, pidOffsets, comment } of netns.host) {
        const message = Buffer.from(bytes);
        for (const offset of pidOffsets) message.writeUInt32LE(initPid, offset);
        using socket = new NetlinkSocket(0);
        checkAnswers(socket.request(message), comment);
      }
      const namespace = native().openat2(-100, `/proc/${initPid}/ns/net`, 0, 0, 0);
      try {
        using socket = new NetlinkSocket(0, namespace);
        for (const { bytes, comment } of netns.inside) checkAnswers(socket.request(bytes), comment);
      } finally {
        native().close(namespace);
      }
    },
    start: (id, directory) => run(directory, 'start', id),
    forgetExec: (directory, number) => {
      for (const ending of ['json', 'pid', 'log', 'sock'])
        rmSync(join(directory, `${number}.${ending}`), { force: true });
    },
    delete: async (id, directory) => {
      await run(directory, 'delete', '--force', id).catch(() => {}); // it has gone already, or was never there
      try {
        native().umount2(join(directory, 'b/rootfs'), MNT_DETACH);
      } catch {
        // Nothing was mounted.
      }
    },
  };

  return {
    compileCreate,
    compileExec,
    cgroup: openCgroup,
    external,
    explain: (error, verb, program, directory) => {
      const said = lastError(join(directory, `${verb === 'create' ? 0 : execNumber(program)}.log`));
      if (error instanceof EngineError && said === undefined) return error;
      const prefix =
        verb === 'create'
          ? 'failed to create task for container: failed to create shim task: OCI runtime create failed: '
          : 'OCI runtime exec failed: ';
      return new Unknown(prefix + (said ?? String(error)), { cause: undefined });
    },
  };
}

/** As exec.LookPath; what is not found stays, and fails when it is started. */
function findProgram(name: string): string {
  if (name.includes('/')) return name;
  const directories = (process.env.PATH ?? '').split(':').filter(directory => directory.startsWith('/'));
  return directories.map(directory => join(directory, name)).find(file => existsSync(file)) ?? name;
}

/** Pipes as the container's streams, and the runtime as a child with them as its own. */
function startOps(
  words: readonly string[],
  env: readonly string[],
  { terminal, stdin, uid, gid }: { terminal: boolean; stdin: boolean; uid: number; gid: number },
): Program {
  const [stdinRead, stdinWrite, stdoutRead, stdoutWrite, stderrRead, stderrWrite] = [1, 2, 3, 4, 5, 6] as const;
  const pipe = { size: pipeSizeBytes, uid, gid };
  const withStdin = stdin && !terminal;
  const exec: Op = { op: 'exec', candidates: [words[0]!], args: words, env };
  if (terminal)
    return [
      { op: 'clone', flags: 0, program: [exec] },
      { op: 'await', peer: 'exec' },
    ];
  return [
    ...(withStdin ? [{ op: 'pipe', read: stdinRead, write: stdinWrite, ...pipe } as const] : []),
    { op: 'pipe', read: stdoutRead, write: stdoutWrite, ...pipe },
    { op: 'pipe', read: stderrRead, write: stderrWrite, ...pipe },
    {
      op: 'clone',
      flags: 0,
      program: [
        ...(withStdin ? [{ op: 'dup', slot: stdinRead, fd: 0 } as const] : []),
        { op: 'dup', slot: stdoutWrite, fd: 1 },
        { op: 'dup', slot: stderrWrite, fd: 2 },
        { op: 'closeOnExecFrom', fd: 3 },
        exec,
      ],
    },
    { op: 'stdio', ...(withStdin && { stdin: stdinWrite }), stdout: stdoutRead, stderr: stderrRead },
    ...(withStdin ? [{ op: 'close', slot: stdinRead } as const] : []),
    { op: 'close', slot: stdoutWrite },
    { op: 'close', slot: stderrWrite },
    { op: 'await', peer: 'exec' },
  ];
}

function mountOps(mounts: readonly SnapshotMount[], target: string): Op[] {
  const slot = 10;
  return mounts.flatMap(({ type, source, options }): Op[] => {
    const words = {
      why: 'the root, mounted on the host for a runtime of others',
      failure: 'error mounting the root file system',
    };
    if (type === 'bind')
      return [{ op: 'mount', source, target, type: '', flags: MS_BIND | MS_REC, data: '', ...words }];
    const data = options.join(',');
    if (data.length < mountDataMax) return [{ op: 'mount', source, target, type, flags: 0, data, ...words }];
    const split = options.flatMap(option =>
      option.startsWith('lowerdir=')
        ? option
            .slice('lowerdir='.length)
            .split(/(?<!\\):/)
            .map(lower => `lowerdir+=${lower.replaceAll('\\:', ':')}`)
        : [option],
    );
    return [
      { op: 'fsmount', slot, type, source, options: split, attributes: 0, ...words },
      { op: 'moveMount', slot, path: target, ...words },
      { op: 'close', slot },
    ];
  });
}

/** What every runtime in use takes; crun of 2023 refuses a version that it does not know, though the fields are only more. */
const externalVersion = '1.0.2';

/** Our root in place of the spec's; a time namespace without offsets is left out, since older runtimes do not know the word. */
function externalSpec(spec: RuntimeSpec, mounted: boolean): RuntimeSpec {
  const namespaces = spec.linux?.namespaces?.filter(
    ({ type }) => type !== 'time' || spec.linux?.timeOffsets !== undefined,
  );
  return {
    ...spec,
    ociVersion: externalVersion,
    ...(mounted && { root: { ...spec.root, path: 'rootfs' } }),
    linux: { ...spec.linux, ...(namespaces !== undefined && { namespaces }) },
  };
}

async function listenForConsole(directory: string, number: number): Promise<PendingConsole> {
  const server = createServer({ pauseOnConnect: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    server.once('connection', resolve);
    server.once('error', reject);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(join(directory, `${number}.sock`), resolve);
  });
  const closed = new AbortController();
  const receive = async (): Promise<number> => {
    const socket = await connected;
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    try {
      for (let waited = 0; waited < consoleTimeoutMs && !closed.signal.aborted; waited++) {
        const received = native().receiveFds(fd, 4096, 1);
        if (received?.fds[0] !== undefined) return received.fds[0];
        await delay(1);
      }
    } finally {
      socket.destroy();
    }
    throw new FailedPrecondition('the runtime has sent no terminal');
  };
  const fd = receive();
  fd.catch(() => {}); // where the runtime fails, nobody asks for it
  return {
    fd,
    [Symbol.dispose]: () => {
      closed.abort();
      server.close();
    },
  };
}

/** An exec's program names its log: `--log <directory>/<number>.log`. */
function execNumber(program: Program): string {
  const start = program.find(op => op.op === 'clone')?.program.find(op => op.op === 'exec');
  const log = start?.args[start.args.indexOf('--log') + 1] ?? '';
  return basename(log, '.log');
}

/** The last error that a runtime logged. */
function lastError(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  for (const line of text.trimEnd().split('\n').reverse()) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
      if (level === 'error' || level === 'fatal') return msg;
    } catch {
      // Not JSON: a runtime that does not know --log-format says it its own way.
      if (line !== '') return line;
    }
  }
  return undefined;
}

/** NLMSG_ERROR with a number other than 0. */
function checkAnswers(answers: Uint8Array, comment: string): void {
  const bytes = Buffer.from(answers);
  for (let at = 0; at + 20 <= bytes.length; at += (bytes.readUInt32LE(at) + 3) & ~3) {
    const error = bytes.readUInt16LE(at + 4) === 2 ? bytes.readInt32LE(at + 16) : 0;
    if (error !== 0) throw new Internal(`error setting up the network: ${comment}: errno ${-error}`);
    if (bytes.readUInt32LE(at) < 16) return;
  }
}
