import { InvalidArgument } from '../errdefs/index.ts';
import { errnoName } from './errno.ts';
import type { Op, Program, ProgramFailure } from './op.ts';

/** Reads a failure as native/shim's failure_encode writes it. */
export function decodeFailure(bytes: Uint8Array): ProgramFailure {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number): number => {
    if (at + 4 > bytes.length) throw new InvalidArgument('failure ends too early');
    return view.getUint32(at, true);
  };
  const depth = u32(4);
  const path = Array.from({ length: Math.min(depth, bytes.length / 4) }, (_, i) => u32(8 + 4 * i));
  const start = 8 + 4 * depth;
  const size = u32(start);
  const detail = Buffer.from(bytes.subarray(start + 4, start + 4 + size)).toString();
  return { path, errno: u32(0), detail };
}

/** The op that failed, found by its path; undefined when the failure is of another program. */
export function failedOp(program: Program, failure: ProgramFailure): Op | undefined {
  let list: Program | undefined = program;
  let op: Op | undefined;
  for (const index of failure.path) {
    op = list?.[index];
    list = op?.op === 'clone' ? op.program : undefined;
  }
  return op;
}

/** A program stopped. `message` says what was attempted in the words of the op's `failure`, else by the op's name. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  readonly failure: ProgramFailure;
  readonly op: Op | undefined;
  /** The errno's name. */
  readonly code: string;

  constructor(program: Program, failure: ProgramFailure) {
    const op = failedOp(program, failure);
    const code = errnoName(failure.errno);
    // Nothing has run: the launcher refused the program as a whole.
    const otherVersion = failure.path.length === 0 && code === 'EPROTO';
    const reason = otherVersion
      ? 'berth-shim was built from other sources than this engine: build it again (npm install) and restart the engine'
      : failure.detail || describeErrno(failure.errno);
    const attempted = otherVersion
      ? 'running a program'
      : (op?.failure ?? `op ${failure.path.join('.')}${op ? ` (${op.op})` : ''}`);
    super(`${attempted}: ${reason}`);
    this.failure = failure;
    this.op = op;
    this.code = code;
  }
}

/** 2 → "no such file or directory", as strerror(3) of Go and Docker's messages have it: lower case. */
export function describeErrno(number: number): string {
  return descriptions[errnoName(number)] ?? `errno ${number}`;
}

const descriptions: Readonly<Record<string, string>> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  ESRCH: 'no such process',
  EINTR: 'interrupted system call',
  EIO: 'input/output error',
  ENXIO: 'no such device or address',
  E2BIG: 'argument list too long',
  ENOEXEC: 'exec format error',
  EBADF: 'bad file descriptor',
  ECHILD: 'no child processes',
  EAGAIN: 'resource temporarily unavailable',
  ENOMEM: 'cannot allocate memory',
  EACCES: 'permission denied',
  EFAULT: 'bad address',
  EBUSY: 'device or resource busy',
  EEXIST: 'file exists',
  EXDEV: 'invalid cross-device link',
  ENODEV: 'no such device',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EINVAL: 'invalid argument',
  ENFILE: 'too many open files in system',
  EMFILE: 'too many open files',
  ENOTTY: 'inappropriate ioctl for device',
  ETXTBSY: 'text file busy',
  EFBIG: 'file too large',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
  EMLINK: 'too many links',
  EPIPE: 'broken pipe',
  ERANGE: 'numerical result out of range',
  EDEADLK: 'resource deadlock avoided',
  ENAMETOOLONG: 'file name too long',
  ENOSYS: 'function not implemented',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many levels of symbolic links',
  ENODATA: 'no data available',
  EOVERFLOW: 'value too large for defined data type',
  EMSGSIZE: 'message too long',
  EOPNOTSUPP: 'operation not supported',
  EAFNOSUPPORT: 'address family not supported by protocol',
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  ENETDOWN: 'network is down',
  ENETUNREACH: 'network is unreachable',
  ECONNRESET: 'connection reset by peer',
  ENOBUFS: 'no buffer space available',
  ENOTCONN: 'transport endpoint is not connected',
  ETIMEDOUT: 'connection timed out',
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  EDQUOT: 'disk quota exceeded',
};
