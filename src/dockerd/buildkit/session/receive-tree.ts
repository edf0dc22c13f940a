// Receives a directory tree over fsutil's protocol (tonistiigi/fsutil receive.go): the client tells what it has, we ask for the
// files that differ from what an earlier build left, and drop what is gone.
//
//     daemon                                client
//       ◀── STAT path, mode, size, time ───   for each file, directory and link, parents first; its number is its place
//       ─── REQUEST number ──────────────▶   for each file that is new or changed
//       ◀── DATA number, bytes ───────────   until an empty one
//       ◀── STAT (none) ──────────────────   that was all
//       ─── FIN ─────────────────────────▶
//       ◀── FIN ──────────────────────────

import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { EngineError, InvalidArgument, ResourceExhausted } from '../../../errdefs/index.ts';
import type { GrpcStream } from '../grpc/client.ts';
import { type Packet, packetTypes, type Stat } from '../proto/session.ts';
import type { MessageOf } from '../proto/wire.ts';

export type PacketStream = GrpcStream<MessageOf<typeof Packet>, MessageOf<typeof Packet>>;
type FileStat = MessageOf<typeof Stat>;

const goModeDir = 0x80000000;
const goModeSymlink = 0x08000000;
const goModeSetuid = 0x00800000;
const goModeSetgid = 0x00400000;
const goModeSticky = 0x00100000;
/** Devices, pipes and sockets: not taken from a client. */
const goModeOther = 0x04000000 | 0x02000000 | 0x01000000 | 0x00200000;
const maxEntries = 2_000_000;

export interface Received {
  readonly files: number;
  /** Bytes that came over the wire. */
  readonly bytes: number;
}

/**
 * What the last whole sync of a directory left there: path → what the client said of it. Nobody else writes to these directories, so
 * what the client says again need not be looked at.
 */
const synced = new Map<string, ReadonlyMap<string, string>>();
const maxSynced = 32;

/** A directory that was dropped and made again has the same path, but is another one. */
function identityOf(directory: string): string {
  const { dev, ino, birthtimeNs } = statSync(directory, { bigint: true });
  return `${directory} ${dev}:${ino} ${birthtimeNs}`;
}

/** Makes `directory` equal to what the client has. `onBytes` is told of what has come. */
export async function receiveTree(
  stream: PacketStream,
  directory: string,
  onBytes: (bytes: number) => void,
): Promise<Received> {
  const receiver = new Receiver(stream, directory, onBytes);
  try {
    return await receiver.run();
  } finally {
    receiver.close();
  }
}

class Receiver {
  readonly #stream: PacketStream;
  readonly #root: string;
  readonly #onBytes: (bytes: number) => void;
  /** Paths received, and whether they are directories. */
  readonly #seen = new Map<string, boolean>();
  /** Files under way, by number. */
  readonly #open = new Map<number, { fd: number; path: string; stat: FileStat }>();
  /** Directories' times are set last, since what is put into them changes them. */
  readonly #directories: { path: string; stat: FileStat }[] = [];
  readonly #links: { path: string; target: string }[] = [];
  readonly #identity: string;
  readonly #last: ReadonlyMap<string, string> | undefined;
  readonly #now = new Map<string, string>();
  #number = 0;
  #allTold = false;
  #finSent = false;
  #bytes = 0;

  constructor(stream: PacketStream, root: string, onBytes: (bytes: number) => void) {
    this.#stream = stream;
    this.#root = root;
    this.#onBytes = onBytes;
    this.#identity = identityOf(root);
    this.#last = synced.get(this.#identity);
    // A sync that fails half-way leaves something else than it was told.
    synced.delete(this.#identity);
    synced.delete(root); // until this one is whole
  }

  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  async run(): Promise<Received> {
    for await (const packet of this.#stream.answers()) {
      switch (packet.type) {
        case packetTypes.stat:
          if (packet.stat === undefined) this.#allTold = true;
          else await this.#stat(packet.stat);
          break;
        case packetTypes.data:
          this.#data(packet.ID, packet.data);
          break;
        case packetTypes.error:
          throw new EngineError(
            'Unknown',
            Buffer.from(packet.data).toString() || 'the client failed to send its files',
          );
        case packetTypes.fin:
          return { files: this.#seen.size, bytes: this.#bytes };
      }
      if (this.#allTold && this.#open.size === 0 && !this.#finSent) {
        this.#finSent = true;
        this.#finish();
        await this.#stream.send({ type: packetTypes.fin });
        this.#stream.end();
      }
    }
    if (!this.#finSent) throw new EngineError('Unknown', 'the client stopped sending its files');
    return { files: this.#seen.size, bytes: this.#bytes };
  }

  async #stat(stat: FileStat): Promise<void> {
    const number = this.#number++;
    if (number > maxEntries) throw new ResourceExhausted(`the context has more than ${maxEntries} files`);
    const path = this.#checked(stat.path);
    const mode = stat.mode;
    const isDirectory = (mode & goModeDir) !== 0;
    this.#seen.set(path, isDirectory);
    const said = `${mode} ${stat.size} ${stat.modTime} ${stat.linkname}`;
    this.#now.set(path, said);
    const isHardLink = stat.linkname !== '' && (mode & goModeSymlink) === 0;
    if (!isDirectory && !isHardLink && this.#last?.get(path) === said) return;
    const full = join(this.#root, path);
    const there = existing(full);
    if (isDirectory) {
      if (there !== undefined && !there.isDirectory()) rmSync(full);
      if (!there?.isDirectory()) mkdirSync(full, { mode: 0o700 });
      this.#directories.push({ path, stat });
    } else if ((mode & goModeSymlink) !== 0) {
      if (there?.isSymbolicLink() && readlinkSync(full) === stat.linkname) return;
      if (there !== undefined) rmSync(full, { recursive: true });
      symlinkSync(stat.linkname, full);
      setTime(full, stat);
    } else if ((mode & goModeOther) !== 0) {
      this.#seen.delete(path);
    } else if (stat.linkname !== '') {
      this.#links.push({ path, target: this.#checked(stat.linkname, true) });
    } else {
      if (there?.isFile() && same(there, stat)) return;
      if (there !== undefined) rmSync(full, { recursive: true });
      this.#open.set(number, { fd: openSync(full, 'wx', 0o600), path, stat });
      await this.#stream.send({ type: packetTypes.request, ID: number });
    }
  }

  #data(number: number, data: Uint8Array): void {
    const file = this.#open.get(number);
    if (file === undefined) throw new InvalidArgument(`data of the file ${number} that nobody asked for`);
    if (data.length > 0) {
      this.#bytes += data.length;
      this.#onBytes(this.#bytes);
      for (let at = 0; at < data.length; ) at += writeSync(file.fd, data, at);
      return;
    }
    closeSync(file.fd);
    this.#open.delete(number);
    const full = join(this.#root, file.path);
    chmodSync(full, permissions(file.stat.mode));
    setTime(full, file.stat);
  }

  #finish(): void {
    for (const { path, target } of this.#links) {
      const full = join(this.#root, path);
      if (this.#seen.get(target) !== false)
        throw new InvalidArgument(`"${path}" is a link to "${target}", which was not sent`);
      rmSync(full, { recursive: true, force: true });
      linkSync(join(this.#root, target), full);
    }
    this.#drop('');
    for (const { path, stat } of this.#directories.toReversed()) {
      const full = join(this.#root, path);
      chmodSync(full, permissions(stat.mode));
      setTime(full, stat);
    }
    const [oldest] = synced.keys();
    if (synced.size >= maxSynced) synced.delete(oldest!);
    synced.set(this.#identity, this.#now);
  }

  /** Removes what an earlier build left and the client no longer has. */
  #drop(directory: string): void {
    for (const name of readdirSync(join(this.#root, directory))) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const isDirectory = this.#seen.get(path);
      if (isDirectory === undefined) rmSync(join(this.#root, path), { recursive: true, force: true });
      else if (isDirectory) this.#drop(path);
    }
  }

  /** A path must be clean and lie in a directory that was received as one: nothing is ever written through a link. */
  #checked(path: string, isTarget = false): string {
    const clean = path.replace(/^\/+/, '');
    const bad =
      clean === '' ||
      clean.includes('\0') ||
      clean.split('/').some(part => part === '' || part === '.' || part === '..');
    const parent = dirname(clean);
    if (bad || (parent !== '.' && this.#seen.get(parent) !== true)) {
      throw new InvalidArgument(`invalid path "${path}" in the build context`);
    }
    if (!isTarget && this.#seen.has(clean)) throw new InvalidArgument(`"${path}" came twice in the build context`);
    return clean;
  }
}

function existing(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Unchanged by size, time and mode, as rsync and BuildKit judge. */
const same = (there: Stats, stat: FileStat): boolean =>
  there.size === stat.size &&
  Math.abs(there.mtimeMs - stat.modTime / 1e6) < 1 &&
  (there.mode & 0o7777) === permissions(stat.mode);

function setTime(path: string, stat: FileStat): void {
  const seconds = stat.modTime / 1e9;
  lutimesSync(path, seconds, seconds);
}

/** st_mode's low bits of a Go FileMode. */
const permissions = (mode: number): number =>
  (mode & 0o777) |
  ((mode & goModeSetuid) !== 0 ? 0o4000 : 0) |
  ((mode & goModeSetgid) !== 0 ? 0o2000 : 0) |
  ((mode & goModeSticky) !== 0 ? 0o1000 : 0);
