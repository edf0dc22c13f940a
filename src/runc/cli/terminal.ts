// The terminal of a command that stays in the foreground: the container's pty comes over a console socket of our own, and bytes are
// copied between it and ours.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ReadStream } from 'node:tty';
import { native } from '../../launcher/index.ts';
import type { ConsoleSize } from '../../oci/index.ts';

/** A console socket that waits for one pty. */
export class TerminalServer implements AsyncDisposable {
  readonly socketPath: string;
  /** Of our own terminal, where we have one, at the start. */
  readonly size: ConsoleSize | undefined;
  readonly #server: Server;
  readonly #directory: string;
  readonly #connected: Promise<Socket>;

  constructor(server: Server, directory: string, socketPath: string) {
    this.#server = server;
    this.#directory = directory;
    this.socketPath = socketPath;
    const { isTTY, rows, columns } = process.stdout;
    this.size = isTTY && rows > 0 && columns > 0 ? { height: rows, width: columns } : undefined;
    this.#connected = new Promise(resolve => server.once('connection', resolve));
  }

  /** Copies until the container's side is closed. */
  async attach(): Promise<void> {
    const connection = await this.#connected;
    const master = await receive(connection);
    connection.destroy();
    const stdin = process.stdin;
    if (stdin.isTTY) stdin.setRawMode(true);
    const stream = new ReadStream(master);
    const resize = (): void => {
      const { rows, columns } = process.stdout;
      if (rows > 0 && columns > 0) native().setWindowSize(master, rows, columns);
    };
    process.stdout.on('resize', resize);
    const ended = new Promise<void>(resolve => {
      // A pty answers EIO when its last slave is closed.
      stream.once('error', () => resolve());
      stream.once('close', () => resolve());
      stream.once('end', () => resolve());
    });
    stdin.pipe(stream as unknown as NodeJS.WritableStream, { end: false });
    stream.pipe(process.stdout, { end: false });
    try {
      await ended;
    } finally {
      process.stdout.off('resize', resize);
      stdin.unpipe();
      stdin.pause();
      if (stdin.isTTY) stdin.setRawMode(false);
      stream.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The descriptor that comes with the first message. Node reads no descriptors, so the socket is kept from reading and asked by hand. */
async function receive(connection: Socket): Promise<number> {
  const { fd } = (connection as unknown as { _handle: { fd: number } })._handle;
  for (;;) {
    const message = native().receiveFds(fd, 4096, 1);
    if (message?.fds[0] !== undefined) return message.fds[0];
    if (message !== null && message.bytes.length === 0) throw new Error('the console socket closed without a terminal');
    await delay(1);
  }
}

/** Listens on a console socket of our own. */
export async function serveTerminal(): Promise<TerminalServer> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-runc-'));
  const socketPath = join(directory, 'console.sock');
  const server = createServer({ pauseOnConnect: true });
  const terminal = new TerminalServer(server, directory, socketPath);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return terminal;
}
