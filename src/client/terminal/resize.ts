import type { Engine } from '../http/engine.ts';
import { windowSize } from './window.ts';

/** Tries while the process is not there yet. */
const attempts = 10;

/** Keeps a container's (or exec's) terminal at the size of ours; `path` is its resource. Stops when the signal says. */
export function followWindowSize(
  engine: Engine,
  path: string,
  signal: AbortSignal,
  options: { readonly redraw?: boolean } = {},
): void {
  const send = async (more = 0): Promise<void> => {
    const size = windowSize(1);
    if (size === undefined || (size.rows === 0 && size.columns === 0)) return;
    await engine.send('POST', `${path}/resize`, { query: { h: size.rows + more, w: size.columns + more } });
  };
  const first = async (): Promise<void> => {
    for (let i = 0; i < attempts && !signal.aborted; i++) {
      try {
        // A change of size makes the program draw its screen anew, which whoever joins has not seen.
        if (options.redraw === true) await send(1);
        await send();
        return;
      } catch {
        await new Promise(resolve => setTimeout(resolve, 10 * (i + 1)));
      }
    }
    if (!signal.aborted) process.stderr.write('failed to resize tty, using default size\n');
  };
  const onResize = (): void => void send().catch(() => {}); // it may have ended meanwhile
  void first();
  process.on('SIGWINCH', onResize);
  signal.addEventListener('abort', () => process.off('SIGWINCH', onResize), { once: true });
}
