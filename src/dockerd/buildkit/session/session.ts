// A client's session: the daemon calls the services that the client serves on it (moby/buildkit session/). One session serves
// one build, or several.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { codeOf, isNotFound, isNotImplemented, Unavailable } from '../../../errdefs/index.ts';
import { Arrivals } from '../arrivals.ts';
import { GrpcClient } from '../grpc/client.ts';
import { Empty } from '../proto/buildkit.ts';
import {
  CheckAgentRequest,
  CredentialsRequest,
  CredentialsResponse,
  FileSendBytes,
  GetSecretRequest,
  GetSecretResponse,
  Packet,
  SshBytes,
} from '../proto/session.ts';
import { type Received, receiveTree } from './receive-tree.ts';

export interface SyncOptions {
  /** Only these names, where given. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Only these paths and what their links lead to. */
  readonly followPaths?: readonly string[];
  readonly onBytes?: (bytes: number) => void;
}

export class Session {
  readonly id: string;
  /** Stays the same from build to build of one context. */
  readonly sharedKey: string;
  readonly #client: GrpcClient;
  readonly #methods: ReadonlySet<string>;

  constructor(id: string, sharedKey: string, methods: readonly string[], socket: Duplex) {
    this.id = id;
    this.sharedKey = sharedKey;
    this.#methods = new Set(methods);
    this.#client = new GrpcClient(socket);
  }

  get closed(): Promise<void> {
    return this.#client.closed;
  }

  close(): void {
    this.#client[Symbol.dispose]();
  }

  /** Does the client serve this method? Clients that tell nothing are believed to serve all. */
  supports(path: string): boolean {
    return this.#methods.size === 0 || this.#methods.has(path);
  }

  /** Brings `directory` to the state of the client's directory called `name`. */
  async sync(name: string, directory: string, options: SyncOptions, signal: AbortSignal): Promise<Received> {
    const metadata: Record<string, string | readonly string[]> = { 'dir-name': headerValue(name) };
    const list = (key: string, values: readonly string[] | undefined): void => {
      if (values === undefined || values.length === 0) return;
      const plain = values.every(isPlain);
      metadata[key] = plain ? values : values.map(encodeURIComponent);
      if (!plain) metadata[`${key}-encoded`] = '1';
    };
    list('include-patterns', options.include);
    list('exclude-patterns', options.exclude);
    list('followpaths', options.followPaths);
    const stream = this.#client.stream('/moby.filesync.v1.FileSync/DiffCopy', Packet, Packet, metadata, signal);
    return await receiveTree(stream, directory, options.onBytes ?? (() => {}));
  }

  /** A few small files of the client's directory called `name`; those it has not are left out. */
  async readFiles(
    name: string,
    files: readonly string[],
    signal: AbortSignal,
    onBytes: (bytes: number) => void = () => {},
  ): Promise<Map<string, string>> {
    const directory = mkdtempSync(join(tmpdir(), 'berth-session-'));
    try {
      await this.sync(name, directory, { include: files, followPaths: files, onBytes }, signal);
      const found = new Map<string, string>();
      for (const file of files) {
        try {
          found.set(file, readFileSync(join(directory, file), 'utf8'));
        } catch (err) {
          if ((err as { code?: string }).code !== 'ENOENT') throw err;
        }
      }
      return found;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  async secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const path = '/moby.buildkit.secrets.v1.Secrets/GetSecret';
    if (!this.supports(path)) return undefined;
    try {
      return (await this.#client.call(path, GetSecretRequest, GetSecretResponse, { ID: id }, signal)).data;
    } catch (err) {
      if (isNotFound(err) || isNotImplemented(err)) return undefined;
      throw err;
    }
  }

  async credentials(host: string, signal: AbortSignal): Promise<{ username: string; password: string } | undefined> {
    const path = '/moby.filesync.v1.Auth/Credentials';
    if (!this.supports(path)) return undefined;
    const answer = await this.#client.call(path, CredentialsRequest, CredentialsResponse, { Host: host }, signal);
    return answer.Secret === '' && answer.Username === ''
      ? undefined
      : { username: answer.Username, password: answer.Secret };
  }

  /** A socket of this host that leads to the client's agent; undefined where it has none of that id. */
  async sshAgent(id: string, signal: AbortSignal): Promise<{ path: string; close: () => Promise<void> } | undefined> {
    const check = '/moby.sshforward.v1.SSH/CheckAgent';
    if (!this.supports(check)) return undefined;
    try {
      await this.#client.call(check, CheckAgentRequest, Empty, { ID: id }, signal);
    } catch (err) {
      if (codeOf(err) === 'Unavailable') throw err;
      return undefined;
    }
    const directory = mkdtempSync(join(tmpdir(), 'berth-ssh-'));
    const path = join(directory, 'agent');
    const server = createServer(socket => {
      const stream = this.#client.stream(
        '/moby.sshforward.v1.SSH/ForwardAgent',
        SshBytes,
        SshBytes,
        { 'buildkit.ssh.id': headerValue(id) },
        signal,
      );
      socket.on('error', () => stream.cancel());
      socket.on('data', (data: Buffer) => {
        socket.pause();
        void stream.send({ data }).then(() => socket.resume());
      });
      socket.on('end', () => stream.end());
      const copy = async (): Promise<void> => {
        for await (const message of stream.answers()) socket.write(message.data);
        socket.end();
      };
      copy().catch(() => socket.destroy());
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return {
      path,
      close: async () => {
        server.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }

  /** Sends the bytes of an output (a tar) to the client's file. */
  async sendFile(
    exporterId: string,
    metadata: Readonly<Record<string, string>>,
    chunks: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const headers: Record<string, string> = { 'buildkit-attachable-exporter-id': exporterId };
    for (const [key, value] of Object.entries(metadata)) headers[`exporter-md-${key}`] = headerValue(value);
    const stream = this.#client.stream(
      '/moby.filesync.v1.FileSend/DiffCopy',
      FileSendBytes,
      FileSendBytes,
      headers,
      signal,
    );
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += 1 << 20)
        await stream.send({ data: chunk.subarray(at, at + (1 << 20)) });
    }
    stream.end();
    for await (const _ of stream.answers()) {
      // the client says nothing but its end
    }
  }

  /** Opens the stream on which a tree is sent to the client's directory (`--output type=local`). */
  sendTree(exporterId: string, metadata: Readonly<Record<string, string>>, signal: AbortSignal) {
    const headers: Record<string, string> = { 'buildkit-attachable-exporter-id': exporterId };
    for (const [key, value] of Object.entries(metadata)) headers[`exporter-md-${key}`] = headerValue(value);
    return this.#client.stream('/moby.filesync.v1.FileSend/DiffCopy', Packet, Packet, headers, signal);
  }
}

const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
const headerValue = (text: string): string => (isPlain(text) ? text : encodeURIComponent(text));

/** The sessions that clients have open. */
export class Sessions {
  readonly #sessions = new Arrivals<Session>();

  /** Takes over a socket that `POST /session` was answered on. */
  accept(id: string, sharedKey: string, methods: readonly string[], socket: Duplex): Session {
    const session = new Session(id, sharedKey, methods, socket);
    this.#sessions.add(id, session);
    void session.closed.then(() => this.#sessions.remove(id, session));
    return session;
  }

  /** The session called `id`; a client opens it at about the time it asks for the build, so it is waited for. */
  get(id: string, signal: AbortSignal): Promise<Session> {
    const missing = () => new Unavailable(`no active session for ${id}: context deadline exceeded`);
    return this.#sessions.get(id, signal, missing);
  }
}
