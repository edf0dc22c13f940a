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

function fail(err: unknown): void {
  send({ type: 'error', code: codeOf(err), message: describe(err) });
  port.close();
}

function guarded(work: () => void): void {
  try {
    work();
  } catch (err) {
    fail(err);
  }
}

guarded(() => {
  const root = new Root(source);
  switch (job.kind) {
    case 'stat':
      send({ type: 'stat', stat: pathStat(root, job.path) });
      port.close();
      return;
    case 'read':
    case 'export': {
      const tree = job.kind === 'read' ? readTree(root, job.path, job.name, false) : readTree(root, '/', '', true);
      port.on('message', (message: ToWorker) => {
        if (message.type !== 'more') return;
        guarded(() => {
          const next = tree.next();
          if (next.done === true) {
            send({ type: 'done' });
            port.close();
          } else {
            // A copy of its own, which can be given away.
            send({ type: 'bytes', bytes: new Uint8Array(next.value) });
          }
        });
      });
      return;
    }
    case 'write': {
      root.requireDirectory(job.path);
      const sink = new TreeSink(root, job.path === '/' ? '' : job.path, job);
      const reader = new TarReader(sink);
      send({ type: 'taken' });
      port.on('message', (message: ToWorker) => {
        guarded(() => {
          if (message.type === 'bytes') {
            reader.write(Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.byteLength));
            send({ type: 'taken' });
          } else if (message.type === 'end') {
            reader.end();
            sink.finish();
            send({ type: 'done' });
            port.close();
          }
        });
      });
    }
  }
});
