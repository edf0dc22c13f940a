// POST /containers/create (moby daemon/create.go). Any failure takes back everything, anonymous volumes included.

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ContainerConfig, ContainerCreateRequest, ContainerCreateResponse, HostConfig } from '../../api/index.ts';
import { codeOf, describe, EngineError, InvalidArgument, isNotFound, NotFound } from '../../errdefs/index.ts';
import type { Platform } from '../../oci/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import { Container } from './container.ts';
import { completeHostConfig } from './host-config.ts';
import { newId, shortId } from './id.ts';
import { commandOf, mergeConfig } from './merge.ts';
import { copyUp } from './mounts/copy-up.ts';
import { makeVolumes, planMounts } from './mounts/register.ts';
import { inventName, parseName } from './names.ts';
import { attachmentOf, portRequests, requestedEndpoints } from './network-config.ts';
import { containerLabel } from './orphans.ts';
import { containerDirectory } from './paths.ts';
import { type ContainerRecord, newState } from './record.ts';
import { type ContainerServices, eventAttributes, layersOf, type RunnableImage } from './services.ts';
import { validateConfig, validateHostConfig } from './validate.ts';

export interface CreateOptions {
  /** '' for an invented one. */
  readonly name: string;
  readonly platform: Platform | undefined;
  /** Whether the client speaks an API version below this one. */
  readonly below: (version: string) => boolean;
}

export const logDrivers = ['json-file', 'local', 'none', 'syslog'];

/** Makes a container; nothing runs yet. */
export async function createContainer(
  services: ContainerServices,
  request: ContainerCreateRequest,
  options: CreateOptions,
): Promise<ContainerCreateResponse> {
  const { HostConfig: requestedHost, NetworkingConfig: networking, ...requestedConfig } = request;
  if (requestedHost === undefined) throw new InvalidArgument('HostConfig is required');
  const given = options.name === '' ? undefined : parseName(options.name);
  validateConfig(requestedConfig);
  const host = withIds(services, completeHostConfig(requestedHost, services.config, services.facts, options.below));
  const warnings = validateHostConfig(host, requestedConfig, {
    runtimes: ['runc', 'io.containerd.runc.v2', ...Object.keys(services.config.runtimes)],
    logDrivers,
    ...services.facts,
  });
  const image = await services.images.resolve(request.Image, options.platform);
  warnings.push(...platformWarning(image, options.platform, services));
  const merged = mergeConfig(requestedConfig, image.config.config ?? {});
  const command = commandOf(merged);
  if (command === undefined) throw new InvalidArgument('no command specified');

  const id = newId();
  const name = takeName(services, id, given);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => services.store.releaseName(name, id));

  const config = withHostname(services, merged, host, id);
  const networks = requestedEndpoints(host, networking?.EndpointsConfig ?? {}, config.MacAddress);
  checkEndpoints(services, networks);
  if (host.NetworkMode !== 'host') {
    warnings.push(...services.networks.publishWarnings(portRequests(host, config.ExposedPorts ?? {})));
  }
  checkLinks(services, host);
  const plan = planMounts(config, host, source => required(services, source).record.mounts);

  const directory = containerDirectory(services.config.dataRoot, id);
  mkdirSync(directory, { recursive: true, mode: 0o710 });
  undo.defer(() => rm(directory, { recursive: true, force: true }));

  const rootfs = await services.snapshotter.prepare(id, image.parent, { labels: { [containerLabel]: id } });
  undo.defer(() => services.snapshotter.remove(id));

  const present = new Set(services.volumes.list().map(volume => volume.name));
  const mounts = makeVolumes(plan, services.volumes);
  undo.defer(() => {
    for (const mount of mounts) {
      if (mount.anonymous === true && mount.Name !== undefined && !present.has(mount.Name)) {
        services.volumes.remove(mount.Name, true);
      }
    }
  });
  for (const mount of mounts) {
    if (mount.Type === 'volume' && mount.copy === true) await copyUp(layersOf(rootfs), mount.Destination, mount.Source);
  }

  const createdNs = nowNs();
  const record: ContainerRecord = {
    id,
    name,
    created: formatNs(createdNs),
    createdNs: String(createdNs),
    path: command.path,
    args: command.args,
    imageId: image.id,
    imageChainId: image.parent,
    platform: 'linux',
    config,
    hostConfig: host,
    mounts,
    networks,
    ports: {},
    endpoints: [],
    sandboxId: '',
    state: newState(),
    restartCount: 0,
  };
  const container = new Container(record);
  services.store.add(container);
  for (const mount of mounts) if (mount.Type === 'volume' && mount.Name) services.volumes.use(mount.Name, id);
  undo.move();
  services.events.publish('container', 'create', id, eventAttributes(container));
  return { Id: id, Warnings: warnings };
}

/** A container that another needs: that it is missing is no "not found", on which clients would pull the image. */
function required(services: ContainerServices, reference: string, doing = ''): Container {
  const container = services.store.lookUp(reference);
  if (container === undefined) throw new InvalidArgument(`${doing}No such container: ${reference}`);
  return container;
}

/** `container:NAME` names a container of this moment: its id stays when the name moves on. */
function withIds(services: ContainerServices, host: HostConfig): HostConfig {
  const byId = (mode: string, doing = ''): string => {
    const name = /^container:(.+)$/.exec(mode)?.[1];
    return name === undefined ? mode : `container:${required(services, name, doing).id}`;
  };
  return {
    ...host,
    NetworkMode: byId(host.NetworkMode, 'joining network namespace of container: '),
    IpcMode: byId(host.IpcMode),
    PidMode: byId(host.PidMode),
  };
}

/** What is asked of networks that are there, they can give; those that are missing are missed at the start. */
function checkEndpoints(services: ContainerServices, networks: ReturnType<typeof requestedEndpoints>): void {
  for (const [name, settings] of Object.entries(networks)) {
    try {
      services.networks.checkAttachment(attachmentOf(name, settings, settings.MacAddress, []));
    } catch (err) {
      if (isNotFound(err)) continue;
      throw new EngineError(codeOf(err), `invalid config for network ${name}: ${describe(err)}`, { cause: err });
    }
  }
}

/** Links name containers that are there. */
function checkLinks(services: ContainerServices, host: HostConfig): void {
  for (const link of host.Links ?? []) {
    const [name = ''] = link.split(':');
    if (services.store.lookUp(name) === undefined) {
      throw new InvalidArgument(`could not get container for ${name}: No such container: ${name}`);
    }
  }
}

function takeName(services: ContainerServices, id: string, given: string | undefined): string {
  if (given !== undefined) {
    services.store.reserveName(given, id);
    return given;
  }
  for (let attempt = 0; attempt < 6; attempt++) {
    const name = inventName(attempt);
    if (services.store.isNameTaken(name)) continue;
    services.store.reserveName(name, id);
    return name;
  }
  services.store.reserveName(shortId(id), id);
  return shortId(id);
}

function withHostname(
  services: ContainerServices,
  config: ContainerConfig,
  host: HostConfig,
  id: string,
): ContainerConfig {
  const joined = /^container:(.+)$/.exec(host.NetworkMode)?.[1];
  if (joined !== undefined) {
    const other = services.store.lookUp(joined);
    if (other === undefined) throw new NotFound(`No such container: ${joined}`);
    return { ...config, Hostname: other.record.config.Hostname, Domainname: other.record.config.Domainname };
  }
  if (config.Hostname !== '') return config;
  const hostname = host.NetworkMode === 'host' || host.UTSMode === 'host' ? services.facts.hostname : shortId(id);
  return { ...config, Hostname: hostname };
}

function platformWarning(image: RunnableImage, asked: Platform | undefined, services: ContainerServices): string[] {
  const own = services.facts.platform;
  const text = (platform: Platform): string =>
    [platform.os, platform.architecture, platform.variant].filter(part => part !== undefined && part !== '').join('/');
  if (asked !== undefined || (image.platform.os === own.os && image.platform.architecture === own.architecture))
    return [];
  return [
    `The requested image's platform (${text(image.platform)}) does not match the detected host platform (${text(own)}) and no specific platform was requested`,
  ];
}
