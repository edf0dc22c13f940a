// The words of a program: what the launcher (native/shim) can be told to do. Each op is one system call, or the few that belong
// together; the launcher decides nothing. All policy is in whoever composes the list (src/runc).
//
// A program is a list of ops run in order by one process. `clone` starts a child that runs a list of its own; the two meet with
// `notify` and `await`. The first op that fails ends the program: its path (index in each list, outermost first), its errno and,
// where the kernel gives one, its text come back to TypeScript (see ProgramError). Errnos in `tolerate` count as success.
//
//     shim process                               init of the container
//     ────────────                               ─────────────────────
//     mkdir cgroups, pipes ...
//     clone(NEWNS|NEWPID|...) ────────────────▶  write "0" to its cgroups
//     netlink (veth into the child's netns)      make / private, mounts, pivot_root
//     notify child ───────────────────────────▶  await parent
//                                                netlink (lo, eth0, routes), /proc /dev /sys, masks
//     await child  ◀───────────────────────────  notify parent
//     ready  (tells the client: created)
//       … `start` arrives                        await parent
//     notify child ───────────────────────────▶  capabilities, seccomp, execve
//     await exec   ◀─────────────────────────── (the socket closes on exec, or brings the failure)

/** Index of a file descriptor that a program holds, 0 to 254 (a container may have many bind mounts, all opened before the root is left). A slot is set by the op that opens the descriptor; all are close-on-exec. A child starts with its parent's. */
export type Slot = number;

/** An errno by name, for `tolerate`. */
export type Errno =
  | 'EPERM'
  | 'ENOENT'
  | 'EIO'
  | 'ENXIO'
  | 'EBADF'
  | 'EACCES'
  | 'EBUSY'
  | 'EEXIST'
  | 'EXDEV'
  | 'ENODEV'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'ENOSYS'
  | 'EOPNOTSUPP'
  | 'EROFS'
  | 'ENOTEMPTY'
  | 'ESRCH'
  | 'ENOTCONN'
  | 'ELOOP';

/**
 * A path: relative to the directory in slot `dir` where one is given, else as the process sees it. An empty path is what `dir` itself
 * stands for (AT_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH). `resolve` are openat2 flags that bound the look-up; calls without such flags get
 * the bound by opening with O_PATH first: the parent directory for what makes or removes a name (mkdir, mknod, symlink, unlink, rmdir),
 * the thing itself for the rest (openTree, moveMount, chdir, chown ...).
 */
export interface At {
  readonly dir?: Slot;
  readonly path: string;
  /** openat2 RESOLVE_* flags (numbers of linux/openat2.h), default 0. */
  readonly resolve?: number;
}

interface Common {
  /** Who asked for it, for readers of the disassembly ("runtime-spec config.md Mounts: /proc"). Not sent to the launcher. */
  readonly why?: string;
  /** What was attempted, in the words that users know ("error mounting \"proc\" to rootfs at \"/proc\""): the error's text goes after a colon. Not sent to the launcher. */
  readonly failure?: string;
  /** Errnos that do not fail the program. */
  readonly tolerate?: readonly Errno[];
}

/** Where the u32 of a process id must be put into prepared bytes before they are sent: the pid of the latest child, as the launcher sees it. */
export interface PidPatch {
  readonly offset: number;
}

export type Op = Common &
  // ── processes and namespaces ─────────────────────────────────────────────────────────────────────────────────────
  /** clone3 with `flags` (CLONE_NEW*, CLONE_PARENT; linux/sched.h). The child runs `program` and must end in `exec` or `exit`. `cgroup` is a v2 cgroup directory for CLONE_INTO_CGROUP. `pidfd` receives the child's pidfd. */
  (
    | {
        readonly op: 'clone';
        readonly flags: number;
        readonly cgroup?: Slot;
        readonly pidfd?: Slot;
        readonly program: readonly Op[];
      }
    | { readonly op: 'unshare'; readonly flags: number }
    /** setns(2): `fd` is a namespace or a pidfd; flags CLONE_NEW*. */
    | { readonly op: 'setns'; readonly fd: Slot; readonly flags: number }
    /** Wakes the other side of the latest clone. */
    | { readonly op: 'notify'; readonly peer: 'child' | 'parent' }
    /** Waits for the other side's notify; `exec` waits until the child has executed its program (its end of the socket closed). Fails with the child's failure if it failed. */
    | { readonly op: 'await'; readonly peer: 'child' | 'parent' | 'exec' }
    /** Shim only: tells the client that the container is created, then waits for `start`. Without a shim (berth-runc) not allowed. */
    | { readonly op: 'ready' }
    | { readonly op: 'setsid' }
    /** prctl(option, arg2, arg3, arg4, arg5). */
    | { readonly op: 'prctl'; readonly option: number; readonly args: readonly number[] }
    /** keyctl(KEYCTL_JOIN_SESSION_KEYRING, name), and the possessor's permissions opened to the uid as runc does. */
    | { readonly op: 'joinSessionKeyring'; readonly name: string }
    /** Writes /proc/CHILD/{uid_map,gid_map,setgroups} of the latest child. */
    | { readonly op: 'writeIdMap'; readonly file: 'uid_map' | 'gid_map' | 'setgroups'; readonly data: string }
    | { readonly op: 'setgroups'; readonly gids: readonly number[] }
    /** setresgid / setresuid with the same id three times. */
    | { readonly op: 'setgid'; readonly gid: number }
    | { readonly op: 'setuid'; readonly uid: number }
    | { readonly op: 'umask'; readonly mask: number }
    /** capset(2), version 3: 64-bit sets. */
    | { readonly op: 'capset'; readonly effective: bigint; readonly permitted: bigint; readonly inheritable: bigint }
    /** Drops from the bounding set every capability not in `keep`, up to the kernel's last. */
    | { readonly op: 'capBounding'; readonly keep: bigint }
    /** Clears the ambient set and raises these. */
    | { readonly op: 'capAmbient'; readonly raise: bigint }
    | {
        readonly op: 'rlimit';
        readonly resource: number;
        readonly soft: bigint;
        readonly hard: bigint /** Where EPERM: set what the hard limit allows instead of failing. */;
        readonly clamp?: boolean;
      }
    | { readonly op: 'personality'; readonly persona: number }
    /** sched_setattr(2) with a struct sched_attr (linux/sched/types.h) as bytes. */
    | { readonly op: 'schedSetattr'; readonly attr: Uint8Array }
    | { readonly op: 'ioprio'; readonly value: number }
    | { readonly op: 'cpuAffinity'; readonly mask: Uint8Array }
    /** seccomp(SECCOMP_SET_MODE_FILTER, flags, sock_fprog): `filter` is an array of struct sock_filter. With SECCOMP_FILTER_FLAG_NEW_LISTENER the fd goes to `listener`. */
    | { readonly op: 'seccomp'; readonly filter: Uint8Array; readonly flags: number; readonly listener?: Slot }
    | { readonly op: 'sethostname'; readonly name: string }
    | { readonly op: 'setdomainname'; readonly name: string }
    /** execve of the first candidate that exists. A bare command has one candidate per entry of PATH. With several, ENOENT and ENOTDIR go on to the next, EACCES is remembered, as execvp(3) does. Never returns. */
    | {
        readonly op: 'exec';
        readonly candidates: readonly string[];
        readonly args: readonly string[];
        readonly env: readonly string[];
      }
    /** Only looks: succeeds when one of the candidates is a regular file that this process may execute, else fails as `exec` would (EACCES for a directory, as execve does). For a failure that must be told before a gate. */
    | { readonly op: 'checkExec'; readonly candidates: readonly string[] }
    | { readonly op: 'exit'; readonly code: number }
    /** pidfd_open(2). */
    | { readonly op: 'pidfdOpen'; readonly slot: Slot; readonly pid: number }
    /** Blocks until a byte can be read from `slot`, and takes it (the gate that `berth-runc start` opens: a FIFO held open for reading and writing). */
    | { readonly op: 'awaitByte'; readonly slot: Slot }
    /** set_mempolicy(2). */
    | { readonly op: 'memoryPolicy'; readonly mode: number; readonly nodes: Uint8Array }
    /** BPF_PROG_LOAD of a BPF_PROG_TYPE_CGROUP_DEVICE program (struct bpf_insn array) and BPF_PROG_ATTACH to the v2 cgroup in `cgroup`. */
    | { readonly op: 'deviceFilter'; readonly cgroup: Slot; readonly program: Uint8Array }
    /** Runs a program of the host to its end (a hook): `stdin` is given to it, with the pid put in as decimal text where `pidToken` stands. Fails with EIO when it exits non-zero or `timeoutMs` passes; its last 4 KiB of stderr are the error's text. */
    | {
        readonly op: 'run';
        readonly path: string;
        readonly args: readonly string[];
        readonly env: readonly string[];
        readonly stdin: string;
        readonly pidToken?: string;
        readonly timeoutMs: number;
      }

    // ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────
    /** openat2 into `slot`. */
    | ({ readonly op: 'open'; readonly slot: Slot; readonly flags: number; readonly mode?: number } & At)
    | { readonly op: 'close'; readonly slot: Slot }
    /** fstatfs(2): fails with EXDEV where the file system of `slot` is not of `magic` (linux/magic.h); `mode`, where given, is compared with S_IFMT of fstat, `rdev` with its device number; EINVAL. */
    | {
        readonly op: 'verify';
        readonly slot: Slot;
        readonly magic?: number;
        readonly type?: number;
        readonly rdev?: number;
      }
    /** mkdirat; `parents` makes missing ancestors (mode 0755) and takes an existing directory for success. */
    | ({ readonly op: 'mkdir'; readonly mode: number; readonly parents?: boolean } & At)
    | ({ readonly op: 'mknod'; readonly mode: number; readonly major: number; readonly minor: number } & At)
    | ({ readonly op: 'symlink'; readonly target: string } & At)
    | ({ readonly op: 'chown'; readonly uid: number; readonly gid: number } & At)
    | ({ readonly op: 'chmod'; readonly mode: number } & At)
    | ({ readonly op: 'unlink' } & At)
    | ({ readonly op: 'rmdir' } & At)
    /** Opens with O_WRONLY | `flags`, writes all in one write(2), closes. */
    | ({
        readonly op: 'write';
        readonly data: string | Uint8Array;
        readonly flags?: number;
        readonly mode?: number;
      } & At)
    | ({ readonly op: 'chdir' } & At)
    | { readonly op: 'fchdir'; readonly slot: Slot }
    | ({ readonly op: 'chroot' } & At)

    // ── mounts: by descriptor, so that no path is looked up twice ────────────────────────────────────────────────────
    /** mount(2). */
    | {
        readonly op: 'mount';
        readonly source: string;
        readonly target: string;
        readonly type: string;
        readonly flags: number;
        readonly data: string;
      }
    | { readonly op: 'umount'; readonly target: string; readonly flags: number }
    | { readonly op: 'pivotRoot'; readonly newRoot: string; readonly putOld: string }
    /** fsopen + fsconfig of each option (a flag where it has no "=", `source` too) + create + fsmount with MOUNT_ATTR_* `attributes`: a mount that is nowhere yet, in `slot`. */
    | {
        readonly op: 'fsmount';
        readonly slot: Slot;
        readonly type: string;
        readonly source: string;
        readonly options: readonly string[];
        readonly attributes: number;
      }
    /** open_tree with OPEN_TREE_CLONE (and AT_RECURSIVE): a copy of a mount that is nowhere yet. */
    | ({ readonly op: 'openTree'; readonly slot: Slot; readonly recursive: boolean } & At)
    /** mount_setattr on the mount in `slot`, or at `path`: MOUNT_ATTR_* set and clr, MS_PRIVATE and such as propagation, `userns` for MOUNT_ATTR_IDMAP. */
    | {
        readonly op: 'mountSetattr';
        readonly slot?: Slot;
        readonly path?: string;
        readonly set: number;
        readonly clear: number;
        readonly propagation: number;
        readonly userns?: Slot;
        readonly recursive: boolean;
      }
    /** move_mount of the mount in `slot` onto a path. `make` makes the target first where it is missing, with its parents (`same`: a directory where the mount's root is one, else a file): nothing is followed out of `dir` when `resolve` forbids it. */
    | ({ readonly op: 'moveMount'; readonly slot: Slot; readonly make?: 'directory' | 'file' | 'same' } & At)
    /** Hides what is at `path`: a directory under a copy of the mount in `directory`, anything else under a copy of the mount in `file`. Nothing there: success. */
    | ({ readonly op: 'mask'; readonly file: Slot; readonly directory: Slot } & At)
    /** Makes what is at `path` read-only with all mounts below it: a recursive copy of it, read-only, goes over it. Nothing there: success. */
    | ({ readonly op: 'readonlyPath' } & At)
    /** Copies what is at `path` into the mount in `slot` before it is moved there (tmpcopyup): owners, modes, links, xattrs; bounded by `maxBytes`. */
    | ({ readonly op: 'copyUp'; readonly slot: Slot; readonly maxBytes: number } & At)

    // ── network ──────────────────────────────────────────────────────────────────────────────────────────────────────
    /** Sends netlink messages in the process's own network namespace and reads the acknowledgement of each; the error is the first message's that failed. */
    | {
        readonly op: 'netlink';
        readonly protocol: number;
        readonly messages: Uint8Array;
        readonly pid?: readonly PidPatch[];
      }

    // ── standard streams ─────────────────────────────────────────────────────────────────────────────────────────────
    /** pipe2(O_CLOEXEC) with F_SETPIPE_SZ to `size` bytes (as much as the kernel allows). */
    | {
        readonly op: 'pipe';
        readonly read: Slot;
        readonly write: Slot;
        readonly size: number /** owner of the pipe, so that a container's user may reopen /dev/stdout */;
        readonly uid?: number;
        readonly gid?: number;
      }
    /** dup2 onto a plain descriptor (0, 1, 2, 3 ...), without close-on-exec. */
    | { readonly op: 'dup'; readonly slot: Slot; readonly fd: number }
    /** Opens ptmx (`path`, in the container's own devpts), unlocks it, sets the size unless 0; the slave by TIOCGPTPEER, so that no path is trusted, then owned by `uid`. Master and slave into slots. */
    | ({
        readonly op: 'openPty';
        readonly master: Slot;
        readonly slave: Slot;
        readonly rows: number;
        readonly columns: number;
        readonly uid: number;
      } & At)
    /** TIOCSCTTY on the slave in slot. */
    | { readonly op: 'controllingTty'; readonly slot: Slot }
    /** Sends a descriptor over the sync socket to the parent, which takes it into its slot with `receiveFd`. */
    | { readonly op: 'sendFd'; readonly slot: Slot }
    | { readonly op: 'receiveFd'; readonly slot: Slot }
    /** Connects to a unix socket and sends `slot` by SCM_RIGHTS (--console-socket, --pidfd-socket, seccomp listenerPath), with `data` as the message. */
    | {
        readonly op: 'sendFdTo';
        readonly socket: string;
        readonly slot: Slot;
        readonly data: string;
        /** Where this stands in `data`, the pid of the latest child is put in, as decimal text. */
        readonly pidToken?: string;
      }
    /** Shim only: these slots are the container's (or the exec's) streams; the shim takes them over. */
    | {
        readonly op: 'stdio';
        readonly terminal?: Slot;
        readonly stdin?: Slot;
        readonly stdout?: Slot;
        readonly stderr?: Slot;
      }
    /** close_range(first, ~0, CLOSE_RANGE_CLOEXEC): nothing of the launcher leaks into the container. */
    | { readonly op: 'closeOnExecFrom'; readonly fd: number }
  );

export type OpName = Op['op'];

/** A whole program: what the first process runs. */
export type Program = readonly Op[];

/** Where and why a program stopped. */
export interface ProgramFailure {
  /** Index of the op in each list, outermost first: [4, 12] is op 12 of the child that op 4 started. */
  readonly path: readonly number[];
  readonly errno: number;
  /** The kernel's extended text (netlink), a hook's stderr, or ''. */
  readonly detail: string;
}
