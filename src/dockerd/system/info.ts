// GET /info.

import { readdirSync, readFileSync } from 'node:fs';
import { type InfoResponse, versionLessThan } from '../../api/index.ts';
import { formatNs, nowNs } from '../clock.ts';
import { logDrivers } from '../container/create.ts';
import type { SystemServices } from '../server/routes/system.ts';
import { engineVersion } from './facts.ts';

export function infoOf(services: SystemServices, version: string): InfoResponse {
  const { containers, images, events, facts } = services;
  const { config, store } = containers;
  const states = store.all().map(container => container.state);
  const paused = states.filter(state => state.running && state.paused).length;
  const running = states.filter(state => state.running && !state.paused).length;
  const runtime = { path: 'berth-runc' };
  return {
    ID: facts.engineId,
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
    Images: images.count(),
    // The semantics of Docker's containerd image store: image ids are those of manifests, and this is how it tells.
    Driver: 'overlayfs',
    DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
    Plugins: {
      Volume: ['local'],
      Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
      Authorization: null,
      Log: logDrivers.filter(driver => driver !== 'none'),
    },
    MemoryLimit: true,
    SwapLimit: true,
    ...(facts.cgroupVersion === 1 && { KernelMemoryTCP: true }),
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: readFlag('/proc/sys/net/ipv4/ip_forward'),
    Debug: config.debug,
    NFd: readdirSync('/proc/self/fd').length,
    OomKillDisable: facts.cgroupVersion === 1,
    NGoroutines: 1,
    SystemTime: formatNs(nowNs()),
    LoggingDriver: config.logDriver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(facts.cgroupVersion),
    NEventsListener: events.listeners,
    KernelVersion: facts.kernelVersion,
    OperatingSystem: facts.operatingSystem,
    OSVersion: facts.osVersion,
    OSType: 'linux',
    Architecture: facts.uname,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(config.insecureRegistries, config.registryMirrors),
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    HttpProxy: process.env.HTTP_PROXY ?? '',
    HttpsProxy: process.env.HTTPS_PROXY ?? '',
    NoProxy: process.env.NO_PROXY ?? '',
    Name: facts.hostname,
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: engineVersion,
    Runtimes: { 'io.containerd.runc.v2': runtime, runc: runtime, ...config.runtimes },
    DefaultRuntime: config.defaultRuntime,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: config.liveRestore,
    Isolation: '',
    InitBinary: 'docker-init',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: ['name=seccomp,profile=builtin', ...(facts.cgroupVersion === 2 ? ['name=cgroupns'] : [])],
    ...(!versionLessThan(version, '1.49') && { FirewallBackend: { Driver: 'nftables' } }),
    CDISpecDirs: [],
    ...(config.addressPools.length > 0 && {
      DefaultAddressPools: config.addressPools.map(pool => ({ Base: pool.base, Size: pool.size })),
    }),
    Warnings: null,
  };
}

function readFlag(file: string): boolean {
  try {
    return readFileSync(file, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

function registryConfig(insecure: readonly string[], mirrors: readonly string[]): InfoResponse['RegistryConfig'] {
  const isRange = (text: string): boolean => /^[0-9a-fA-F.:]+\/\d+$/.test(text);
  const named = insecure.filter(entry => !isRange(entry));
  return {
    IndexConfigs: {
      'docker.io': { Mirrors: mirrors, Name: 'docker.io', Official: true, Secure: true },
      ...Object.fromEntries(named.map(name => [name, { Mirrors: [], Name: name, Official: false, Secure: false }])),
    },
    InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128', ...insecure.filter(isRange)],
    Mirrors: mirrors.length > 0 ? mirrors : null,
  };
}
