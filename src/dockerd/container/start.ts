// Starting a container. This is the path that `docker run` waits for: nothing on it waits for the disk, and what can be done before or
// after is not done here.
//
//   1  mounts: bind sources, volumes           4  the spec
//   2  the network: addresses, ports           5  the task: shim and program up to "created"
//   3  the files hosts, hostname, resolv.conf  6  clients that attached before; then the program runs

import { mkdirSync, statSync } from 'node:fs';
import {
  Conflict,
  codeOf,
  describe,
  EngineError,
  InvalidArgument,
  isInvalidArgument,
  isNotFound,
  NotModified,
  Unknown,
} from '../../errdefs/index.ts';
import type { Endpoint, NetnsPlan } from '../../network/index.ts';
import type { RuntimeSpec } from '../../oci/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import { attachClient } from './attach.ts';
import { type Container, newSandboxId } from './container.ts';
import { startHealthChecks } from './health.ts';
import { logConfig } from './log-config.ts';
import { attachmentOf, endedEndpoint, liveEndpoint, portMap, portRequests } from './network-config.ts';
import { resolverOverrides, writeNetworkFiles } from './network-files.ts';
import { containerPaths } from './paths.ts';
import { removeContainer } from './remove.ts';
import { noRestarts } from './restart-policy.ts';
import { type ContainerServices, eventAttributes } from './services.ts';
import { type BuiltSpec, buildSpec } from './spec/build.ts';

/** POST /containers/{id}/start. */
export async function startContainer(services: ContainerServices, container: Container): Promise<void> {
  await container.lock.run(async () => {
    const { state } = container;
    if (state.paused) throw new Conflict('cannot start a paused container, try unpause instead');
    if (state.running && !state.restarting) throw new NotModified('container is already running');
    if (state.removing || state.dead) throw new Conflict('container is marked for removal and cannot be started');
    clearTimeout(container.restartTimer);
    container.restarts = noRestarts;
    state.manuallyStopped = false;
    try {
      await launch(services, container);
    } catch (err) {
      if (container.record.hostConfig.AutoRemove) void removeFailed(services, container);
      throw err;
    }
  });
}

async function removeFailed(services: ContainerServices, container: Container): Promise<void> {
  try {
    await removeContainer(services, container, { force: true, volumes: true });
  } catch (err) {
    services.log.warn('could not remove a container that failed to start', { container: container.id, err });
  }
}

/** Starts it, with the lock held. A failure leaves it as it was, with the reason in its state. */
export async function launch(services: ContainerServices, container: Container): Promise<void> {
  const { record, state } = container;
  const begun = performance.now();
  await using undo = new AsyncDisposableStack();
  try {
    prepareMounts(services, container);
    undo.defer(() => releaseMounts(services, container));
    const endpoints = await connect(services, container);
    undo.defer(() => releaseNetwork(services, container, endpoints));
    writeNetworkFiles(services, container, endpoints);
    const networkMs = performance.now() - begun;
    const built = await buildSpec(services, container);
    const specMs = performance.now() - begun - networkMs;
    container.begin();
    const created = await createTask(services, container, built, endpoints);
    // A start that fails has deleted the task already.
    undo.defer(() => services.tasks.delete(record.id).then(() => {}, ignoreNotFound));
    services.networks.settle(endpoints, created.pid);
    const taskMs = performance.now() - begun - networkMs - specMs;
    await handOverClients(services, container);
    await services.tasks.start(record.id);
    const startMs = performance.now() - begun - networkMs - specMs - taskMs;
    undo.move();
    services.timings.set(record.id, {
      networkMs,
      specMs,
      ...created.timings,
      taskMs,
      startMs,
      totalMs: performance.now() - begun,
    });
    Object.assign(state, {
      running: true,
      restarting: false,
      paused: false,
      oomKilled: false,
      pid: created.pid,
      exitCode: 0,
      error: '',
      startedAt: formatNs(nowNs()),
    });
    record.endpoints = endpoints;
    services.store.save(container);
    startHealthChecks(services, container);
    services.events.publish('container', 'start', record.id, eventAttributes(container));
    if (services.log.level === 'debug') {
      services.log.debug('container started', { id: record.id, ...services.timings.get(record.id) });
    }
  } catch (err) {
    await undo.disposeAsync().catch(cause => services.log.warn('a failed start left something behind', { cause }));
    throw failed(services, container, err);
  }
}

function ignoreNotFound(err: unknown): void {
  if (!isNotFound(err)) throw err;
}

/** What a failed start leaves in the state, and what the client is told. */
function failed(services: ContainerServices, container: Container, err: unknown): unknown {
  const { state } = container;
  const { code, error } = describeFailure(err);
  Object.assign(state, { running: false, restarting: false, pid: 0, exitCode: code, error: (error as Error).message });
  services.store.save(container);
  for (const pending of container.pendingAttach.splice(0)) {
    pending.connection.socket.destroySoon();
    pending.done();
  }
  container.end();
  container.tellExit({ exitCode: code, error: (error as Error).message });
  return error;
}

/** The exit code is chosen by the runtime's words, as Docker does and its CLI again (moby daemon/errors.go). */
export function describeFailure(err: unknown): { code: number; error: unknown } {
  const message = err instanceof Error ? err.message : String(err);
  const has = (text: string): boolean => message.includes(text);
  if (!has('OCI runtime')) return { code: 128, error: err };
  if (has('executable file not found') || has('no such file or directory') || has('not a directory')) {
    return { code: 127, error: new InvalidArgument(message) };
  }
  if (has('permission denied') || has('is a directory')) {
    return { code: 126, error: new InvalidArgument(message) };
  }
  return { code: 128, error: isInvalidArgument(err) ? err : new Unknown(message) };
}

/** Missing sources of binds become directories of root's, unless the mount asked for an error. */
function prepareMounts(services: ContainerServices, container: Container): void {
  for (const mount of container.record.mounts) {
    if (mount.Type === 'volume' && mount.Name) {
      services.volumes.mount(mount.Name, container.id);
      services.events.publish('volume', 'mount', mount.Name, {
        container: container.id,
        destination: mount.Destination,
        driver: 'local',
        propagation: mount.Propagation,
        'read/write': String(mount.RW),
      });
    } else if (mount.Type === 'bind' && statSync(mount.Source, { throwIfNoEntry: false }) === undefined) {
      if (mount.request?.BindOptions?.CreateMountpoint !== true) {
        throw new InvalidArgument(
          `invalid mount config for type "bind": bind source path does not exist: ${mount.Source}`,
        );
      }
      mkdirSync(mount.Source, { recursive: true, mode: 0o755 });
    }
  }
}

/** The volumes' mounts are let go of. */
export function releaseMounts(services: ContainerServices, container: Container): void {
  for (const mount of container.record.mounts) {
    if (mount.Type !== 'volume' || !mount.Name) continue;
    services.volumes.unmount(mount.Name, container.id);
    services.events.publish('volume', 'unmount', mount.Name, { container: container.id, driver: 'local' });
  }
}

async function connect(services: ContainerServices, container: Container): Promise<Endpoint[]> {
  const { record } = container;
  const { hostConfig, config } = record;
  if (hostConfig.NetworkMode.startsWith('container:') || config.NetworkDisabled === true) return [];
  record.sandboxId = newSandboxId();
  const links = (hostConfig.Links ?? []).map(link => link.replace(/^\//, ''));
  if (hostConfig.NetworkMode === 'bridge') checkLinks(services, links);
  // The network that the container was made for comes first: it gets eth0.
  const isFirst = (name: string): number => Number(name === hostConfig.NetworkMode);
  const names = Object.keys(record.networks).sort((a, b) => isFirst(b) - isFirst(a));
  const attachments = names.map(network => {
    const settings = record.networks[network]!;
    return attachmentOf(network, settings, settings.MacAddress, isFirst(network) ? links : []);
  });
  const ports = portRequests(hostConfig, config.ExposedPorts ?? {});
  const sandbox = {
    containerId: record.id,
    name: record.name,
    hostname: config.Hostname,
    resolver: resolverOverrides(services, container),
    ...(config.Labels?.['berth.egress'] !== undefined && { egress: config.Labels['berth.egress'] }),
  };
  const endpoints = await services.networks.attach(sandbox, attachments, ports).catch((err: unknown) => {
    throw new EngineError(codeOf(err), `failed to set up container networking: ${describe(err)}`);
  });
  endpoints.forEach((endpoint, i) => {
    const name = names[i]!;
    record.networks[name] = liveEndpoint(record.networks[name]!, endpoint);
    services.events.publish('network', 'connect', endpoint.networkId, {
      container: record.id,
      name: endpoint.networkName,
      type: endpoint.driver,
    });
  });
  record.ports = portMap(config.ExposedPorts ?? {}, endpoints);
  return endpoints;
}

/** On the default bridge a link leads to another container there. */
function checkLinks(services: ContainerServices, links: readonly string[]): void {
  for (const link of links) {
    const other = services.store.lookUp(link.split(':', 1)[0]!);
    if (other !== undefined && other.record.networks.bridge === undefined) {
      throw new InvalidArgument(`container ${other.id} not attached to default bridge network`);
    }
  }
}

/** Gives addresses and ports back; what inspect shows of them is emptied. */
export async function releaseNetwork(
  services: ContainerServices,
  container: Container,
  endpoints: readonly Endpoint[],
): Promise<void> {
  const { record } = container;
  for (const [name, settings] of Object.entries(record.networks)) {
    record.networks[name] = endedEndpoint(settings, endpoints);
  }
  record.ports = {};
  for (const endpoint of endpoints) {
    services.events.publish('network', 'disconnect', endpoint.networkId, {
      container: record.id,
      name: endpoint.networkName,
      type: endpoint.driver,
    });
  }
  await Promise.all(endpoints.map(endpoint => services.networks.release(endpoint)));
}

function createTask(
  services: ContainerServices,
  container: Container,
  built: BuiltSpec,
  endpoints: readonly Endpoint[],
) {
  const { record } = container;
  const { config } = record;
  const plan = netnsPlan(services, built.spec, endpoints);
  return services.tasks.create({
    id: record.id,
    spec: built.spec,
    rootfs: built.rootfs,
    runtime: record.hostConfig.Runtime,
    io: {
      terminal: config.Tty,
      stdin: config.OpenStdin,
      stdinOnce: config.StdinOnce,
      log: logConfig(record, containerPaths(services.config.dataRoot, record.id).log),
    },
    ...(plan !== undefined && { netns: plan }),
  });
}

/** What to do in a network namespace of its own; nothing in one that it joins. */
function netnsPlan(
  services: ContainerServices,
  spec: RuntimeSpec,
  endpoints: readonly Endpoint[],
): NetnsPlan | undefined {
  const network = spec.linux?.namespaces?.find(namespace => namespace.type === 'network');
  if (network === undefined || network.path !== undefined) return undefined;
  return services.networks.plan(endpoints);
}

async function handOverClients(services: ContainerServices, container: Container): Promise<void> {
  for (const pending of container.pendingAttach.splice(0)) {
    await attachClient(services, container, pending);
    pending.done();
  }
}
