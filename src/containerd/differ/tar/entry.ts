// One entry of a tar archive, independent of the dialect it was written in (ustar, GNU, PAX).

export type EntryType = 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** A piece of a sparse file that holds data. */
export interface SparsePiece {
  readonly offset: number;
  readonly length: number;
}

export interface TarEntry {
  readonly type: EntryType;
  /** As in the archive; see name.ts for what is not UTF-8. */
  readonly path: string;
  /** Target of a link. */
  readonly linkName: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size of the file, holes included; 0 for what has no data. */
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly devMajor: number;
  readonly devMinor: number;
  /** By full name (`user.x`, `security.capability`); values are bytes. */
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
  /** Data pieces of a sparse file, ascending. Undefined for an ordinary one. */
  readonly sparse: readonly SparsePiece[] | undefined;
  readonly userName: string;
  readonly groupName: string;
}
