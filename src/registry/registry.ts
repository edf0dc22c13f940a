import { isCanceled, NotFound } from '../errdefs/index.ts';
import type { Descriptor, Platform } from '../oci/index.ts';
import { Authorizer } from './auth/authorizer.ts';
import type { AuthConfig } from './auth/config.ts';
import { type LoginResult, login } from './auth/login.ts';
import { getManifest, headManifest } from './client/manifests.ts';
import { listReferrers } from './client/referrers.ts';
import { type Action, Repository } from './client/repository.ts';
import type { Session } from './client/session.ts';
import { listTags } from './client/tags.ts';
import { Hosts, type HostsOptions } from './hosts/hosts.ts';
import { defaultRetry, type RetryPolicy } from './http/retry.ts';
import { Transport, type TransportOptions } from './http/transport.ts';
import { type InspectResult, inspectImage } from './inspect.ts';
import type { PullEvent, PushEvent } from './progress.ts';
import { Flights } from './pull/flights.ts';
import { Gate } from './pull/gate.ts';
import { type PullResult, pull } from './pull/pull.ts';
import { resolveManifest } from './pull/resolve.ts';
import { pullFailure } from './pull/words.ts';
import { type PushResult, push } from './push/push.ts';
import type { Reference } from './reference/reference.ts';
import { type SearchResult, search } from './search.ts';
import type { BlobReader, PullStore } from './store.ts';

export interface RegistryOptions extends HostsOptions, TransportOptions {
  /** Layers fetched at once, over all pulls; dockerd's --max-concurrent-downloads. */
  readonly maxConcurrentDownloads?: number;
  /** dockerd's --max-concurrent-uploads. */
  readonly maxConcurrentUploads?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly idleTimeoutMs?: number;
  /** Where Docker Hub's search is. */
  readonly searchIndex?: string;
}

/** What every request brings along. */
export interface RequestOptions {
  readonly reference: Reference;
  readonly auth?: AuthConfig;
  /** The client's `X-Meta-*` headers. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface PullOptions extends RequestOptions {
  readonly store: PullStore;
  /** Absent: the host's. */
  readonly platform?: Platform;
  readonly onEvent?: (event: PullEvent) => void;
}

export interface PushOptions extends RequestOptions {
  /** What the image's name points at. */
  readonly target: Descriptor;
  readonly content: BlobReader;
  /** Of an index, only this platform's manifest, pushed as the tag. */
  readonly platform?: Platform;
  /** Upload in pieces of this size, for proxies that limit a request's body; default: each blob in one piece. */
  readonly chunkBytes?: number;
  readonly onEvent?: (event: PushEvent) => void;
}

/** The wire to registries: one per daemon. Keeps connections, tokens, and what is known of hosts. */
export class Registry implements Disposable {
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  readonly #hosts: Hosts;
  readonly #options: RegistryOptions;
  readonly #flights = new Flights();
  readonly #downloads: Gate;
  readonly #uploads: Gate;

  /** Throws InvalidArgument on a mirror or insecure registry that is none. */
  constructor(options: RegistryOptions = {}) {
    this.#options = options;
    this.#transport = new Transport(options);
    this.#authorizer = new Authorizer(this.#transport);
    this.#hosts = new Hosts(options, this.#transport);
    this.#downloads = new Gate(options.maxConcurrentDownloads ?? 3);
    this.#uploads = new Gate(options.maxConcurrentUploads ?? 5);
  }

  /** Fetches an image into the store, and unpacks it. The caller's lease keeps it until the caller has named it. */
  async pull(options: PullOptions): Promise<PullResult> {
    return pull({
      reference: options.reference,
      repositories: await this.#repositories(options, 'pull'),
      store: options.store,
      platform: options.platform,
      flights: this.#flights,
      gate: this.#downloads,
      onEvent: options.onEvent ?? (() => {}),
      signal: options.signal,
    });
  }

  /** Sends an image: what the registry lacks of its blobs, then its manifests, the index last. */
  async push(options: PushOptions): Promise<PushResult> {
    const repositories = await this.#repositories(options, 'push');
    // A mirror that takes pushes is still not where the image is said to go.
    const repository = repositories.find(({ host }) => host.authoritative) ?? repositories[0];
    return push({
      ...options,
      repository: repository as Repository,
      gate: this.#uploads,
      onEvent: options.onEvent ?? (() => {}),
    });
  }

  /** What a reference names now, without its content. */
  async resolve(options: RequestOptions): Promise<Descriptor> {
    const repositories = await this.#repositories(options, 'pull');
    const { manifest } = await resolveManifest(repositories, options.reference, async () => undefined);
    return manifest.descriptor;
  }

  /** What `GET /distribution/{name}/json` answers. */
  async inspect(options: RequestOptions): Promise<InspectResult> {
    return this.#firstOf(options, repository => inspectImage(repository, options.reference));
  }

  /** All tags of the repository, in the registry's order. */
  async tags(options: RequestOptions): Promise<string[]> {
    return this.#firstOf(options, listTags);
  }

  /** Manifests that say that they are about the digest of the reference (signatures, SBOMs), of one type or of any. */
  async referrers(options: RequestOptions & { artifactType?: string }): Promise<Descriptor[]> {
    return this.#firstOf(options, async repository => {
      const { reference, artifactType } = options;
      const digest = reference.digest ?? (await headManifest(repository, reference.tag ?? 'latest'))?.digest;
      if (digest === undefined) throw new NotFound(`no digest is known for ${reference.path}`);
      return listReferrers(repository, digest, artifactType);
    });
  }

  /** A manifest as it is, verified: `manifest inspect`. */
  async manifest(options: RequestOptions): Promise<{ descriptor: Descriptor; bytes: Uint8Array }> {
    return this.#firstOf(options, repository =>
      getManifest(repository, options.reference.digest ?? options.reference.tag ?? 'latest'),
    );
  }

  /** Tries credentials at their registry; Unauthenticated when they are not good. */
  async login(auth: AuthConfig, signal?: AbortSignal): Promise<LoginResult> {
    return login(auth, this.#hosts, this.#session({ auth, ...(signal !== undefined && { signal }) }));
  }

  /** Looks for repositories on Docker Hub, or on the registry that the term begins with. */
  async search(options: {
    term: string;
    limit?: number;
    auth?: AuthConfig;
    signal?: AbortSignal;
  }): Promise<SearchResult> {
    return search(options, this.#session(options), this.#hosts, this.#options.searchIndex);
  }

  /** Ends all connections: what is under way fails. */
  close(): void {
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #session({ auth, headers, signal }: Omit<RequestOptions, 'reference'>): Session {
    const { retry, idleTimeoutMs } = this.#options;
    return {
      transport: this.#transport,
      authorizer: this.#authorizer,
      retry: { ...defaultRetry, ...retry },
      auth: auth ?? {},
      ...(headers !== undefined && { headers }),
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      ...(signal !== undefined && { signal }),
    };
  }

  async #repositories(options: RequestOptions, action: Action): Promise<Repository[]> {
    const { reference, signal } = options;
    const hosts = await this.#hosts.of(reference.domain, action, signal);
    const session = this.#session(options);
    return hosts.map(host => new Repository(host, reference.path, action, session));
  }

  async #firstOf<T>(options: RequestOptions, ask: (repository: Repository) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const repository of await this.#repositories(options, 'pull')) {
      try {
        await this.#authorizer.ping(repository.host, options.signal);
        return await ask(repository);
      } catch (err) {
        options.signal?.throwIfAborted();
        if (isCanceled(err)) throw err;
        failure = err;
      }
    }
    throw pullFailure(failure, options.reference);
  }
}
