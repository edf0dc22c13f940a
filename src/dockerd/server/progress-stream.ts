// A stream of progress messages: a failure before the first one is an ordinary error, a later one is the stream's last message.

import type { ServerResponse } from 'node:http';
import { encodeProgress, type ProgressMessage, progressError } from '../../api/index.ts';
import { describe } from '../../errdefs/index.ts';
import type { Call } from './call.ts';

/** Runs `work` and sends what it says. The answer begins with the first message. */
export async function progressStream(
  call: Call,
  work: (output: (message: ProgressMessage) => void) => Promise<void>,
): Promise<void> {
  let out: ServerResponse | undefined;
  const begin = (): ServerResponse => {
    out ??= call.stream('application/json');
    return out;
  };
  try {
    await work(message => {
      begin().write(encodeProgress(message));
    });
    begin().end();
  } catch (err) {
    if (out === undefined) throw err;
    if (!call.signal.aborted) out.write(encodeProgress(progressError(describe(err))));
    out.end();
  }
}
