// The wiring of the daemon: every part is made here and handed to those that need it. Nothing registers itself, nothing reaches for a
// global; two engines can live in one process.

import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { externalRuntime, openContainerd, openTasks, type TaskService } from '../containerd/index.ts';
import { describe, InvalidArgument } from '../errdefs/index.ts';
import { nativeFile } from '../launcher/index.ts';
import { LocalNetworkController, type NetworkRecord } from '../network/index.ts';
import { Registry } from '../registry/index.ts';
import { BuildService } from './build/build-service.ts';
import type { Config } from './config/config.ts';
import { ContainerStore } from './container/container-store.ts';
import { onExit } from './container/exit.ts';
import { ImageSource } from './container/image-source.ts';
import type { ContainerRecord } from './container/record.ts';
import { restoreContainers, startByPolicy } from './container/restore.ts';
import { SeccompProfiles } from './container/seccomp-profiles.ts';
import type { ContainerServices } from './container/services.ts';
import { eventAttributes } from './container/services.ts';
import { SharedShm } from './container/shared-shm.ts';
import { stopContainer } from './container/stop.ts';
import { EventLog } from './event/event-log.ts';
import { ExecStore } from './exec/exec.ts';
import { type ImageDeps, StoragePolicy } from './image/index.ts';
import { createLog, type Log } from './log.ts';
import { denialAttributes } from './network/egress.ts';
import { networkStore } from './network/network-store.ts';
import { createApiServer } from './server/api.ts';
import { type Listener, listen } from './server/listen.ts';
import { readFacts } from './system/facts.ts';
import { hostMounter, resolveBelow } from './volume/host-mounts.ts';
import { type VolumeRecord, VolumeStore } from './volume/volume.ts';

export interface EngineOptions {
  readonly config: Config;
  readonly log?: Log;
  /** Of berth, for `docker version`. */
  readonly berthVersion?: string;
}

/** A running engine. */
export interface Engine {
  readonly config: Config;
  readonly events: EventLog;
  /** Listens on a further `-H` value. */
  listen(host: string): Promise<void>;
  /** Ends the engine; containers stay. Resolves when the sockets are gone and everything is written. */
  close(): Promise<void>;
}

/** How long requests may go on after the end was asked for. */
const graceMs = 2000;

/** Starts an engine: opens its stores, adopts what runs, and listens on the hosts of its configuration. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { config } = options;
  const log = options.log ?? createLog(config.logLevel);
  for (const name of config.ineffective) log.warn(`the option "${name}" has no effect in this engine`);
  await using undo = new AsyncDisposableStack();
  makeRoots(config);
  const containerd = undo.use(await openContainerd({ root: config.dataRoot }));
  const facts = readFacts(engineId(config.dataRoot), options.berthVersion ?? '0.1.0');
  const events = new EventLog();
  const tasks = openTasks({
    execRoot: config.execRoot,
    spillDirectory: path.join(config.dataRoot, 'tmp'),
    runtimes: new Map(
      Object.entries(config.runtimes).map(([name, { path: file }]) => [
        name,
        externalRuntime({ path: file, root: path.join(config.execRoot, `runtime-${name}`) }),
      ]),
    ),
  });
  undo.defer(() => tasks.close());
  const running = await tasks.adopt();

  const volumes = new VolumeStore({
    root: path.join(config.dataRoot, 'volumes'),
    records: containerd.metadata.collection<VolumeRecord>('volumes'),
    events,
    mounter: hostMounter,
    log,
  });
  volumes.load();
  const store = new ContainerStore(containerd.metadata.collection<ContainerRecord>('containers'));
  store.load();

  const networks = new LocalNetworkController({
    store: networkStore(containerd.metadata.collection<NetworkRecord>('networks')),
    bridge: config.bridge ?? 'docker0',
    ...(config.bip !== undefined && { bip: config.bip }),
    ...(config.fixedCidr !== undefined && { fixedCidr: config.fixedCidr }),
    ...(config.mtu !== undefined && { mtu: config.mtu }),
    icc: config.icc,
    ipv6: config.ipv6,
    ipForward: config.ipForward,
    ipMasquerade: config.ipMasquerade,
    ...(config.hostIp !== undefined && { publishAddress: config.hostIp }),
    ...(config.addressPools.length > 0 && { defaultAddressPools: config.addressPools }),
    engineId: facts.engineId,
    onDenied: denial => events.publish('network', 'deny', denial.networkId, denialAttributes(denial)),
    warn: message => log.warn(message),
  });
  // Without a running container nobody needs the bridges: an engine that ends leaves none behind.
  undo.defer(() => (store.all().some(container => container.state.running) ? networks.close() : networks.destroy()));
  const alive = new Set(
    running.filter(task => task.status === 'running' || task.status === 'paused').map(task => task.id),
  );
  await networks.restore(
    store.all().flatMap(container => (alive.has(container.id) ? container.record.endpoints : [])),
    id => running.find(task => task.id === id)?.pid,
  );

  const shm = new SharedShm(config.dataRoot, hostMounter);
  const seccomp = new SeccompProfiles(config.seccompProfile, facts);
  let execs: ExecStore | undefined;
  let policy: StoragePolicy | undefined;
  const services: ContainerServices = {
    config,
    facts,
    memoryBytes: facts.memoryBytes,
    store,
    images: new ImageSource(containerd, id => policy?.used(id)),
    snapshotter: containerd.snapshotter,
    tasks,
    networks,
    volumes,
    events,
    log,
    seccomp: (profile, capabilities) => seccomp.resolve(profile, capabilities),
    initBinary: () => initBinary(config),
    sharedShm: (id, sizeBytes) => shm.of(id, sizeBytes),
    removeSharedShm: id => shm.remove(id),
    resolveBelow,
    timings: new Map(),
    execs: () => execs!,
  };
  execs = new ExecStore(services);
  undo.use(followTasks(services, tasks, execs));
  await restoreContainers(services, running);

  const registry = undo.use(
    new Registry({
      mirrors: config.registryMirrors,
      insecureRegistries: config.insecureRegistries,
      maxConcurrentDownloads: config.maxConcurrentDownloads,
      maxConcurrentUploads: config.maxConcurrentUploads,
      retry: { attempts: config.maxDownloadAttempts },
      proxyEnvironment: process.env,
    }),
  );
  const images: ImageDeps = {
    containerd,
    registry,
    events,
    stored: () => void policy?.enforce().catch((err: unknown) => log.error(`storage policy: ${describe(err)}`)),
    users: () =>
      store.all().map(({ id, state, record }) => ({
        id,
        imageId: record.imageId,
        reference: record.config.Image,
        running: state.running,
      })),
  };
  policy = undo.use(new StoragePolicy(images, config.imageStore));
  const builds = undo.use(new BuildService({ services, images, facts }));
  const api = createApiServer({ services, images, builds, events, facts, log });
  const listeners: Listener[] = [];
  undo.defer(async () => {
    await Promise.all(listeners.map(listener => listener.close(graceMs)));
  });
  const open = async (host: string): Promise<void> => {
    listeners.push(await listen(host, api, config, log));
    log.info(`API listen on ${host}`);
  };
  for (const host of config.hosts) await open(host);
  void startByPolicy(services);
  const end = undo.move();
  return {
    config,
    events,
    listen: open,
    async close() {
      for (const container of store.all()) {
        clearTimeout(container.restartTimer);
        container.stopHealthChecks?.();
      }
      if (!config.liveRestore) await stopAll(services);
      await end.disposeAsync();
    },
  };
}

/** Without live-restore containers end with the daemon: each has its own time to stop, all together the shutdown timeout. */
async function stopAll(services: ContainerServices): Promise<void> {
  const running = services.store.all().filter(container => container.state.running);
  const late = new Promise<void>(resolve => {
    setTimeout(resolve, services.config.shutdownTimeoutSeconds * 1000).unref();
  });
  const stopped = Promise.allSettled(
    running.map(async container => {
      await stopContainer(services, container, {});
      // By the daemon, not by hand: `unless-stopped` starts it again.
      container.state.manuallyStopped = false;
      services.store.save(container);
    }),
  );
  await Promise.race([stopped, late]);
}

/** What the tasks tell goes to the containers and execs that they are. */
function followTasks(services: ContainerServices, tasks: TaskService, execs: ExecStore): Disposable {
  return tasks.subscribe(event => {
    const container = services.store.byId(event.id);
    if (container === undefined) return;
    switch (event.type) {
      case 'exit':
        if (event.execId !== undefined) execs.onExit(event.execId, event.status.code);
        else {
          execs.onContainerExit(container);
          void onExit(services, container, event.status, container.run).catch(err =>
            services.log.error('could not settle an exit', { container: container.id, err }),
          );
        }
        return;
      case 'oom':
        container.state.oomKilled = true;
        services.events.publish('container', 'oom', container.id, eventAttributes(container));
        return;
      case 'client':
        if (event.why === 'detached') {
          const action = event.execId === undefined ? 'detach' : 'exec_detach';
          const more = event.execId === undefined ? {} : { execID: event.execId };
          services.events.publish('container', action, container.id, eventAttributes(container, more));
        }
        return;
      default:
    }
  });
}

function makeRoots(config: Config): void {
  mkdirSync(config.dataRoot, { recursive: true, mode: 0o711 });
  mkdirSync(path.join(config.dataRoot, 'containers'), { recursive: true, mode: 0o710 });
  mkdirSync(config.execRoot, { recursive: true, mode: 0o711 });
  const spill = path.join(config.dataRoot, 'tmp');
  rmSync(spill, { recursive: true, force: true });
  mkdirSync(spill, { recursive: true, mode: 0o700 });
}

/** The same for the life of a data root, as `docker info` shows it. */
function engineId(dataRoot: string): string {
  const file = path.join(dataRoot, 'engine-id');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const id = randomUUID();
  writeFileSync(file, id);
  return id;
}

/** The program that is pid 1 with `--init`. */
function initBinary(config: Config): string {
  const candidates = [
    config.initPath,
    safeNativeFile('berth-init'),
    '/usr/bin/docker-init',
    '/usr/libexec/docker/docker-init',
    '/usr/bin/tini-static',
    '/usr/bin/tini',
  ];
  const found = candidates.find(file => file !== undefined && existsSync(file));
  if (found === undefined)
    throw new InvalidArgument(
      'could not find the init binary: exec: "docker-init": executable file not found in $PATH',
    );
  return found;
}

function safeNativeFile(name: string): string | undefined {
  try {
    return nativeFile(name);
  } catch {
    return undefined;
  }
}
