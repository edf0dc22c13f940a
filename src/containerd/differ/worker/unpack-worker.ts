// Entry of an unpack worker thread.

import { parentPort } from 'node:worker_threads';
import { codeOf } from '../../../errdefs/index.ts';
import { native } from '../../../launcher/index.ts';
import { runJob } from './jobs.ts';
import type { Reply, Request } from './protocol.ts';
import { LayerSession } from './session.ts';

if (parentPort === null) throw new Error('the unpack worker was started as a program');
const port = parentPort;
const reply = (message: Reply): void => port.postMessage(message);
const fail = (id: number, err: unknown): void =>
  reply({
    type: 'failed',
    id,
    failure: { code: codeOf(err), message: err instanceof Error ? err.message : String(err) },
  });

// Modes are those of the archive: this thread has a umask of its own, which is none.
native().unshare(0x200 /* CLONE_FS */);
native().umask(0);

const sessions = new Map<number, LayerSession>();

function open(request: Extract<Request, { type: 'open' }>): void {
  const { id } = request;
  const session = new LayerSession(request, {
    opened: offset => reply({ type: 'opened', id, offset }),
    taken: (bytes, unpackedBytes) => reply({ type: 'taken', id, bytes, unpackedBytes }),
    done: result => {
      sessions.delete(id);
      reply({ type: 'done', id, result });
    },
    failed: err => {
      sessions.delete(id);
      fail(id, err);
    },
  });
  sessions.set(id, session);
  void session.open();
}

port.on('message', (request: Request) => {
  switch (request.type) {
    case 'open':
      open(request);
      break;
    case 'chunk':
      sessions.get(request.id)?.chunk(request.bytes);
      break;
    case 'end':
      sessions.get(request.id)?.end();
      break;
    case 'close':
      sessions.get(request.id)?.close();
      sessions.delete(request.id);
      reply({ type: 'closed', id: request.id });
      break;
    case 'job':
      runJob(request.job).then(
        result => reply({ type: 'jobDone', id: request.id, result }),
        (err: unknown) => fail(request.id, err),
      );
  }
});
