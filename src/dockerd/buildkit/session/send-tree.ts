// Sends a directory tree over fsutil's protocol (tonistiigi/fsutil send.go): the other direction of receive-tree.ts.

import { closeSync, constants, readSync } from 'node:fs';
import type { ResultFile, ResultFiles } from '../../../build/index.ts';
import { EngineError } from '../../../errdefs/index.ts';
import { packetTypes } from '../proto/session.ts';
import { goMode } from './go-mode.ts';
import type { PacketStream } from './receive-tree.ts';

const chunkBytes = 32 * 1024;

/** Tells the client of all files, and sends those that it asks for. */
export async function sendTree(stream: PacketStream, files: ResultFiles): Promise<void> {
  using tree = files;
  const regular = new Map<number, string>();
  const tell = async (): Promise<void> => {
    let number = 0;
    for (const file of tree.list()) {
      const type = file.stat.mode & constants.S_IFMT;
      if (type === constants.S_IFSOCK) continue;
      if (type === constants.S_IFREG) regular.set(number, file.path);
      number++;
      await stream.send({ type: packetTypes.stat, stat: statOf(file) });
    }
    await stream.send({ type: packetTypes.stat });
  };
  const told = tell();
  told.catch(() => {}); // awaited below
  for await (const packet of stream.answers()) {
    if (packet.type === packetTypes.request) {
      const path = regular.get(packet.ID);
      if (path === undefined) throw new EngineError('InvalidArgument', `the client asked for the file ${packet.ID}`);
      await sendFile(stream, tree, packet.ID, path);
    } else if (packet.type === packetTypes.fin) {
      await told;
      await stream.send({ type: packetTypes.fin });
      stream.end();
    } else if (packet.type === packetTypes.error)
      throw new EngineError('Unknown', Buffer.from(packet.data).toString() || 'the client could not take the files');
  }
  await told;
}

async function sendFile(stream: PacketStream, tree: ResultFiles, ID: number, path: string): Promise<void> {
  const fd = tree.open(path);
  try {
    for (;;) {
      const data = Buffer.allocUnsafe(chunkBytes);
      const read = readSync(fd, data, 0, chunkBytes, null);
      await stream.send({ type: packetTypes.data, ID, data: data.subarray(0, read) });
      if (read === 0) return;
    }
  } finally {
    closeSync(fd);
  }
}

const statOf = ({ path, stat, linkName, xattrs }: ResultFile) => ({
  path,
  mode: goMode(stat.mode),
  uid: stat.uid,
  gid: stat.gid,
  size: (stat.mode & constants.S_IFMT) === constants.S_IFREG ? stat.size : 0,
  modTime: stat.mtimeSec * 1e9 + stat.mtimeNsec,
  linkname: linkName,
  devmajor: stat.rdevMajor,
  devminor: stat.rdevMinor,
  xattrs: Object.fromEntries(xattrs),
});
