// BuildKit's API: moby.buildkit.v1.Control and the gateway's LLBBridge, as far as buildx, compose and their libraries call them.

import type { IncomingHttpHeaders } from 'node:http2';
import type { Builder, BuildResult } from '../../../build/index.ts';
import { InvalidArgument, NotFound, NotImplemented } from '../../../errdefs/index.ts';
import { cacheUsage, pruneCache } from '../../build/cache-usage.ts';
import { defaultPlatform } from '../../build/platform.ts';
import { type Call, type Services, serverStreaming, streaming, unary } from '../grpc/server.ts';
import { TunnelSocket } from '../grpc/tunnel.ts';
import * as pb from '../proto/buildkit.ts';
import { HealthCheckRequest, HealthCheckResponse } from '../proto/session.ts';
import type { MessageOf, Partially } from '../proto/wire.ts';
import type { ContextDirectories } from '../session/context-directories.ts';
import type { Session, Sessions } from '../session/session.ts';
import { ReturnedError } from './build-error.ts';
import { type RunningBuild, RunningBuilds } from './builds.ts';
import { type ExporterRequest, type ExportTargets, exportName, exportResult } from './exporters.ts';
import { answerRequest, runFrontend, step } from './frontend.ts';
import { History } from './history.ts';
import { timestamp } from './status-log.ts';

export interface ControlDeps {
  readonly builder: Builder;
  readonly sessions: Sessions;
  readonly directories: ContextDirectories;
  readonly targets: ExportTargets;
  /** A stable id of this engine. */
  readonly engineId: string;
  readonly version: string;
  /** Address that `host-gateway` means. */
  readonly hostGateway: () => string | undefined;
}

/** What the gateway can do (buildkit frontend/gateway/pb/caps.go, solver/pb/caps.go): clients ask before they use it. */
const frontendCaps = [
  'solve.base',
  'solve.inlinereturn',
  'return',
  'returnmap',
  'importcaches',
  'proto.refarray',
  'gateway.solve.metadata',
  'gateway.evaluate.solve',
  'gateway.evaluate',
];
const llbCaps = [
  'source.local',
  'source.local.unique',
  'source.local.sessionid',
  'source.local.includepatterns',
  'source.local.followpaths',
  'source.local.excludepatterns',
  'source.local.sharedkeyhint',
  'source.image',
  'exec.meta.base',
  'exec.mount.bind',
  'file.base',
  'constraints',
  'platform',
  'meta.ignorecache',
  'meta.description',
  'meta.exportcache',
];

const buildIdKey = 'buildkit-controlapi-buildid';

export class Control {
  readonly #deps: ControlDeps;
  readonly #builds = new RunningBuilds();
  readonly #history = new History();

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  cancel(ref: string): void {
    this.#builds.cancel(ref);
  }

  services(): Services {
    const control = (name: string): string => `/moby.buildkit.v1.Control/${name}`;
    const bridge = (name: string): string => `/moby.buildkit.v1.frontend.LLBBridge/${name}`;
    return {
      [control('Info')]: unary(pb.InfoRequest, pb.InfoResponse, () => ({ buildkitVersion: this.#version() })),
      [control('ListWorkers')]: unary(pb.ListWorkersRequest, pb.ListWorkersResponse, () => ({
        record: [this.#worker()],
      })),
      [control('DiskUsage')]: unary(pb.DiskUsageRequest, pb.DiskUsageResponse, async () => ({
        record: await this.#usage(),
      })),
      [control('Prune')]: serverStreaming(pb.PruneRequest, pb.UsageRecord, request => this.#prune(request)),
      [control('Solve')]: unary(pb.SolveRequest, pb.SolveResponse, (request, call) =>
        this.#solve(request, call.signal),
      ),
      [control('Session')]: streaming(pb.BytesMessage, pb.BytesMessage, call => this.#sessionStream(call)),
      [control('Status')]: serverStreaming(pb.StatusRequest, pb.StatusResponse, (request, call) =>
        this.#status(request.Ref, call.signal),
      ),
      [control('ListenBuildHistory')]: serverStreaming(pb.BuildHistoryRequest, pb.BuildHistoryEvent, (request, call) =>
        this.#history.listen(request, call.signal),
      ),
      [control('UpdateBuildHistory')]: unary(pb.UpdateBuildHistoryRequest, pb.Empty, request => {
        this.#history.update(request);
        return {};
      }),
      [bridge('Ping')]: unary(pb.Empty, pb.PongResponse, () => ({
        FrontendAPICaps: frontendCaps.map(ID => ({ ID, Enabled: true })),
        LLBCaps: llbCaps.map(ID => ({ ID, Enabled: true })),
        Workers: [this.#worker()],
      })),
      [bridge('Solve')]: unary(pb.GatewaySolveRequest, pb.GatewaySolveResponse, (request, call) =>
        this.#bridgeSolve(request, call.metadata, call.signal),
      ),
      [bridge('Evaluate')]: unary(pb.EvaluateRequest, pb.Empty, () => ({})),
      [bridge('Return')]: unary(pb.ReturnRequest, pb.Empty, (request, call) =>
        this.#bridgeReturn(request, call.metadata, call.signal),
      ),
      '/grpc.health.v1.Health/Check': unary(HealthCheckRequest, HealthCheckResponse, () => ({ status: 1 })),
      '/opentelemetry.proto.collector.trace.v1.TraceService/Export': unary(pb.Empty, pb.Empty, () => ({})),
    };
  }

  /** A session of a client that cannot dial /session: the same connection, carried by a stream of this one. */
  async *#sessionStream(
    call: Call<MessageOf<typeof pb.BytesMessage>>,
  ): AsyncGenerator<Partially<MessageOf<typeof pb.BytesMessage>>> {
    const text = (name: string): string => {
      const value = call.metadata[name];
      return Array.isArray(value) ? value.join(',') : String(value ?? '');
    };
    const id = text('x-docker-expose-session-uuid');
    if (id === '') throw new InvalidArgument('a session needs an id');
    const methods = text('x-docker-expose-session-grpc-method')
      .split(',')
      .map(method => method.trim())
      .filter(method => method !== '');
    const socket = new TunnelSocket(call.requests, call.signal);
    const session = this.#deps.sessions.accept(id, text('x-docker-expose-session-sharedkey'), methods, socket);
    try {
      for await (const data of socket.outgoing()) yield { data };
    } finally {
      session.close();
    }
  }

  #version() {
    return { package: 'berth', version: `v${this.#deps.version}`, revision: '' };
  }

  #worker(): Partially<MessageOf<typeof pb.WorkerRecord>> {
    const { os, architecture, variant = '' } = defaultPlatform();
    const gateway = this.#deps.hostGateway();
    return {
      ID: this.#deps.engineId,
      Labels: {
        'org.mobyproject.buildkit.worker.executor': 'berth',
        'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
        ...(gateway !== undefined && { 'org.mobyproject.buildkit.worker.moby.host-gateway-ip': gateway }),
      },
      platforms: [{ OS: os, Architecture: architecture, Variant: variant }],
      BuildkitVersion: this.#version(),
    };
  }

  async *#status(ref: string, signal: AbortSignal): AsyncGenerator<Partially<MessageOf<typeof pb.StatusResponse>>> {
    const status = await this.#builds.status(ref, signal);
    yield* status.follow(signal);
  }

  async #solve(
    request: MessageOf<typeof pb.SolveRequest>,
    signal: AbortSignal,
  ): Promise<Partially<MessageOf<typeof pb.SolveResponse>>> {
    if (request.Definition !== undefined && request.Definition.def.length > 0) {
      throw new NotImplemented('building from LLB is not supported: only the dockerfile frontend is');
    }
    const build = this.#builds.open(request.Ref, request.Session);
    const stop = (): void => build.abort.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    const record = this.#history.begin(request);
    try {
      const session =
        request.Session === '' ? undefined : await this.#deps.sessions.get(request.Session, build.abort.signal);
      void session?.closed.then(() => build.abort.abort(new DOMException('context canceled', 'AbortError')));
      let id: string | undefined;
      if (request.Frontend === '') {
        const aborted = Promise.withResolvers<never>();
        build.abort.signal.addEventListener('abort', () => aborted.reject(build.abort.signal.reason), { once: true });
        id = await Promise.race([build.returned.promise, aborted.promise]);
      } else id = await this.#build(build, request.Frontend, request.FrontendAttrs, session);
      const answer: Record<string, string> = {};
      const result = id === undefined ? undefined : build.results.get(id);
      if (result !== undefined) {
        for (const [index, exporter] of exportersOf(request).entries()) {
          Object.assign(answer, await this.#export(exporter, index, result, build, session, wantsInline(request)));
        }
        for (const { Type: type, Attrs } of request.Cache?.Exports ?? []) {
          if (type !== 'inline') await this.#exportCache(type, Attrs, result, build, session);
        }
      }
      this.#history.end(record, answer);
      return { ExporterResponse: answer };
    } catch (err) {
      this.#history.end(record, {}, err);
      throw err;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#builds.close(build);
    }
  }

  /** A cache in a registry is the image with what is known of its layers (`mode=min`). */
  async #exportCache(
    type: string,
    attributes: Readonly<Record<string, string>>,
    result: BuildResult,
    build: RunningBuild,
    session: Session | undefined,
  ): Promise<void> {
    const { ref } = attributes;
    if (attributes.mode === 'max')
      throw new NotImplemented('cache export with mode=max is not supported: only mode=min is');
    if (type !== 'registry' || ref === undefined)
      throw new NotImplemented(`cache export of type "${type}" is not supported: only inline and registry are`);
    const { builder, targets } = this.#deps;
    await step(build.status, `exporting cache to ${type}`, async () => {
      const { target } = await builder.writeImage(result, { inlineCache: true });
      await targets.pushOnly(ref, target, session, build.abort.signal);
    });
  }

  #export(
    exporter: ExporterRequest,
    index: number,
    result: BuildResult,
    build: RunningBuild,
    session: Session | undefined,
    inlineCache: boolean,
  ): Promise<Record<string, string>> {
    const { builder, targets } = this.#deps;
    if (exporter.Type === 'cacheonly') return Promise.resolve({});
    return step(build.status, exportName(exporter.Type), (_, vertex) => {
      let started = new Date();
      const say = (id: string): void => {
        const now = new Date();
        build.status.status({ vertex, id, current: 0, total: 0, started, completed: now });
        started = now;
      };
      return exportResult(exporter, index, builder, result, targets, session, build.abort.signal, say, inlineCache);
    });
  }

  /** Has a frontend build; gives the id of the result. */
  async #build(
    build: RunningBuild,
    frontend: string,
    attributes: Readonly<Record<string, string>>,
    session: Session | undefined,
  ): Promise<string> {
    if (
      frontend !== 'dockerfile.v0' &&
      !(frontend === 'gateway.v0' && /^docker\/dockerfile/.test(attributes.source ?? ''))
    ) {
      throw new NotImplemented(`frontend "${frontend}" is not supported: only dockerfile.v0 is`);
    }
    if (session === undefined) throw new InvalidArgument('a build needs a session with the client');
    const result = await runFrontend(this.#deps, attributes, session, build.status, build.abort.signal);
    const id = crypto.randomUUID();
    build.results.set(id, result);
    return id;
  }

  async #bridgeSolve(
    request: MessageOf<typeof pb.GatewaySolveRequest>,
    metadata: IncomingHttpHeaders,
    signal: AbortSignal,
  ): Promise<Partially<MessageOf<typeof pb.GatewaySolveResponse>>> {
    const build = await this.#buildOf(metadata, signal);
    if (request.Frontend === '')
      throw new NotImplemented('building from LLB is not supported: only the dockerfile frontend is');
    const session = await this.#deps.sessions.get(build.session, signal);
    if (request.FrontendOpt.requestid) {
      const metadata = await answerRequest(this.#deps, request.FrontendOpt, session, build.status, build.abort.signal);
      return { result: { metadata } };
    }
    const imports = request.CacheImports.map(({ Type, Attrs }) => ({ Type, Attrs }));
    const attributes = {
      ...request.FrontendOpt,
      ...(imports.length > 0 && { 'cache-imports': JSON.stringify(imports) }),
    };
    const id = await this.#build(build, request.Frontend, attributes, session);
    return { ref: id, result: { ref: { id }, metadata: {} } };
  }

  async #bridgeReturn(
    request: MessageOf<typeof pb.ReturnRequest>,
    metadata: IncomingHttpHeaders,
    signal: AbortSignal,
  ): Promise<Record<string, never>> {
    const build = await this.#buildOf(metadata, signal);
    if (request.error !== undefined) build.returned.reject(ReturnedError.of(request.error));
    else {
      const { result } = request;
      build.returned.resolve(
        result?.ref?.id || result?.refDeprecated || Object.values(result?.refs?.refs ?? {})[0]?.id || undefined,
      );
    }
    return {};
  }

  async #buildOf(metadata: IncomingHttpHeaders, signal: AbortSignal): Promise<RunningBuild> {
    const ref = metadata[buildIdKey];
    if (typeof ref !== 'string') throw new NotFound('no buildid found in context');
    return this.#builds.get(ref, signal);
  }

  async #usage(): Promise<Partially<MessageOf<typeof pb.UsageRecord>>[]> {
    return (await cacheUsage(this.#deps.builder)).map(record => ({
      ID: record.ID,
      Mutable: record.mutable,
      Size: record.Size,
      InUse: record.InUse,
      CreatedAt: timestamp(new Date(record.CreatedAt)),
      LastUsedAt: timestamp(new Date(record.LastUsedAt ?? record.CreatedAt)),
      UsageCount: record.UsageCount,
      Description: record.Description,
      RecordType: record.Type,
      Shared: record.Shared,
    }));
  }

  async *#prune(
    request: MessageOf<typeof pb.PruneRequest>,
  ): AsyncGenerator<Partially<MessageOf<typeof pb.UsageRecord>>> {
    const until = request.keepDuration > 0 ? new Date(Date.now() - request.keepDuration / 1e6) : undefined;
    const keepBytes = request.reservedSpace || request.maxUsedSpace || undefined;
    const dropped = await pruneCache(this.#deps.builder, {
      all: request.all,
      ...(until !== undefined && { until }),
      ...(keepBytes !== undefined && { keepBytes }),
    });
    if (until === undefined && keepBytes === undefined) this.#deps.directories.clear();
    for (const { id, sizeBytes } of dropped) yield { ID: id, Size: sizeBytes, RecordType: 'regular' };
  }
}

const wantsInline = ({ Cache, FrontendAttrs }: MessageOf<typeof pb.SolveRequest>): boolean =>
  (Cache?.Exports ?? []).some(({ Type: type }) => type === 'inline') ||
  FrontendAttrs['build-arg:BUILDKIT_INLINE_CACHE'] === '1';

function exportersOf(request: MessageOf<typeof pb.SolveRequest>): ExporterRequest[] {
  if (request.Exporters.length > 0) return [...request.Exporters];
  return request.ExporterDeprecated === ''
    ? []
    : [{ Type: request.ExporterDeprecated, Attrs: request.ExporterAttrsDeprecated }];
}
