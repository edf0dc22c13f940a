// RUN as a container of the engine's own: Docker's default spec, a task, the build's network; nothing of it is left afterwards.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import {
  type ContainerConfig,
  containerConfigShape,
  decodeBody,
  type HostConfig,
  hostConfigShape,
} from '../../api/index.ts';
import { overlayMount, type RunMountPoint, type Runner, type RunStep } from '../../build/index.ts';
import { InvalidArgument, isNotFound } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import {
  bridgeResolvConf,
  type Endpoint,
  hostModeResolvConf,
  hostsFile,
  parseExtraHosts,
  readHostResolvConf,
} from '../../network/index.ts';
import type { Mount, RuntimeSpec } from '../../oci/index.ts';
import { completeHostConfig } from '../container/host-config.ts';
import { type ContainerServices, layersOf } from '../container/services.ts';
import { userOf } from '../container/spec/build.ts';
import { runtimeSpec } from '../container/spec/spec.ts';
import { OutputFrames } from './output-frames.ts';

const streamSocket = 1;
const sigkill = 9;

export class TaskRunner implements Runner {
  readonly #services: ContainerServices;
  readonly #root: string;
  /** Defaults of what a request would say. */
  readonly #config: ContainerConfig;
  readonly #host: HostConfig;

  /** `root` is for files that live as long as a step. */
  constructor(services: ContainerServices, root: string) {
    this.#services = services;
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
    this.#config = decodeBody(containerConfigShape, '{}');
    this.#host = decodeBody(hostConfigShape, '{}');
  }

  async run(step: RunStep): Promise<{ exitCode: number }> {
    try {
      return await this.#run(step);
    } catch (err) {
      const text = /OCI runtime create failed: runc create failed: ([\s\S]*)$/.exec((err as Error).message)?.[1];
      if (text === undefined || step.signal.aborted) throw err;
      // A program that is not there is the build's fault: it is told among the step's output, as BuildKit does.
      step.output(2, Buffer.from(`runc run failed: ${text}\n`));
      return { exitCode: 1 };
    }
  }

  async #run(step: RunStep): Promise<{ exitCode: number }> {
    const { tasks, networks } = this.#services;
    step.signal.throwIfAborted();
    await using stack = new AsyncDisposableStack();
    const directory = mkdtempSync(path.join(this.#root, 'run-'));
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    const network = networkOf(step);
    const hostname = step.options.hostname ?? 'buildkitsandbox';
    const sandbox = { containerId: step.id, name: step.id, hostname };
    const endpoints = await networks.attach(sandbox, [{ network }], []);
    stack.defer(async () => {
      await Promise.all(endpoints.map(endpoint => networks.release(endpoint)));
    });
    const files = this.#writeFiles(step, directory, hostname, endpoints);
    const spec = this.#spec(step, hostname, files);
    const created = await tasks.create({
      id: step.id,
      spec,
      rootfs: step.rootfs,
      io: { terminal: false, stdin: false, stdinOnce: false, log: { type: 'none' } },
      ...(network !== 'host' && { netns: networks.plan(endpoints) }),
    });
    stack.defer(() => this.#remove(step.id));
    networks.settle(endpoints, created.pid);
    const { drained } = await this.#capture(step);
    step.signal.throwIfAborted();
    await tasks.start(step.id);
    const kill = (): void => {
      tasks.kill(step.id, sigkill, { all: true }).catch(() => {}); // it has ended by itself
    };
    step.signal.addEventListener('abort', kill, { once: true });
    try {
      if (step.signal.aborted) kill();
      const status = await tasks.wait(step.id);
      await drained;
      return { exitCode: status.code };
    } finally {
      step.signal.removeEventListener('abort', kill);
    }
  }

  async #remove(id: string): Promise<void> {
    const { tasks } = this.#services;
    try {
      if (tasks.get(id).status === 'running') {
        await tasks.kill(id, sigkill, { all: true }).catch(() => {});
        await tasks.wait(id);
      }
      await tasks.delete(id);
    } catch (err) {
      // A start that failed has deleted it already.
      if (!isNotFound(err)) throw err;
    }
  }

  /** Attaches to the task; `drained` resolves when all output has come. */
  async #capture(step: RunStep): Promise<{ drained: Promise<void> }> {
    const [ours, theirs] = native().socketpair(streamSocket);
    const socket = new net.Socket({ fd: ours, readable: true, writable: false });
    const frames = new OutputFrames(step.output);
    const drained = new Promise<void>(resolve => {
      socket.on('data', chunk => frames.take(chunk));
      socket.on('error', () => {});
      socket.once('close', () => resolve());
    });
    try {
      await this.#services.tasks.attach(step.id, undefined, {
        fd: theirs,
        stdin: false,
        stdout: true,
        stderr: true,
        framed: true,
      });
    } catch (err) {
      socket.destroy();
      throw err;
    } finally {
      native().close(theirs);
    }
    return { drained };
  }

  #spec(step: RunStep, hostname: string, files: { readonly hosts: string; readonly resolvConf: string }): RuntimeSpec {
    const { config: daemon, facts, seccomp } = this.#services;
    const { vertex, options } = step;
    const config: ContainerConfig = {
      ...this.#config,
      Hostname: hostname,
      Cmd: vertex.args,
      WorkingDir: vertex.cwd,
      User: vertex.user,
    };
    const host = completeHostConfig(
      {
        ...this.#host,
        NetworkMode: networkOf(step),
        Privileged: vertex.insecure,
        ShmSize: options.shmSizeBytes ?? 0,
        Ulimits: options.ulimits.map(ulimit),
        CgroupParent: options.cgroupParent ?? '',
        Memory: options.memoryBytes ?? 0,
        CpuShares: options.cpuShares ?? 0,
        CpuPeriod: options.cpuPeriod ?? 0,
        CpuQuota: options.cpuQuota ?? 0,
        CpusetCpus: options.cpusetCpus ?? '',
      },
      daemon,
      facts,
      () => false,
    );
    const user = userOf(layersOf(step.rootfs), vertex.user, []);
    const spec = runtimeSpec({
      id: step.id,
      config,
      host,
      mounts: [],
      user,
      hostname,
      files: { ...files, hostname: '' },
      joins: {},
      rootPath: 'rootfs',
      cgroupParent: daemon.cgroupParent === '' ? '/docker/buildkit' : daemon.cgroupParent,
      hostCapabilities: facts.capabilities,
      noNewPrivileges: daemon.noNewPrivileges,
      seccomp,
    });
    const env = [...vertex.env, ...step.env];
    // As runc: HOME is the user's where nobody said otherwise.
    if (!env.some(entry => entry.startsWith('HOME='))) env.push(`HOME=${user.home}`);
    return {
      ...spec,
      process: { ...spec.process!, env, args: vertex.args, cwd: vertex.cwd },
      mounts: [
        // A build may write its own /etc/hostname.
        ...(spec.mounts ?? []).filter(mount => mount.destination !== '/etc/hostname'),
        ...step.mounts.map(mountOf),
      ],
    };
  }

  #writeFiles(step: RunStep, directory: string, hostname: string, endpoints: readonly Endpoint[]) {
    const { networks, config } = this.#services;
    const files = { hosts: path.join(directory, 'hosts'), resolvConf: path.join(directory, 'resolv.conf') };
    const overrides = { nameservers: config.dns, search: config.dnsSearch, options: config.dnsOptions };
    const withIPv6 = endpoints.some(endpoint => endpoint.ipv6 !== undefined);
    const resolver = readHostResolvConf();
    writeFileSync(
      files.resolvConf,
      networkOf(step) === 'bridge'
        ? bridgeResolvConf(resolver, overrides, withIPv6)
        : hostModeResolvConf(resolver, overrides),
    );
    const addresses = endpoints
      .flatMap(({ ipv4, ipv6 }) => [ipv4?.address, ipv6?.address])
      .filter(address => address !== undefined);
    const extra = parseExtraHosts(step.options.addHosts, networks.hostGateways());
    writeFileSync(files.hosts, hostsFile({ hostname, addresses, extra, withoutIPv6: !withIPv6 }));
    return files;
  }
}

const networkOf = ({ vertex }: RunStep): 'bridge' | 'host' | 'none' =>
  vertex.network === 'default' ? 'bridge' : vertex.network;

function mountOf(mount: RunMountPoint): Mount {
  const destination = mount.target;
  switch (mount.type) {
    case 'bind':
      return {
        destination,
        type: 'bind',
        source: mount.source,
        options: ['rbind', mount.readOnly ? 'rro' : 'rw', 'rprivate'],
      };
    case 'overlay': {
      const { options } = overlayMount(mount.lowerdirs, mount.upper);
      return { destination, type: 'overlay', source: 'overlay', options: [...options] };
    }
    case 'tmpfs':
      return {
        destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'nodev', ...(mount.sizeBytes === undefined ? [] : [`size=${mount.sizeBytes}`])],
      };
  }
}

/** `nofile=1024:2048`. */
function ulimit(text: string): { Name: string; Soft: number; Hard: number } {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
  if (match === null) throw new InvalidArgument(`invalid ulimit argument: ${text}`);
  const soft = Number(match[2]);
  return { Name: match[1]!, Soft: soft, Hard: Number(match[3] ?? soft) };
}
