export type {
  BaseImages,
  BuildBackend,
  BuildClient,
  BuildStores,
  RunMountPoint,
  Runner,
  RunOptions,
  RunStep,
} from './backend.ts';
export { Builder, type BuildOptions, type BuildResult, type Checked, type PlatformResult } from './builder.ts';
export { parseDockerfile, parseInstruction } from './dockerfile/parse.ts';
export { DockerfileError, excerpt, type Range, rangeOf } from './dockerfile/source.ts';
export { expand as expandWord } from './dockerfile/words.ts';
export type { ResultFile, ResultFiles } from './exporter/files.ts';
export { ContentIndex } from './files/content-index.ts';
export type { NamedContext, ResolvedImage, Warning } from './graph/context.ts';
export type { ExecVertex } from './graph/vertex.ts';
export { rules as checkRules, ruleUrl } from './lint/rules.ts';
export type { CachePolicy, CacheRecord } from './solver/cache.ts';
export type {
  LogProgress,
  ProgressSink,
  StatusProgress,
  StepProgress,
  VertexProgress,
  WarningProgress,
} from './solver/progress.ts';
export { type Ref, type RefLayer, snapshotOf } from './solver/ref.ts';
export { ProcessFailed } from './worker/exec.ts';
export { overlayMount } from './worker/mount-points.ts';
