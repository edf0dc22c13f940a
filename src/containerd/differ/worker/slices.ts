import { setImmediate } from 'node:timers/promises';

const sliceMs = 10;

/** Runs a walk, letting others run every few milliseconds. */
export async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  for (let until = performance.now() + sliceMs; ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + sliceMs;
  }
}
