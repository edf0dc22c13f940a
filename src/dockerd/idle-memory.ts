// Gives memory back when the engine has gone quiet. V8 keeps what a busy moment needed until it needs it again; an engine that
// keeps fifty containers should not keep the garbage of having started them.

import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const lookMs = 1000;
/** Share of the time in which the loop may be busy and still count as quiet. */
const quiet = 0.05;
/** Growth that is worth the collection's 10 to 20 ms. */
const worthBytes = 4 << 20;

/** Looks once a second; `[Symbol.dispose]` ends it. For the daemon's own process: an embedding program decides for itself. */
export function collectWhenIdle(): Disposable {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let before = performance.eventLoopUtilization();
  let kept = process.memoryUsage.rss();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > quiet) return;
    const rss = process.memoryUsage.rss();
    if (rss - kept < worthBytes) {
      kept = Math.min(kept, rss);
      return;
    }
    collect();
    kept = process.memoryUsage.rss();
  }, lookMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
