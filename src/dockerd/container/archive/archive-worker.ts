// The thread that reads and writes a container's files. One per job: a mount namespace of its own ends with it.

import { parentPort, workerData } from 'node:worker_threads';
import { TarReader } from '../../../containerd/index.ts';
import { codeOf, describe } from '../../../errdefs/index.ts';
import type { FromWorker, ToWorker, WorkerInput } from './job.ts';
import { pathStat } from './path-stat.ts';
import { readTree } from './read-tree.ts';
import { Root } from './root.ts';
import { TreeSink } from './write-tree.ts';

const port = parentPort!;
const { root: source, job } = workerData as WorkerInput;

function send(message: FromWorker): void {
  const transfer = message.type === 'bytes' ? [message.bytes.buffer as ArrayBuffer] : [];
  port.postMessage(message, transfer);
}

/** Descriptors belong to the process, not to the thread: what is open must be closed, or the mounts behind it would live on. */
const open = new DisposableStack();

/** The job has ended, well or not. */
function end(): void {
  open.dispose();
  port.close();
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (err) {
    send({ type: 'error', code: codeOf(err), message: describe(err) });
    end();
  }
}

guarded(() => {
  const root = open.use(new Root(source));
  switch (job.kind) {
    case 'stat':
      send({ type: 'stat', stat: pathStat(root, job.path) });
      end();
      return;
    case 'read':
    case 'export': {
      const tree = job.kind === 'read' ? readTree(root, job.path, job.name, false) : readTree(root, '/', '', true);
      open.defer(() => tree.return(undefined));
      port.on('message', (message: ToWorker) => {
        if (message.type === 'abort') end();
        else if (message.type === 'more') guarded(() => sendNext(tree));
      });
      return;
    }
    case 'write': {
      root.requireDirectory(job.path);
      const sink = open.use(new TreeSink(root, job.path === '/' ? '' : job.path, job));
      const reader = new TarReader(sink);
      send({ type: 'taken' });
      port.on('message', (message: ToWorker) => {
        if (message.type === 'abort') end();
        else guarded(() => take(reader, sink, message));
      });
    }
  }
});

function sendNext(tree: Generator<Buffer>): void {
  const next = tree.next();
  if (next.done === true) {
    send({ type: 'done' });
    end();
    return;
  }
  // A copy of its own, which can be given away.
  send({ type: 'bytes', bytes: new Uint8Array(next.value) });
}

function take(reader: TarReader, sink: TreeSink, message: ToWorker): void {
  if (message.type === 'bytes') {
    const { buffer, byteOffset, byteLength } = message.bytes;
    reader.write(Buffer.from(buffer, byteOffset, byteLength));
    send({ type: 'taken' });
  } else if (message.type === 'end') {
    reader.end();
    sink.finish();
    send({ type: 'done' });
    end();
  }
}
