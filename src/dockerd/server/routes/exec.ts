// The exec endpoints.

import { execCreateShape, execStartShape } from '../../../api/index.ts';
import { describe } from '../../../errdefs/index.ts';
import { clientOf, detachKeysOf, streamTypes } from '../../container/attach.ts';
import { parseSize } from '../../container/resize.ts';
import type { ContainerServices } from '../../container/services.ts';
import type { Exec } from '../../exec/exec.ts';
import type { Call } from '../call.ts';
import type { Handlers } from '../server.ts';

type Names = 'execCreate' | 'execStart' | 'execResize' | 'execInspect';

export function execHandlers(services: ContainerServices): Pick<Handlers, Names> {
  return {
    async execCreate(call) {
      const container = services.store.find(call.param('id'));
      const request = await call.body(execCreateShape, 'ExecOptions');
      detachKeysOf(request.DetachKeys);
      if (container.state.running && !container.state.paused) await services.execs().checkUser(container, request);
      call.json(201, { Id: services.execs().create(container, request, false, call.param('id')).id });
    },

    async execStart(call) {
      const exec = services.execs().find(call.param('id'));
      const request = await call.body(execStartShape, 'ExecStartOptions', execStartShape.zero());
      exec.tty = request.Tty || exec.request.Tty;
      if (request.Detach) {
        await services.execs().start(exec, undefined, request.ConsoleSize);
        call.empty(200);
        return;
      }
      await startAttached(services, call, exec, request.ConsoleSize);
    },

    async execResize(call) {
      const exec = services.execs().find(call.param('id'));
      const size = parseSize(call.query.text('h'), call.query.text('w'));
      // The CLI resizes right after it has asked for the start.
      for (let tries = 0; !exec.running && exec.exitCode === null && tries < 100; tries++) {
        await new Promise(resolve => setTimeout(resolve, 10));
      }
      await services.tasks.resizePty(exec.container.id, exec.id, size);
      call.empty(200);
    },

    async execInspect(call) {
      const exec = services.execs().find(call.param('id'));
      // The shim tells its client and us at the same time; a client that has seen the end must not read "running".
      if (exec.running)
        await Promise.race([exec.ended, new Promise(resolve => setImmediate(() => setImmediate(resolve)))]);
      call.json(200, services.execs().inspect(exec));
    },
  };
}

/** The answer leaves before the process runs; what goes wrong afterwards is told in the stream. */
async function startAttached(
  services: ContainerServices,
  call: Call,
  exec: Exec,
  size: readonly number[] | null,
): Promise<void> {
  const { request } = exec;
  services.execs().checkStart(exec);
  const connection = call.hijack(streamTypes(call, exec.tty));
  const client = await clientOf(connection, {
    stdin: request.AttachStdin,
    stdout: request.AttachStdout,
    stderr: request.AttachStderr,
    framed: !exec.tty,
    detachKeys: exec.tty ? detachKeysOf(request.DetachKeys) : undefined,
  });
  try {
    await services.execs().start(exec, client.attach, size);
    client.close();
  } catch (err) {
    services.log.debug('exec failed', { exec: exec.id, err });
    const text = Buffer.from(`${describe(err)}\r\n`);
    const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
    header.writeUInt32BE(text.length, 4);
    connection.socket.end(exec.tty ? text : Buffer.concat([header, text]), () => connection.socket.destroy());
  }
}
