export { type AuthConfig, decodeAuthHeader, decodeRegistryConfig, registryKey, toAuthConfig } from './auth/config.ts';
export type { LoginResult } from './auth/login.ts';
export { RegistryError, type RegistryErrorEntry } from './http/answer.ts';
export type { InspectResult } from './inspect.ts';
export { type PullEvent, type PullLayerState, type PushEvent, type PushLayerState, shortId } from './progress.ts';
export type { PullResult } from './pull/pull.ts';
export type { PushResult } from './push/push.ts';
export {
  familiarName,
  familiarString,
  formatReference,
  isTag,
  parseReference,
  type Reference,
  repositoryName,
  trimNamed,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference/reference.ts';
export { type PullOptions, type PushOptions, Registry, type RegistryOptions, type RequestOptions } from './registry.ts';
export type { SearchEntry, SearchResult } from './search.ts';
export type {
  BlobInfo,
  BlobReader,
  BlobStore,
  BlobWriter,
  LayerPlace,
  LayerWriter,
  PullStore,
  Unpacker,
} from './store.ts';
