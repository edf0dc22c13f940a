export { type PullEvent, type PullLayerState, type PushEvent, type PushLayerState, shortId } from './progress.ts';
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
