import { createHash } from 'node:crypto';
import { InvalidArgument } from '../errdefs/index.ts';

/** `sha256:<64 lower-case hex digits>` (image-spec descriptor.md, "Digests"). sha512 is valid in the spec; no registry we know uses it, so we refuse it by name. */
export type Digest = string & { readonly __digest: unique symbol };

/** Parses a digest, or throws InvalidArgument. */
export function parseDigest(text: string): Digest {
  if (!/^sha256:[0-9a-f]{64}$/.test(text)) {
    throw new InvalidArgument(
      /^[a-z0-9]+([+._-][a-z0-9]+)*:/.test(text) && !text.startsWith('sha256:')
        ? `unsupported digest algorithm in "${text}": only sha256 is supported`
        : `invalid digest "${text}": want sha256: and 64 hex digits`,
    );
  }
  return text as Digest;
}

/** The 64 hex digits. */
export const digestHex = (digest: Digest): string => digest.slice(7);

/** The digest of bytes in memory. Only for small ones (manifests, configs): blobs are hashed in worker threads. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** chainID(n) = sha256(chainID(n-1) + " " + diffID(n)); the chainID of one layer is its diffID (image-spec config.md, "Layer ChainID"). Throws on an empty list. */
export function chainId(diffIds: readonly Digest[]): Digest {
  const [first, ...rest] = diffIds;
  if (first === undefined) throw new InvalidArgument('chain id of no layers');
  return rest.reduce((chain, diffId) => digestOf(`${chain} ${diffId}`), first);
}
