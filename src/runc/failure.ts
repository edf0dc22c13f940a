// Where a program stopped → what runc would have said.

import { describeErrno, errnoName, failedOp, type Op, type Program, type ProgramFailure } from '../launcher/index.ts';

/** Explains the two errnos that users meet most when a file was taken for a directory, as Docker's own stack does. */
const mountHint =
  ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type';

/**
 * The failure in runc's words, without its prefix ("OCI runtime create failed: runc create failed: unable to start container process: ").
 * Clients read them: "executable file not found in $PATH" and "no such file or directory" make exit code 127, "permission denied" 126.
 */
export function failureMessage(program: Program, failure: ProgramFailure): string {
  const op = failedOp(program, failure);
  const inner = describe(op, failure);
  // Everything in a child happens in the container's init, as runc divides it.
  return failure.path.length > 1 && !isExecProgram(program) ? `error during container init: ${inner}` : inner;
}

/** An exec has no init of its own. */
const isExecProgram = (program: Program): boolean => program.some(op => op.op === 'pidfdOpen');

function describe(op: Op | undefined, failure: ProgramFailure): string {
  const name = errnoName(failure.errno);
  const reason = describeErrno(failure.errno);
  if (op === undefined) return failure.detail || reason;
  if (op.op === 'exec' || op.op === 'checkExec') return execMessage(op, failure, name, reason);
  const attempted = op.failure ?? op.op;
  // move_mount(2) says EINVAL where mount(2), whose word users know, says ENOTDIR.
  const mixed = op.op === 'moveMount' && name === 'EINVAL';
  const text = mixed ? 'not a directory' : failure.detail || reason;
  const confused = (mixed || name === 'ENOTDIR') && /^(error mounting|mkdir|chdir)/.test(attempted);
  if (op.op === 'mkdir' && attempted === 'unable to apply cgroup configuration: mkdir')
    return `${attempted} ${op.path}: ${text}`;
  return `${attempted}: ${text}${confused ? mountHint : ''}`;
}

function execMessage(
  op: Op & { op: 'exec' | 'checkExec' },
  failure: ProgramFailure,
  name: string,
  reason: string,
): string {
  const bare = op.failure?.startsWith('exec: "') && !/^exec: "[^"]*\//.test(op.failure);
  const attempted = op.failure ?? 'exec';
  // Go's LookPath: a bare command that no entry of PATH has, or none that may be run, is "not found".
  if (bare && (name === 'ENOENT' || name === 'ENOTDIR' || name === 'EACCES')) {
    return `${attempted}: executable file not found in $PATH`;
  }
  if (failure.detail === 'is a directory') return `${attempted}: is a directory: permission denied`;
  const path = op.candidates[0] ?? '';
  if (name === 'ENOENT' || name === 'ENOTDIR') return `${attempted}: stat ${path}: ${reason}`;
  if (name === 'EACCES') return `${attempted}: permission denied`;
  return `exec ${path}: ${reason}`;
}
