export { decodeProgram } from './decode.ts';
export { type DisassembleOptions, disassemble, disassembleOp } from './disassemble.ts';
export { encodeProgram } from './encode.ts';
export { errnoName, errnoNumber } from './errno.ts';
export { decodeFailure, describeErrno, failedOp, ProgramError } from './failure.ts';
export {
  AT_FDCWD,
  launcherBinary,
  type Native,
  native,
  nativeFile,
  type PathLike,
  type SpawnOptions,
  type Stat,
  type SystemError,
} from './native.ts';
export { NetlinkMonitor, NetlinkSocket } from './netlink-socket.ts';
export type { At, Errno, Op, OpName, PidPatch, Program, ProgramFailure, Slot } from './op.ts';
export { type Exit, type Run, type RunOptions, runProgram } from './run.ts';
