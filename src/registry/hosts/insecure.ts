import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { InvalidArgument } from '../../errdefs/index.ts';

/** Which registries may be spoken to without TLS, or with TLS that nobody vouches for. */
export class InsecureRegistries {
  readonly #names = new Set<string>();
  readonly #networks = new BlockList();
  readonly #lookup: (hostname: string) => Promise<readonly string[]>;

  /** `entries` are dockerd's --insecure-registry: `host`, `host:port` or a CIDR network. Loopback is always in. */
  constructor(entries: readonly string[], resolve: (hostname: string) => Promise<readonly string[]> = addresses) {
    this.#lookup = resolve;
    for (const entry of ['127.0.0.0/8', '::1/128', ...entries]) this.#add(entry);
  }

  #add(entry: string): void {
    const text = entry.replace(/^https?:\/\//i, '').toLowerCase();
    const [network, prefix, ...rest] = text.split('/');
    const version = isIP(network as string);
    if (prefix === undefined) {
      if (!/^(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:\d+)?$/.test(text))
        throw new InvalidArgument(`insecure registry ${entry} is not valid`);
      this.#names.add(text);
      return;
    }
    const bits = Number(prefix);
    if (version === 0 || rest.length > 0 || !/^\d+$/.test(prefix) || bits > (version === 4 ? 32 : 128)) {
      throw new InvalidArgument(`insecure registry ${entry} is not valid: invalid CIDR address: ${entry}`);
    }
    this.#networks.addSubnet(network as string, bits, version === 4 ? 'ipv4' : 'ipv6');
  }

  /** Whether `host` (`name[:port]`) is insecure by its name, or by an address that the name has. */
  async has(host: string): Promise<boolean> {
    const lower = host.toLowerCase();
    const hostname = lower.replace(/:\d+$/, '');
    if (this.#names.has(lower) || this.#names.has(hostname)) return true;
    const bare = hostname.replace(/^\[|\]$/g, '');
    const found = isIP(bare) > 0 ? [bare] : await this.#lookup(bare);
    return found.some(address => this.#networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'));
  }
}

/** None when the name does not resolve: the exchange itself will say so. */
async function addresses(hostname: string): Promise<readonly string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(entry => entry.address);
  } catch {
    return [];
  }
}
