// The addon (native/addon): system calls that Node lacks. Synchronous; each throws a SystemError. Fit for worker threads.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What a failed call throws: `code` is the errno's name ('ENOENT'), `syscall` what was called, the message "mount: No such device". */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

/** A file's name: bytes where it is not UTF-8. */
export type PathLike = string | Uint8Array;

/** What statx(2) tells. Times are seconds and nanoseconds since 1970. */
export interface Stat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly blocks: number;
  readonly ino: number;
  readonly nlink: number;
  readonly dev: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
  readonly mountId: number;
}

export interface SpawnOptions {
  /** Path of the program, or a descriptor of it (a sealed memfd). */
  readonly file: string | number;
  /** argv, [0] included. */
  readonly args: readonly string[];
  /** "NAME=value". */
  readonly env: readonly string[];
  /** fds[i] becomes descriptor i of the program, -1 is /dev/null. It gets no others. At most 64. */
  readonly fds: readonly number[];
  /** setsid(2) before the program runs. */
  readonly newSession?: boolean;
}

/** Directory descriptor of the calls ending in "at" that means the working directory. */
export const AT_FDCWD = -100;

export interface Native {
  /** Starts a program by vfork: the thread stands still until it runs (about 0.3 ms whatever our size), signals are at their defaults. Reap it with `waitPid`. */
  spawn(options: SpawnOptions): number;
  /** How a child of ours ended, or null while it runs. Killed by a signal: `code` is 128 + signal. ECHILD when it is not ours (any more). */
  waitPid(pid: number): { readonly code: number; readonly signal: number } | null;
  /** A copy of a file, or bytes, in memory that nobody can change any more. Executable. */
  sealedMemfd(content: Uint8Array | string): number;
  /** pidfd_open(2). */
  pidfdOpen(pid: number): number;
  /** pidfd_send_signal(2): the process meant is the process hit, whatever became of its id. Signal 0 only asks. */
  pidfdSendSignal(fd: number, signal: number): void;
  /** setns(2) of the calling thread: for a worker of its own, never the main thread. */
  setns(fd: number, flags: number): void;
  /** unshare(2) of the calling thread. A worker that calls it with CLONE_FS has its own umask, root and working directory; with CLONE_NEWNS its own mounts. */
  unshare(flags: number): void;
  /** Sets the umask (of the whole process, unless the thread unshared CLONE_FS) and answers the one before. */
  umask(mask: number): number;
  /** Orphaned descendants become our children. */
  prctlSubreaper(): void;

  /** socketpair(2) of unix sockets; type 1 SOCK_STREAM, 2 SOCK_DGRAM, 5 SOCK_SEQPACKET. */
  socketpair(type: number): [number, number];
  /** Sends bytes (at least one) with descriptors over a unix socket, without waiting; EAGAIN when the socket is full. Answers the number of bytes taken. */
  sendFds(fd: number, bytes: Uint8Array, fds: readonly number[]): number;
  /** Receives without waiting; null when nothing is there. No bytes: the other side has closed. The descriptors are the caller's to close. */
  receiveFds(fd: number, maxBytes: number, maxFds: number): { readonly bytes: Buffer; readonly fds: number[] } | null;
  /** socket(2) inside a network namespace (-1: our own). Close-on-exec, blocking. */
  socketInNetns(netnsFd: number, domain: number, type: number, protocol: number): number;
  /** A socket bound to an IPv4 or IPv6 address inside a network namespace (-1: our own); listens when type is 1 (stream), 2 is a datagram. Non-blocking. */
  listenInNetns(netnsFd: number, type: number, address: string, port: number, backlog: number): number;
  /** A new, empty network namespace, alive as long as the descriptor. */
  newNetns(): number;
  /** SO_PEERCRED. */
  peerCred(fd: number): { readonly pid: number; readonly uid: number; readonly gid: number };
  /** shutdown(2): 0 reading, 1 writing, 2 both. */
  shutdown(fd: number, how: number): void;
  close(fd: number): void;
  /** A second descriptor, close-on-exec. */
  dup(fd: number): number;

  /** A netlink socket, of another network namespace where its descriptor is given. Prefer NetlinkSocket. */
  openNetlink(protocol: number, netnsFd?: number): number;
  /** Joins a multicast group by number. */
  netlinkJoin(fd: number, group: number): void;
  /** Sends messages in one datagram and answers everything that came back, until each that asked NLM_F_ACK is acknowledged or refused and each dump is complete. Errors among the answers are the caller's to read. */
  netlinkRequest(fd: number, messages: Uint8Array): Buffer;
  /** Events that have arrived, or null. ENOBUFS: some were lost, list anew. */
  netlinkReceive(fd: number): Buffer | null;

  /** mount(2). */
  mount(source: PathLike, target: PathLike, type: string, flags: number, data: string): void;
  umount2(target: PathLike, flags: number): void;
  /** openat2(2); O_CLOEXEC is implied. */
  openat2(dirFd: number, path: PathLike, flags: number, mode: number, resolve: number): number;
  mkdirat(dirFd: number, path: PathLike, mode: number): void;
  mknodat(dirFd: number, path: PathLike, mode: number, major: number, minor: number): void;
  symlinkat(target: PathLike, dirFd: number, path: PathLike): void;
  linkat(fromDirFd: number, from: PathLike, toDirFd: number, to: PathLike, flags: number): void;
  unlinkat(dirFd: number, path: PathLike, flags: number): void;
  renameat2(fromDirFd: number, from: PathLike, toDirFd: number, to: PathLike, flags: number): void;
  readlinkat(dirFd: number, path: PathLike): Buffer;
  /** Flags 0x100 AT_SYMLINK_NOFOLLOW, 0x1000 AT_EMPTY_PATH. */
  fchownat(dirFd: number, path: PathLike, uid: number, gid: number, flags: number): void;
  /** Follows a symbolic link: whoever unpacks hostile trees opens the file and passes its directory and a name that is no link. */
  fchmodat(dirFd: number, path: PathLike, mode: number): void;
  utimensat(
    dirFd: number,
    path: PathLike,
    atimeSec: number,
    atimeNsec: number,
    mtimeSec: number,
    mtimeNsec: number,
    flags: number,
  ): void;
  statx(dirFd: number, path: PathLike, flags: number): Stat;
  /** Extended attributes by path (a last symbolic link is not followed) or by descriptor. Flags 1 XATTR_CREATE, 2 XATTR_REPLACE. */
  lsetxattr(target: PathLike | number, name: string, value: Uint8Array, flags: number): void;
  lremovexattr(target: PathLike | number, name: string): void;
  /** Null where there is no such attribute. */
  lgetxattr(target: PathLike | number, name: string): Buffer | null;
  llistxattr(target: PathLike | number): string[];
  syncfs(fd: number): void;
  /** Tells a terminal its size (TIOCSWINSZ on either side of a pty): the programs in it get SIGWINCH. */
  setWindowSize(fd: number, rows: number, columns: number): void;
  /** flock(2): 1 shared, 2 exclusive, 8 unlock, | 4 without waiting (EWOULDBLOCK comes as EAGAIN). */
  flock(fd: number, operation: number): void;
  /** Makes a file share the other's blocks (btrfs, xfs), else EOPNOTSUPP or EXDEV. */
  ficlone(toFd: number, fromFd: number): void;
  /** Flags of a file (chattr(1); linux/fs.h FS_*_FL), after adding `add`. ENOTTY or EOPNOTSUPP where the file system has none. */
  fileFlags(fd: number, add: number): number;
  /** copy_file_range(2); null uses and moves the descriptor's own offset. Answers the bytes copied, 0 at the end. */
  copyFileRange(fromFd: number, fromOffset: number | null, toFd: number, toOffset: number | null, size: number): number;
}

let loaded: Native | undefined;

/** The addon, loaded on first use. */
export function native(): Native {
  if (loaded) return loaded;
  const module = { exports: {} };
  process.dlopen(module, nativeFile('berth.node'));
  loaded = module.exports as Native;
  return loaded;
}

let sealed: number | undefined;

/** A descriptor of berth-shim in sealed memory, made once: what runs from there cannot be reached through /proc/PID/exe on disk, or changed (CVE-2019-5736). */
export function launcherBinary(): number {
  sealed ??= native().sealedMemfd(nativeFile('berth-shim'));
  return sealed;
}

/** Path of a built native piece: `berth.node`, `berth-shim` or `berth-init`. We may run from src/launcher/ or from a bundle in dist/. */
export function nativeFile(name: string): string {
  // A CommonJS bundle has no import.meta.
  const start = import.meta.dirname ?? __dirname;
  for (let directory = start; ; directory = dirname(directory)) {
    const file = join(directory, 'build', name);
    if (existsSync(file)) return file;
    if (directory === dirname(directory)) break;
  }
  throw new Error(
    `the native piece build/${name} was not found above ${start}: run 'npm run postinstall' (needs a C compiler)`,
  );
}
