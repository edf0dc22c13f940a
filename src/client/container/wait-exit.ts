import type { ContainerWaitResponse } from '../../api/index.ts';
import type { Engine } from '../http/engine.ts';

/**
 * Asks for a container's exit status. Resolves when the daemon has accepted the question, so that a start that follows
 * cannot come too early; `status` then resolves when the container has ended, with 125 where the daemon failed to tell.
 */
export async function awaitExit(
  engine: Engine,
  id: string,
  condition: 'next-exit' | 'removed' | 'not-running',
): Promise<{ readonly status: Promise<number> }> {
  const response = await engine.request('POST', `/containers/${id}/wait`, { query: { condition } });
  const status = response.text().then(
    text => {
      const answer = JSON.parse(text) as ContainerWaitResponse;
      if (answer.Error?.Message) {
        process.stderr.write(`Error waiting for container: ${answer.Error.Message}\n`);
        return 125;
      }
      return answer.StatusCode;
    },
    (err: Error) => {
      process.stderr.write(`error waiting for container: ${err.message}\n`);
      return 125;
    },
  );
  return { status };
}
