import { join } from 'node:path';
import { InvalidArgument, NotFound } from '../../errdefs/index.ts';
import type { Transport } from '../http/transport.ts';
import { Unreachable } from '../http/words.ts';
import { readCertificates } from './certs.ts';
import {
  allCapabilities,
  type Capability,
  mirrorCapabilities,
  pingUrl,
  type RegistryHost,
  registryHostname,
} from './host.ts';
import { readHostsToml } from './hosts-toml.ts';
import { InsecureRegistries } from './insecure.ts';

export interface HostsOptions {
  /** dockerd's --registry-mirror: for Docker Hub. Other registries' mirrors are in hosts.toml files. */
  readonly mirrors?: readonly string[];
  /** dockerd's --insecure-registry. */
  readonly insecureRegistries?: readonly string[];
  /** Directories with a directory per registry in them. */
  readonly certsDirs?: readonly string[];
}

const rememberMs = 60_000;

/** Knows for each registry which hosts to ask, in which order. */
export class Hosts {
  readonly #mirrors: readonly URL[];
  readonly #insecure: InsecureRegistries;
  readonly #certsDirs: readonly string[];
  readonly #transport: Transport;
  /** Insecure hosts that were asked lately whether they speak TLS. */
  readonly #plain = new Map<string, { readonly plain: boolean; readonly until: number }>();

  constructor(options: HostsOptions, transport: Transport) {
    this.#mirrors = (options.mirrors ?? []).map(parseMirror);
    this.#insecure = new InsecureRegistries(options.insecureRegistries ?? []);
    this.#certsDirs = options.certsDirs ?? ['/etc/docker/certs.d', '/etc/containerd/certs.d'];
    this.#transport = transport;
  }

  /** The hosts that can do this for a domain, best first. The files are read anew each time, so that a change needs no restart. */
  async of(domain: string, capability: Capability, signal?: AbortSignal): Promise<RegistryHost[]> {
    const hosts = await this.#all(domain, signal);
    const able = hosts.filter(host => host.capabilities.has(capability));
    if (able.length === 0) throw new NotFound(`no host of ${domain} is configured for ${capability}`);
    return able;
  }

  async #all(domain: string, signal: AbortSignal | undefined): Promise<RegistryHost[]> {
    for (const directory of this.#directories(domain)) {
      const configured = await readHostsToml(directory, registryHostname(domain));
      if (configured !== undefined) return configured;
    }
    const mirrors = domain === 'docker.io' ? await Promise.all(this.#mirrors.map(url => this.#mirror(url))) : [];
    return [...mirrors, await this.#registry(domain, signal)];
  }

  #directories(domain: string): string[] {
    // A domain is parsed: it has no slash and is not `..`.
    const names = domain === 'docker.io' ? [domain, 'registry-1.docker.io'] : [domain];
    return this.#certsDirs.flatMap(root => [...names, '_default'].map(name => join(root, name)));
  }

  async #mirror(url: URL): Promise<RegistryHost> {
    const tls = await this.#tls(url.host);
    const base = new URL(url);
    base.pathname = `${url.pathname.replace(/\/+$/, '')}/v2`;
    return { base, capabilities: mirrorCapabilities, ...(tls !== undefined && { tls }), authoritative: false };
  }

  async #registry(domain: string, signal: AbortSignal | undefined): Promise<RegistryHost> {
    const host = registryHostname(domain);
    const insecure = await this.#insecure.has(host);
    const files = await this.#tls(host);
    const tls = insecure ? { ...files, skipVerify: true } : files;
    const https: RegistryHost = {
      base: new URL(`https://${host}/v2`),
      capabilities: allCapabilities,
      ...(tls !== undefined && { tls }),
      authoritative: true,
    };
    if (!insecure || !(await this.#speaksPlainHttp(https, signal))) return https;
    return { base: new URL(`http://${host}/v2`), capabilities: allCapabilities, authoritative: true };
  }

  /** Asks an insecure host whether it speaks TLS; remembered for a while, since it may change. */
  async #speaksPlainHttp(host: RegistryHost, signal: AbortSignal | undefined): Promise<boolean> {
    const known = this.#plain.get(host.base.host);
    if (known !== undefined && known.until > Date.now()) return known.plain;
    const remember = (plain: boolean): boolean => {
      this.#plain.set(host.base.host, { plain, until: Date.now() + rememberMs });
      return plain;
    };
    try {
      const answer = await this.#transport.send({
        method: 'GET',
        url: pingUrl(host),
        ...(host.tls !== undefined && { tls: host.tls }),
        answerTimeoutMs: 10_000,
        signal,
      });
      answer.body.resume();
      return remember(false);
    } catch (err) {
      signal?.throwIfAborted();
      if (err instanceof Unreachable && err.plainHttp) return remember(true);
      // Nobody there, or a server that just hangs up: plain HTTP is the last try, and its failure the one that is told.
      return true;
    }
  }

  async #tls(host: string) {
    for (const root of this.#certsDirs) {
      const tls = await readCertificates(join(root, host));
      if (tls !== undefined) return tls;
    }
    return undefined;
  }
}

/** Docker's rule for --registry-mirror (registry.ValidateMirror), with its words. */
export function parseMirror(text: string): URL {
  const invalid = (why: string): InvalidArgument => new InvalidArgument(`invalid mirror: ${why}`);
  if (!URL.canParse(text)) throw invalid(`"${text}" is not a valid URI`);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid(
      `unsupported scheme "${url.protocol.slice(0, -1)}" in "${text}": must use either 'https://' or 'http://'`,
    );
  }
  if (url.search !== '' || url.hash !== '') throw invalid(`"${text}" should not have a query or a fragment`);
  if (url.username !== '' || url.password !== '') throw invalid('username/password not allowed in URI');
  return url;
}
