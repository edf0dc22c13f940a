// The worker thread that reads trees for a build: digests of what a step would take, and the layers that steps make.

import { parentPort } from 'node:worker_threads';
import { codeOf } from '../../errdefs/index.ts';
import { contentDigest } from './content-digest.ts';
import { makeLayer } from './layer.ts';
import type { FilesJob, FilesReply, FilesRequest } from './protocol.ts';

const port = parentPort!;
/** Bytes on their way that nobody has taken yet. */
const windowBytes = 4 << 20;
const blockBytes = 256 * 1024;

interface Running {
  cancelled: boolean;
  underway: number;
  wake: (() => void) | undefined;
}

const running = new Map<number, Running>();

port.on('message', (request: FilesRequest) => {
  const job = running.get(request.id);
  if (request.type === 'job') void run(request.id, request.job);
  else if (job !== undefined) {
    if (request.type === 'cancel') job.cancelled = true;
    else job.underway -= request.bytes;
    job.wake?.();
  }
});

const reply = (message: FilesReply, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

async function run(id: number, job: FilesJob): Promise<void> {
  const state: Running = { cancelled: false, underway: 0, wake: undefined };
  running.set(id, state);
  try {
    if (job.kind === 'digest') {
      reply({ type: 'digest', id, digest: contentDigest(job, state) });
      return;
    }
    // Small pieces (headers, padding) are gathered, so that a layer of 5,000 small files is not 15,000 messages.
    let block = Buffer.allocUnsafeSlow(blockBytes);
    let fill = 0;
    const flush = (): void => {
      if (fill === 0) return;
      const bytes = block.subarray(0, fill);
      state.underway += fill;
      reply({ type: 'chunk', id, bytes }, [block.buffer as ArrayBuffer]);
      block = Buffer.allocUnsafeSlow(blockBytes);
      fill = 0;
    };
    const sink = {
      write: (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length; ) {
          const taken = Math.min(bytes.length - at, blockBytes - fill);
          block.set(bytes.subarray(at, at + taken), fill);
          fill += taken;
          at += taken;
          if (fill === blockBytes) flush();
        }
      },
    };
    const pause = async (): Promise<void> => {
      while (state.underway > windowBytes && !state.cancelled) {
        await new Promise<void>(resolve => {
          state.wake = resolve;
        });
      }
      if (state.cancelled) throw new DOMException('the build was cancelled', 'AbortError');
    };
    const made = await makeLayer(job, sink, pause);
    flush();
    reply({ type: 'done', id, ...made });
  } catch (err) {
    reply({ type: 'failed', id, code: codeOf(err), message: err instanceof Error ? err.message : String(err) });
  } finally {
    running.delete(id);
  }
}
