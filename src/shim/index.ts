export { type ReleasedSocket, releaseSocket } from './client-socket.ts';
export { parseDetachKeys } from './detach-keys.ts';
export { readExitFile } from './exit-file.ts';
export { connectShim, type StartShimOptions, startShim } from './native-shim.ts';
export { reapLater } from './reaper.ts';
export type {
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
export { type SyslogConfig, validateSyslog } from './syslog.ts';
