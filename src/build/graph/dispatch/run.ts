import type { RunInstruction, RunMount } from '../../dockerfile/instruction.ts';
import type { Heredoc } from '../../dockerfile/lines.ts';
import { DockerfileError } from '../../dockerfile/source.ts';
import { type Conversion, expandIn, expandRaw } from '../context.ts';
import { addHistory, envOf, type StageState, stepName } from '../stage.ts';
import type { ExecMount, ExecVertex } from '../vertex.ts';
import { shellCommand, shellOf } from './shell.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Given to every RUN without being declared, and no part of its cache key (dockerfile reference, "Predefined ARGs"). */
export const proxyArgs = ['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap(name => [
  name,
  name.toLowerCase(),
]);

/** RUN: a vertex that executes on the stage's file system. */
export async function run(conversion: Conversion, stage: StageState, instruction: RunInstruction): Promise<void> {
  const { options } = conversion;
  if (instruction.security === 'insecure' && !options.insecureAllowed) {
    throw new DockerfileError('security.insecure is not allowed', instruction.range);
  }
  if (instruction.devices.length > 0)
    throw new DockerfileError('the --device option is not supported', instruction.range);
  const env = envOf(stage);
  const declared = [...stage.args].filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !env.has(entry[0]),
  );
  const mounts: ExecMount[] = [];
  for (const [i, mount] of instruction.mounts.entries()) {
    mounts.push(await execMount(conversion, stage, instruction, mount, i));
  }
  const { args, files } = commandOf(stage, instruction);
  if (files.length > 0) {
    mounts.push({
      type: 'bind',
      target: '/dev/pipes/',
      readOnly: true,
      input: { kind: 'inline', name: 'preparing inline document', files },
    });
  }
  const given = [...env].map(([key, value]) => `${key}=${value}`);
  const vertex: ExecVertex = {
    kind: 'exec',
    name: stepName(stage, expandRaw(conversion, stage, shown(instruction))),
    range: instruction.range,
    platform: stage.platform,
    ...(stage.rootfs !== undefined && { rootfs: stage.rootfs }),
    args,
    env: [
      ...(env.has('PATH') ? [] : [`PATH=${defaultPath}`]),
      ...given,
      ...declared.map(([key, value]) => `${key}=${value}`),
    ],
    uncachedEnv: proxyArgs.flatMap(name => {
      const value = options.buildArgs.get(name);
      return value === undefined || env.has(name) || stage.args.has(name) ? [] : [`${name}=${value}`];
    }),
    cwd: stage.config.WorkingDir || '/',
    user: stage.config.User ?? '',
    mounts,
    network: instruction.network ?? options.network,
    insecure: instruction.security === 'insecure',
  };
  stage.rootfs = vertex;
  const shownArgs = [...stage.args].flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${env.get(key) ?? value}`],
  );
  const prefix = shownArgs.length === 0 ? '' : `|${shownArgs.length} ${shownArgs.join(' ')} `;
  addHistory(stage, `RUN ${prefix}${args.join(' ')} # buildkit`, true);
}

/** The vector to execute, and the files that its heredocs become. */
function commandOf(
  stage: StageState,
  instruction: RunInstruction,
): { args: readonly string[]; files: { name: string; content: string }[] } {
  const { command, heredocs } = instruction;
  if (heredocs.length === 0 || command.form === 'exec') return { args: shellCommand(stage, command), files: [] };
  const [first] = heredocs;
  if (heredocs.length === 1 && /^<<-?["']?[\w.]+["']?$/.test(command.text)) {
    // Only a heredoc: it is the script, for its own interpreter or for the shell.
    if (first!.content.startsWith('#!')) {
      return {
        args: [...shellOf(stage), `/dev/pipes/${first!.name}`],
        files: [{ name: first!.name, content: first!.content }],
      };
    }
    return { args: [...shellOf(stage), first!.content], files: [] };
  }
  // The shell reads heredocs itself.
  return { args: [...shellOf(stage), command.text + bodies(heredocs)], files: [] };
}

const bodies = (heredocs: readonly Heredoc[]): string => heredocs.map(doc => `\n${doc.content}${doc.name}`).join('');

/** As progress shows it: heredocs shortened to their first line. */
function shown(instruction: RunInstruction): string {
  const [first] = instruction.heredocs;
  return first === undefined ? instruction.original : `${instruction.original} (${first.content.split('\n')[0]}...)`;
}

async function execMount(
  conversion: Conversion,
  stage: StageState,
  instruction: RunInstruction,
  mount: RunMount,
  index: number,
): Promise<ExecMount> {
  const { range } = instruction;
  const value = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : expandIn(conversion, stage, text, range);
  const number = (text: string | undefined, radix: number, what: string): number | undefined => {
    const expanded = value(text);
    if (expanded === undefined) return undefined;
    const parsed = Number.parseInt(expanded, radix);
    if (!/^[0-9]+$/.test(expanded) || Number.isNaN(parsed))
      throw new DockerfileError(`invalid ${what}: ${expanded}`, range);
    return parsed;
  };
  const id = value(mount.id);
  const from = value(mount.from);
  const source = value(mount.source);
  let target = value(mount.target);
  let readOnly = mount.readOnly;
  let input: ExecMount['input'];
  if (mount.type === 'bind') {
    input = from === undefined ? conversion.mainContext : await conversion.source(from, stage, range);
    readOnly ??= true;
  } else if (mount.type === 'cache' && from !== undefined) input = await conversion.source(from, stage, range);
  else if (mount.type === 'secret') {
    target ??= mount.env === undefined ? `/run/secrets/${(id ?? source ?? '').split('/').at(-1)}` : '';
    readOnly = true;
  } else if (mount.type === 'ssh') target ??= `/run/buildkit/ssh_agent.${index}`;
  if (target === '/') throw new DockerfileError('invalid mount target "/"', range);
  const cwd = stage.config.WorkingDir || '/';
  const absolute =
    target === undefined || target === '' || target.startsWith('/') ? target : `${cwd.replace(/\/$/, '')}/${target}`;
  const mode = number(mount.mode, 8, 'mode');
  const uid = number(mount.uid, 10, 'uid');
  const gid = number(mount.gid, 10, 'gid');
  const named =
    mount.type === 'cache'
      ? (id ?? absolute)
      : mount.type === 'ssh'
        ? (id ?? 'default')
        : (id ?? source ?? absolute?.split('/').at(-1));
  return {
    type: mount.type,
    target: absolute ?? '',
    readOnly: readOnly ?? false,
    ...(input !== undefined && { input }),
    ...(source !== undefined && mount.type !== 'secret' && { source }),
    ...(mount.type !== 'bind' && mount.type !== 'tmpfs' && named !== undefined && { id: named }),
    ...(mount.sharing !== undefined && { sharing: mount.sharing }),
    ...(mount.required !== undefined && { required: mount.required }),
    ...(mode !== undefined && { mode }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
    ...(mount.sizeBytes !== undefined && { sizeBytes: mount.sizeBytes }),
    ...(mount.env !== undefined && { env: mount.env }),
  };
}
