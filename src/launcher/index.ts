export {
  AT_FDCWD,
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
