// RUN: a container of the engine's own on a snapshot of its own, which becomes a layer when it ends well.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, InvalidArgument, isAlreadyExists, NotFound } from '../../errdefs/index.ts';
import { mediaTypes } from '../../oci/index.ts';
import type { BuildBackend, BuildClient, RunMountPoint, RunOptions } from '../backend.ts';
import type { TreeLocation } from '../files/protocol.ts';
import type { ExecMount, ExecVertex, Vertex } from '../graph/vertex.ts';
import { type Ref, type RefLayer, snapshotOf } from '../solver/ref.ts';
import type { ResultOf, StepContext } from '../solver/solver.ts';
import { type CacheMounts, cacheMountsOf } from './cache-mounts.ts';
import { bindOf, withMountPoints } from './mount-points.ts';
import { newRunId } from './run-id.ts';

export interface RunStepOptions {
  readonly backend: BuildBackend;
  readonly client: BuildClient;
  readonly lease: string;
  readonly runOptions: RunOptions;
  readonly scratch: string;
  /** No time in the layer is later than this, in seconds since 1970. */
  readonly clampSec?: number;
  readonly vertex: ExecVertex;
  readonly rootfs: Ref;
  locate(input: Vertex): Promise<TreeLocation>;
  readonly context: StepContext;
}

/** A process that ended badly. BuildKit's words: clients show and parse them. */
export class ProcessFailed extends EngineError {
  readonly args: readonly string[];
  readonly exitCode: number;

  constructor(args: readonly string[], exitCode: number) {
    super('Unknown', `process "${args.join(' ')}" did not complete successfully: exit code: ${exitCode}`);
    this.args = args;
    this.exitCode = exitCode;
  }
}

export async function runStep(options: RunStepOptions): Promise<ResultOf> {
  const { backend, vertex, rootfs, context } = options;
  const id = newRunId();
  await using stack = new AsyncDisposableStack();
  const [own] = await backend.snapshotter.prepare(id, snapshotOf(rootfs));
  let committed = false;
  stack.defer(async () => {
    if (!committed) await backend.snapshotter.remove(id);
  });
  const env: string[] = [...vertex.uncachedEnv];
  const mounts: RunMountPoint[] = [];
  for (const mount of vertex.mounts) mounts.push(...(await mountPoint(options, mount, stack, env)));
  const { exitCode } = await backend.runner.run({
    id,
    rootfs: [withMountPoints(own!, mkdtempSync(join(options.scratch, 'points-')), mounts)],
    vertex,
    mounts,
    env,
    options: options.runOptions,
    signal: context.signal,
    output: (stream, data) => context.progress.log({ vertex: context.vertex, stream, data, at: new Date() }),
  });
  context.signal.throwIfAborted();
  if (exitCode !== 0) throw new ProcessFailed(vertex.args, exitCode);
  const result = await commit(options, id);
  committed = true;
  return result;
}

/** Makes what the step wrote a layer; an empty one where it wrote nothing, as BuildKit does. */
async function commit({ backend, lease, rootfs, clampSec }: RunStepOptions, id: string): Promise<ResultOf> {
  const diff = await backend.differ.diff(id, { lease, ...(clampSec !== undefined && { clampSec }) });
  const layer: RefLayer = {
    descriptor: { mediaType: mediaTypes.ociLayer, digest: diff.digest, size: diff.size },
    diffId: diff.digest,
    createdAt: new Date().toISOString(),
  };
  const ref = { layers: [...rootfs.layers, layer] };
  const chain = snapshotOf(ref);
  try {
    await backend.snapshotter.commit(chain, id, { lease });
  } catch (err) {
    if (!isAlreadyExists(err)) throw err;
    // The same files on the same layers were there already.
    backend.leases.addResource(lease, { type: 'snapshot', id: chain });
    await backend.snapshotter.remove(id);
  }
  return { ref, sizeBytes: diff.fileBytes };
}

async function mountPoint(
  options: RunStepOptions,
  mount: ExecMount,
  stack: AsyncDisposableStack,
  env: string[],
): Promise<RunMountPoint[]> {
  const { backend, client, scratch, context } = options;
  switch (mount.type) {
    case 'tmpfs':
      return [
        { type: 'tmpfs', target: mount.target, ...(mount.sizeBytes !== undefined && { sizeBytes: mount.sizeBytes }) },
      ];
    case 'bind': {
      const { layers } = await options.locate(mount.input!);
      return [bindOf(layers, mount.source ?? '/', mount.target, mount.readOnly, scratch)];
    }
    case 'cache': {
      const caches: CacheMounts = cacheMountsOf(backend);
      const held = await caches.acquire(
        mount.id ?? mount.target,
        mount.sharing ?? 'shared',
        {
          mode: mount.mode ?? 0o755,
          uid: mount.uid ?? 0,
          gid: mount.gid ?? 0,
        },
        context.signal,
      );
      stack.defer(() => held.release());
      return [{ type: 'bind', source: held.path, target: mount.target, readOnly: mount.readOnly }];
    }
    case 'secret': {
      const id = mount.id ?? '';
      const value = await client.secret(id, context.signal);
      if (value === undefined) {
        if (mount.required) throw new NotFound(`secret ${id}: not found`);
        return [];
      }
      const points: RunMountPoint[] = [];
      if (mount.env !== undefined) env.push(`${mount.env}=${Buffer.from(value).toString()}`);
      if (mount.target !== '') {
        const dir = mkdtempSync(join(scratch, 'secret-'));
        const path = join(dir, 'value');
        writeFileSync(path, value, { mode: 0o600 });
        chownSync(path, mount.uid ?? 0, mount.gid ?? 0);
        chmodSync(path, mount.mode ?? 0o400);
        points.push({ type: 'bind', source: path, target: mount.target, readOnly: true });
      }
      return points;
    }
    case 'ssh': {
      const id = mount.id ?? 'default';
      const agent = await client.sshAgent(id, context.signal);
      if (agent === undefined) {
        if (mount.required) throw new InvalidArgument(`unset ssh forward key ${id}`);
        return [];
      }
      stack.defer(agent.close);
      chownSync(agent.path, mount.uid ?? 0, mount.gid ?? 0);
      chmodSync(agent.path, mount.mode ?? 0o600);
      if (!env.some(entry => entry.startsWith('SSH_AUTH_SOCK='))) env.push(`SSH_AUTH_SOCK=${mount.target}`);
      mkdirSync(scratch, { recursive: true });
      return [{ type: 'bind', source: agent.path, target: mount.target, readOnly: false }];
    }
  }
}
