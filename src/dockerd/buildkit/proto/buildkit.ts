// BuildKit's messages, as far as its clients use them (moby/buildkit api/services/control/control.proto, api/types/worker.proto,
// solver/pb/ops.proto, frontend/gateway/pb/gateway.proto, util/apicaps/pb/caps.proto).

import { bool, bytes, int, map, message, nested, repeated, string } from './wire.ts';

export const Timestamp = message('google.protobuf.Timestamp', { seconds: int(1), nanos: int(2) });
export const Status = message('google.rpc.Status', {
  code: int(1),
  message: string(2),
  details: repeated(nested(3, () => Any)),
});
export const Any = message('google.protobuf.Any', { typeUrl: string(1), value: bytes(2) });

// ── pb (ops.proto) ──────────────────────────────────────────────────────────────────────────────────────────────────
export const Platform = message('pb.Platform', {
  Architecture: string(1),
  OS: string(2),
  Variant: string(3),
  OSVersion: string(4),
  OSFeatures: repeated(string(5)),
});
export const Position = message('pb.Position', { line: int(1), character: int(2) });
export const Range = message('pb.Range', { start: nested(1, () => Position), end: nested(2, () => Position) });
export const SourceInfo = message('pb.SourceInfo', {
  filename: string(1),
  data: bytes(2),
  definition: nested(3, () => Definition),
  language: string(4),
});
export const Definition = message('pb.Definition', { def: repeated(bytes(1)), metadata: map(2, bytes) });

// ── worker.proto ────────────────────────────────────────────────────────────────────────────────────────────────────
export const BuildkitVersion = message('BuildkitVersion', {
  package: string(1),
  version: string(2),
  revision: string(3),
});
export const GCPolicy = message('GCPolicy', {
  all: bool(1),
  keepDuration: int(2),
  filters: repeated(string(4)),
  reservedSpace: int(3),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});
export const WorkerRecord = message('WorkerRecord', {
  ID: string(1),
  Labels: map(2, string),
  platforms: repeated(nested(3, () => Platform)),
  GCPolicy: repeated(nested(4, () => GCPolicy)),
  BuildkitVersion: nested(5, () => BuildkitVersion),
});

// ── control.proto ───────────────────────────────────────────────────────────────────────────────────────────────────
export const PruneRequest = message('PruneRequest', {
  filter: repeated(string(1)),
  all: bool(2),
  keepDuration: int(3),
  reservedSpace: int(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});
export const DiskUsageRequest = message('DiskUsageRequest', { filter: repeated(string(1)), ageLimit: int(2) });
export const UsageRecord = message('UsageRecord', {
  ID: string(1),
  Mutable: bool(2),
  InUse: bool(3),
  Size: int(4),
  Parent: string(5),
  CreatedAt: nested(6, () => Timestamp),
  LastUsedAt: nested(7, () => Timestamp),
  UsageCount: int(8),
  Description: string(9),
  RecordType: string(10),
  Shared: bool(11),
  Parents: repeated(string(12)),
});
export const DiskUsageResponse = message('DiskUsageResponse', { record: repeated(nested(1, () => UsageRecord)) });
export const Exporter = message('Exporter', { Type: string(1), Attrs: map(2, string) });
export const CacheOptionsEntry = message('CacheOptionsEntry', { Type: string(1), Attrs: map(2, string) });
export const CacheOptions = message('CacheOptions', {
  Exports: repeated(nested(4, () => CacheOptionsEntry)),
  Imports: repeated(nested(5, () => CacheOptionsEntry)),
});
export const SolveRequest = message('SolveRequest', {
  Ref: string(1),
  Definition: nested(2, () => Definition),
  ExporterDeprecated: string(3),
  ExporterAttrsDeprecated: map(4, string),
  Session: string(5),
  Frontend: string(6),
  FrontendAttrs: map(7, string),
  Cache: nested(8, () => CacheOptions),
  Entitlements: repeated(string(9)),
  FrontendInputs: map(10, id => nested(id, () => Definition)),
  Internal: bool(11),
  Exporters: repeated(nested(13, () => Exporter)),
  EnableSessionExporter: bool(14),
});
export const SolveResponse = message('SolveResponse', { ExporterResponse: map(1, string) });
export const StatusRequest = message('StatusRequest', { Ref: string(1) });
export const Vertex = message('Vertex', {
  digest: string(1),
  inputs: repeated(string(2)),
  name: string(3),
  cached: bool(4),
  started: nested(5, () => Timestamp),
  completed: nested(6, () => Timestamp),
  error: string(7),
});
export const VertexStatus = message('VertexStatus', {
  ID: string(1),
  vertex: string(2),
  name: string(3),
  current: int(4),
  total: int(5),
  timestamp: nested(6, () => Timestamp),
  started: nested(7, () => Timestamp),
  completed: nested(8, () => Timestamp),
});
export const VertexLog = message('VertexLog', {
  vertex: string(1),
  timestamp: nested(2, () => Timestamp),
  stream: int(3),
  msg: bytes(4),
});
export const VertexWarning = message('VertexWarning', {
  vertex: string(1),
  level: int(2),
  short: bytes(3),
  detail: repeated(bytes(4)),
  url: string(5),
  info: nested(6, () => SourceInfo),
  ranges: repeated(nested(7, () => Range)),
});
export const StatusResponse = message('StatusResponse', {
  vertexes: repeated(nested(1, () => Vertex)),
  statuses: repeated(nested(2, () => VertexStatus)),
  logs: repeated(nested(3, () => VertexLog)),
  warnings: repeated(nested(4, () => VertexWarning)),
});
export const BytesMessage = message('BytesMessage', { data: bytes(1) });
export const ListWorkersRequest = message('ListWorkersRequest', { filter: repeated(string(1)) });
export const ListWorkersResponse = message('ListWorkersResponse', { record: repeated(nested(1, () => WorkerRecord)) });
export const InfoRequest = message('InfoRequest', {});
export const InfoResponse = message('InfoResponse', { buildkitVersion: nested(1, () => BuildkitVersion) });
export const BuildHistoryRequest = message('BuildHistoryRequest', {
  ActiveOnly: bool(1),
  Ref: string(2),
  EarlyExit: bool(3),
  Filter: repeated(string(4)),
  Limit: int(5),
});
export const Descriptor = message('Descriptor', {
  media_type: string(1),
  digest: string(2),
  size: int(3),
  annotations: map(5, string),
});
export const BuildResultInfo = message('BuildResultInfo', {
  ResultDeprecated: nested(1, () => Descriptor),
  Attestations: repeated(nested(2, () => Descriptor)),
});
export const BuildHistoryRecord = message('BuildHistoryRecord', {
  Ref: string(1),
  Frontend: string(2),
  FrontendAttrs: map(3, string),
  Exporters: repeated(nested(4, () => Exporter)),
  error: nested(5, () => Status),
  CreatedAt: nested(6, () => Timestamp),
  CompletedAt: nested(7, () => Timestamp),
  logs: nested(8, () => Descriptor),
  ExporterResponse: map(9, string),
  Result: nested(10, () => BuildResultInfo),
  Generation: int(12),
  pinned: bool(14),
  numCachedSteps: int(15),
  numTotalSteps: int(16),
  numCompletedSteps: int(17),
  numWarnings: int(19),
});
export const BuildHistoryEvent = message('BuildHistoryEvent', {
  type: int(1),
  record: nested(2, () => BuildHistoryRecord),
});
export const UpdateBuildHistoryRequest = message('UpdateBuildHistoryRequest', {
  Ref: string(1),
  Pinned: bool(2),
  Delete: bool(3),
  Finalize: bool(4),
});
export const Empty = message('Empty', {});

// ── gateway.proto ───────────────────────────────────────────────────────────────────────────────────────────────────
export const APICap = message('APICap', {
  ID: string(1),
  Enabled: bool(2),
  Deprecated: bool(3),
  DisabledReason: string(4),
  DisabledReasonMsg: string(5),
  DisabledAlternative: string(6),
});
export const PongResponse = message('PongResponse', {
  FrontendAPICaps: repeated(nested(1, () => APICap)),
  LLBCaps: repeated(nested(2, () => APICap)),
  Workers: repeated(nested(3, () => WorkerRecord)),
});
export const Ref = message('gateway.Ref', { id: string(1), def: nested(2, () => Definition) });
export const RefMap = message('gateway.RefMap', { refs: map(1, id => nested(id, () => Ref)) });
export const Result = message('gateway.Result', {
  refDeprecated: string(1),
  ref: nested(3, () => Ref),
  refs: nested(4, () => RefMap),
  metadata: map(10, bytes),
});
export const GatewaySolveRequest = message('gateway.SolveRequest', {
  Definition: nested(1, () => Definition),
  Frontend: string(2),
  FrontendOpt: map(3, string),
  allowResultReturn: bool(5),
  allowResultArrayRef: bool(6),
  CacheImports: repeated(nested(12, () => CacheOptionsEntry)),
  FrontendInputs: map(13, id => nested(id, () => Definition)),
  Evaluate: bool(14),
});
export const GatewaySolveResponse = message('gateway.SolveResponse', {
  ref: string(1),
  result: nested(3, () => Result),
});
export const ReturnRequest = message('gateway.ReturnRequest', {
  result: nested(1, () => Result),
  error: nested(2, () => Status),
});
export const EvaluateRequest = message('gateway.EvaluateRequest', { Ref: string(1) });
