import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { FailedPrecondition, InvalidArgument } from '../../../errdefs/index.ts';
import { type Process, parseProcess } from '../../../oci/index.ts';
import type { CgroupPaths } from '../../cgroups/paths.ts';
import { compileExec } from '../../exec.ts';
import type { Command, Context } from '../context.ts';
import { withPrefix } from '../failure.ts';
import { Flags, type FlagTable } from '../flags.ts';
import { launch } from '../launch.ts';
import { containerId, describeProcess, preservedFds, waitAndForward, writePidFile } from '../start-program.ts';
import { containerStatus, type StoredContainer } from '../state-store.ts';

const table: FlagTable = {
  'console-socket': 'string',
  'pidfd-socket': 'string',
  cwd: 'string',
  env: 'strings',
  e: { alias: 'env' },
  tty: 'boolean',
  t: { alias: 'tty' },
  user: 'string',
  u: { alias: 'user' },
  'additional-gids': 'strings',
  g: { alias: 'additional-gids' },
  process: 'string',
  p: { alias: 'process' },
  detach: 'boolean',
  d: { alias: 'detach' },
  'pid-file': 'string',
  'process-label': 'string',
  apparmor: 'string',
  'no-new-privs': 'boolean',
  cap: 'strings',
  c: { alias: 'cap' },
  'preserve-fds': 'number',
  cgroup: 'strings',
  'ignore-paused': 'boolean',
};

export const exec: Command = {
  name: 'exec',
  usage: 'exec [command options] <container-id> <command> [args...]',
  summary: 'execute new process inside the container',
  run: (words, context) => withPrefix('exec failed', () => execute(new Flags(words, table), context)),
};

async function execute(flags: Flags, { store, log }: Context): Promise<number> {
  const container = store.read(containerId(flags, 'exec'));
  const status = containerStatus(container);
  if (status === 'stopped') throw new FailedPrecondition('cannot exec in a stopped container');
  if (status === 'paused' && !flags.has('ignore-paused')) {
    throw new FailedPrecondition('cannot exec in a paused container (use --ignore-paused to override)');
  }
  if (status === 'created') log.debug('exec in a container that has not started');
  const described = processOf(flags, container);
  const preserved = preservedFds(flags);
  const detach = flags.has('detach');
  const consoleSocket = flags.string('console-socket');
  if (consoleSocket !== undefined && !(detach && described.terminal)) {
    throw new InvalidArgument('cannot use console socket if runc will not detach or allocate tty');
  }
  await using tty = described.terminal && !detach ? await (await import('../terminal.ts')).serveTerminal() : undefined;
  const socketPath = consoleSocket === undefined ? tty?.socketPath : resolve(consoleSocket);
  const program = compileExec({
    spec: container.spec,
    process: describeProcess(described, preserved.env, tty),
    initPid: container.state.pid,
    cgroups: subCgroups(container.state.cgroups, flags.strings('cgroup')),
    stdio: 'inherit',
    preserveFds: preserved.count,
    ...(socketPath !== undefined && { consoleSocket: socketPath }),
    ...(flags.string('pidfd-socket') !== undefined && { pidfdSocket: resolve(flags.string('pidfd-socket')!) }),
  });
  const launched = launch(program, { wait: !detach, preserveFds: preserved.count });
  writePidFile(flags.string('pid-file'), launched.pid);
  if (detach) return 0;
  const copied = tty?.attach();
  const code = await waitAndForward(launched);
  await copied;
  return code;
}

/** A process.json, or the container's own process changed by flags. */
function processOf(flags: Flags, { spec }: StoredContainer): Process {
  const file = flags.string('process');
  if (file !== undefined) {
    return parseProcess(readFileSync(file, 'utf8'));
  }
  const args = flags.rest.slice(1);
  if (args.length === 0) throw new InvalidArgument('process args cannot be empty');
  const base = spec.process;
  if (base === undefined) throw new InvalidArgument('the container has no process to start from');
  const user = flags.string('user');
  const [uid, gid] = (user ?? '').split(':');
  const extra = flags.strings('cap');
  const gids = flags.strings('additional-gids').map(Number);
  if ([uid, gid, ...gids].some(id => id && Number.isNaN(Number(id))))
    throw new InvalidArgument('user and groups must be numbers');
  const { bounding = [], effective = [], permitted = [], inheritable = [], ambient = [] } = base.capabilities ?? {};
  return {
    ...base,
    terminal: flags.has('tty'),
    args,
    cwd: flags.string('cwd') ?? base.cwd,
    env: [...(base.env ?? []), ...flags.strings('env')],
    user: {
      ...base.user,
      ...(uid && { uid: Number(uid) }),
      ...(gid && { gid: Number(gid) }),
      ...(gids.length > 0 && { additionalGids: gids }),
    },
    // As runc: never inheritable, so that a file's inheritable set cannot raise what the user lacks (CVE-2022-29162).
    capabilities: {
      bounding: [...bounding, ...extra],
      effective: [...effective, ...extra],
      permitted: [...permitted, ...extra],
      inheritable,
      ambient:
        extra.length > 0 && inheritable.length > 0
          ? [...ambient, ...extra.filter(name => inheritable.includes(name))]
          : ambient,
    },
    ...(flags.has('no-new-privs') && { noNewPrivileges: true }),
    ...(flags.string('apparmor') !== undefined && { apparmorProfile: flags.string('apparmor')! }),
    ...(flags.string('process-label') !== undefined && { selinuxLabel: flags.string('process-label')! }),
  };
}

/** `--cgroup sub` or `--cgroup controller,controller:sub`: existing cgroups below the container's. */
function subCgroups(paths: CgroupPaths, wanted: readonly string[]): CgroupPaths {
  if (wanted.length === 0) return paths;
  const v1: Record<string, string> = { ...paths.v1 };
  let { v2 } = paths;
  for (const one of wanted) {
    const colon = one.indexOf(':');
    const controllers = colon < 0 ? undefined : one.slice(0, colon).split(',');
    const path = posix.join('/', one.slice(colon + 1));
    for (const controller of controllers ?? Object.keys(v1)) {
      const directory = paths.v1[controller];
      if (directory === undefined) throw new InvalidArgument(`unknown controller ${controller} in --cgroup ${one}`);
      v1[controller] = posix.join(directory, path);
    }
    if (controllers === undefined && Object.keys(v1).length === 0 && v2 !== undefined) v2 = posix.join(v2, path);
  }
  return { v1, ...(v2 !== undefined && { v2 }) };
}
