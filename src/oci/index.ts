export { chainId, type Digest, digestHex, digestOf, parseDigest } from './digest.ts';
export {
  type Descriptor,
  type Healthcheck,
  type HistoryEntry,
  type ImageConfig,
  type ImageIndex,
  type ImageManifest,
  type ImageRunConfig,
  isIndexType,
  isManifestType,
  mediaTypes,
  type Platform,
} from './image.ts';
