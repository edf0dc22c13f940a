// Logging by a program of others, in containerd's form (containerd core/runtime/v2/logging): it reads the container's stdout on
// descriptor 3 and stderr on 4, closes 5 when it is ready, and ends at the end of both. To the shim it is two more clients, so it
// outlives the daemon, and its slowness holds nothing up.

import { Socket } from 'node:net';
import { FailedPrecondition } from '../../errdefs/index.ts';
import { native } from '../../launcher/index.ts';
import { type AttachClient, reapLater } from '../../shim/index.ts';

export interface BinaryLog {
  readonly type: 'binary';
  /** Absolute path of the program. */
  readonly path: string;
  readonly args?: readonly string[];
}

export interface RunningLog extends Disposable {
  /** To be attached before the container starts. The descriptors are closed by dispose. */
  readonly clients: readonly AttachClient[];
}

const readyTimeoutMs = 10_000;
const namespace = 'moby';

/** Starts the program and waits until it is ready. */
export async function startBinaryLog(id: string, log: BinaryLog): Promise<RunningLog> {
  const stack = new DisposableStack();
  const pair = (): { ours: number; theirs: number } => {
    const [ours, theirs] = native().socketpair(1);
    stack.defer(() => native().close(ours));
    return { ours, theirs };
  };
  try {
    const [stdout, stderr] = [pair(), pair()];
    const [readyOurs, readyTheirs] = native().socketpair(1);
    const ready = new Socket({ fd: readyOurs, readable: true, writable: true });
    try {
      const pid = native().spawn({
        file: log.path,
        args: [log.path, ...(log.args ?? [])],
        env: [`CONTAINER_ID=${id}`, `CONTAINER_NAMESPACE=${namespace}`, `PATH=${process.env.PATH ?? ''}`],
        fds: [-1, -1, -1, stdout.theirs, stderr.theirs, readyTheirs],
        newSession: true,
      });
      void reapLater(pid);
    } finally {
      for (const fd of [stdout.theirs, stderr.theirs, readyTheirs]) native().close(fd);
    }
    await untilReady(ready, log.path);
    const client = { stdin: false, framed: false };
    return {
      clients: [
        { ...client, fd: stdout.ours, stdout: true, stderr: false },
        { ...client, fd: stderr.ours, stdout: false, stderr: true },
      ],
      [Symbol.dispose]: () => stack.dispose(),
    };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

function untilReady(ready: Socket, path: string): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new FailedPrecondition(`logging binary ${path} is not ready after ${readyTimeoutMs} ms`));
    }, readyTimeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    ready.once('data', done);
    ready.once('end', done);
    ready.once('error', done);
  }).finally(() => ready.destroy());
}
