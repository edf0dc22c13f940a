// Files of a container, as diff and the archive routes tell of them.

export const changeKinds = { modified: 0, added: 1, deleted: 2 } as const;

export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: (typeof changeKinds)[keyof typeof changeKinds];
}

/** The JSON of the X-Docker-Container-Path-Stat header. `mode` is Go's FileMode number, not st_mode. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}

/** Go's FileMode bits. */
export const fileModeBits = {
  directory: 0x80000000,
  symlink: 0x08000000,
  device: 0x04000000,
  namedPipe: 0x02000000,
  socket: 0x01000000,
  setuid: 0x00800000,
  setgid: 0x00400000,
  charDevice: 0x00200000,
  sticky: 0x00100000,
  permissions: 0o777,
} as const;
