// Names for the numbers in a program, as the kernel's headers have them.

type Names = ReadonlyArray<readonly [bit: number, name: string]>;

/** 0x20020000 → "NEWPID|NEWNS"; bits without a name are added in hexadecimal. */
export function flagNames(value: number, names: Names): string {
  let rest = value >>> 0;
  const found: string[] = [];
  for (const [bit, name] of names) {
    const mask = bit >>> 0;
    if (mask === 0 || (rest & mask) >>> 0 !== mask) continue;
    found.push(name);
    rest = (rest & ~mask) >>> 0;
  }
  if (rest !== 0) found.push(`0x${rest.toString(16)}`);
  return found.join('|') || '0';
}

export const cloneFlags: Names = [
  [0x00020000, 'NEWNS'],
  [0x02000000, 'NEWCGROUP'],
  [0x04000000, 'NEWUTS'],
  [0x08000000, 'NEWIPC'],
  [0x10000000, 'NEWUSER'],
  [0x20000000, 'NEWPID'],
  [0x40000000, 'NEWNET'],
  [0x00000080, 'NEWTIME'],
  [0x00008000, 'PARENT'],
  [0x00000200, 'FS'],
];

export const openFlags: Names = [
  [0o10200000, 'O_PATH'],
  [0o20200000, 'O_TMPFILE'],
  [0o1, 'O_WRONLY'],
  [0o2, 'O_RDWR'],
  [0o100, 'O_CREAT'],
  [0o200, 'O_EXCL'],
  [0o400, 'O_NOCTTY'],
  [0o1000, 'O_TRUNC'],
  [0o2000, 'O_APPEND'],
  [0o4000, 'O_NONBLOCK'],
  [0o200000, 'O_DIRECTORY'],
  [0o400000, 'O_NOFOLLOW'],
  [0o2000000, 'O_CLOEXEC'],
  [0o10000000, 'O_PATH'],
];

export const resolveFlags: Names = [
  [0x01, 'NO_XDEV'],
  [0x02, 'NO_MAGICLINKS'],
  [0x04, 'NO_SYMLINKS'],
  [0x08, 'BENEATH'],
  [0x10, 'IN_ROOT'],
  [0x20, 'CACHED'],
];

export const mountFlags: Names = [
  [1, 'RDONLY'],
  [2, 'NOSUID'],
  [4, 'NODEV'],
  [8, 'NOEXEC'],
  [16, 'SYNCHRONOUS'],
  [32, 'REMOUNT'],
  [64, 'MANDLOCK'],
  [128, 'DIRSYNC'],
  [256, 'NOSYMFOLLOW'],
  [1024, 'NOATIME'],
  [2048, 'NODIRATIME'],
  [4096, 'BIND'],
  [8192, 'MOVE'],
  [16384, 'REC'],
  [32768, 'SILENT'],
  [1 << 16, 'POSIXACL'],
  [1 << 17, 'UNBINDABLE'],
  [1 << 18, 'PRIVATE'],
  [1 << 19, 'SLAVE'],
  [1 << 20, 'SHARED'],
  [1 << 21, 'RELATIME'],
  [1 << 23, 'I_VERSION'],
  [1 << 24, 'STRICTATIME'],
  [1 << 25, 'LAZYTIME'],
];

export const mountAttributes: Names = [
  [0x01, 'RDONLY'],
  [0x02, 'NOSUID'],
  [0x04, 'NODEV'],
  [0x08, 'NOEXEC'],
  [0x10, 'NOATIME'],
  [0x20, 'STRICTATIME'],
  [0x80, 'NODIRATIME'],
  [0x100000, 'IDMAP'],
  [0x200000, 'NOSYMFOLLOW'],
];

export const umountFlags: Names = [
  [1, 'FORCE'],
  [2, 'DETACH'],
  [4, 'EXPIRE'],
  [8, 'NOFOLLOW'],
];

export const seccompFlags: Names = [
  [1, 'TSYNC'],
  [2, 'LOG'],
  [4, 'SPEC_ALLOW'],
  [8, 'NEW_LISTENER'],
  [16, 'TSYNC_ESRCH'],
  [32, 'WAIT_KILLABLE_RECV'],
];

const capabilities =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

/** A capability set: "CHOWN,KILL", "none", "all", or "all but SYS_TIME" where that is shorter. */
export function capabilityNames(set: bigint): string {
  const has = (_: string, bit: number): boolean => ((set >> BigInt(bit)) & 1n) === 1n;
  const held = capabilities.filter(has);
  const missing = capabilities.filter((name, bit) => !has(name, bit));
  const beyond = set >> BigInt(capabilities.length);
  if (held.length === 0 && beyond === 0n) return 'none';
  if (missing.length === 0) return 'all';
  if (missing.length < 10 && held.length > 20) return `all but ${missing.join(',')}`;
  return held.join(',') + (beyond ? `,0x${(beyond << BigInt(capabilities.length)).toString(16)}` : '');
}

export const rlimitNames =
  'CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME'.split(' ');

export const prctlNames: ReadonlyMap<number, string> = new Map([
  [1, 'SET_PDEATHSIG'],
  [4, 'SET_DUMPABLE'],
  [8, 'SET_KEEPCAPS'],
  [15, 'SET_NAME'],
  [28, 'SET_SECUREBITS'],
  [36, 'SET_CHILD_SUBREAPER'],
  [38, 'SET_NO_NEW_PRIVS'],
  [57, 'SET_IO_FLUSHER'],
]);

export const netlinkProtocols: ReadonlyMap<number, string> = new Map([
  [0, 'ROUTE'],
  [12, 'NETFILTER'],
  [16, 'GENERIC'],
]);
