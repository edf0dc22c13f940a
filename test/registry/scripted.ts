// A registry of ours that serves images from memory and can be told to misbehave, request by request. It remembers every
// request, so that tests can count them.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { digestOf, mediaTypes } from '../../src/oci/index.ts';
import type { Blob, TestImage } from './images.ts';

export interface SeenRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** What a misbehaviour may do with a request. `next` answers it as a good registry would. */
export interface Exchange {
  readonly request: SeenRequest;
  readonly response: ServerResponse;
  readonly socket: Socket;
  next(): void;
}

export type Behaviour = (exchange: Exchange) => void;

export class ScriptedRegistry implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Replaces the answer of every request that it does not hand on by `next`. */
  behave: Behaviour = exchange => exchange.next();
  /** Serve Range; a server that does not sends all. */
  ranges = true;
  /** Answer the referrers endpoint: of this repository, one entry a page. */
  referrers: readonly Blob[] | undefined;
  /** Tell the digest of manifests in a header. */
  tellDigest = true;
  readonly uploads = new Map<string, Buffer>();
  readonly blobs = new Map<string, Buffer>();
  /** `repository:name` → manifest. */
  readonly manifests = new Map<string, Blob>();
  readonly #server: Server;
  readonly #secure: boolean;
  #uploadCount = 0;

  private constructor(server: Server, secure: boolean) {
    this.#server = server;
    this.#secure = secure;
  }

  static async start(tls?: { key: string; cert: string }): Promise<ScriptedRegistry> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const registry = new ScriptedRegistry(server, tls !== undefined);
    server.on('request', (request, response) => registry.#handle(request, response));
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `${this.#secure ? 'https' : 'http'}://${this.host}`;
  }

  /** Serves an image. */
  add(repository: string, tag: string, image: TestImage): void {
    for (const { descriptor, bytes } of image.blobs) this.blobs.set(descriptor.digest, bytes);
    for (const manifest of [...image.children, image.top]) {
      this.manifests.set(`${repository}:${manifest.descriptor.digest}`, manifest);
    }
    this.manifests.set(`${repository}:${tag}`, image.top);
  }

  /** How often a request was seen whose `METHOD path` matches. */
  count(pattern: RegExp): number {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const seen: SeenRequest = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
    this.requests.push(seen);
    response.on('error', () => {});
    const next = (): void => void this.#answer(request, response).catch(() => response.destroy());
    this.behave({ request: seen, response, socket: request.socket, next });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const [, repository = '', kind, name = ''] = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.+)$/.exec(url.pathname) ?? [];
    const head = request.method === 'HEAD';
    if (url.pathname === '/v2/') response.writeHead(200).end('{}');
    else if (this.referrers && url.pathname.includes('/referrers/')) this.#referrers(response, url);
    else if (kind === 'blobs' && name.startsWith('uploads/')) await this.#upload(request, response, repository, url);
    else if (kind === 'manifests' && request.method === 'PUT') {
      const bytes = await readAll(request);
      const mediaType = request.headers['content-type'] ?? '';
      const digest = digestOf(bytes);
      const manifest: Blob = { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
      this.manifests.set(`${repository}:${name}`, manifest);
      this.manifests.set(`${repository}:${digest}`, manifest);
      response.writeHead(201, { 'docker-content-digest': digest }).end();
    } else if (kind === 'manifests') {
      const manifest = this.manifests.get(`${repository}:${name}`);
      if (manifest === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
      response.writeHead(200, {
        'content-type': manifest.descriptor.mediaType,
        'content-length': manifest.bytes.byteLength,
        ...(this.tellDigest && { 'docker-content-digest': manifest.descriptor.digest }),
      });
      response.end(head ? undefined : manifest.bytes);
    } else if (kind === 'blobs') this.#blob(request, response, name, head);
    else refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }

  #referrers(response: ServerResponse, url: URL): void {
    const page = Number(url.searchParams.get('page') ?? 0);
    const all = this.referrers ?? [];
    const next = page + 1 < all.length ? { link: `<${url.pathname}?page=${page + 1}>; rel="next"` } : {};
    response.writeHead(200, { 'content-type': mediaTypes.ociIndex, ...next });
    const manifests = all.slice(page, page + 1).map(({ descriptor }) => descriptor);
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string, head: boolean): void {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) {
      refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return;
    }
    const start = this.ranges ? Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
    const part = bytes.subarray(start);
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': part.byteLength,
      ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.byteLength - 1}/${bytes.byteLength}` }),
    });
    response.end(head ? undefined : part);
  }

  async #upload(request: IncomingMessage, response: ServerResponse, repository: string, url: URL): Promise<void> {
    const mount = url.searchParams.get('mount');
    if (request.method === 'POST' && mount !== null && this.blobs.has(mount)) return void response.writeHead(201).end();
    const address = (id: string): string => `/v2/${repository}/blobs/uploads/${id}?state=x`;
    if (request.method === 'POST') {
      const id = String(++this.#uploadCount);
      this.uploads.set(id, Buffer.alloc(0));
      return void response.writeHead(202, { location: address(id) }).end();
    }
    const id = url.pathname.split('/').at(-1) as string;
    const so = Buffer.concat([this.uploads.get(id) ?? Buffer.alloc(0), await readAll(request)]);
    this.uploads.set(id, so);
    if (request.method === 'PATCH') {
      return void response.writeHead(202, { location: address(id), range: `0-${so.byteLength - 1}` }).end();
    }
    const digest = url.searchParams.get('digest') ?? '';
    if (digestOf(so) !== digest)
      return refuse(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    this.blobs.set(digest, so);
    this.uploads.delete(id);
    response.writeHead(201).end();
  }
}

/** A registry's refusal. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
