// Signals that reach the client are passed on to the container (--sig-proxy).

import type { Engine } from '../http/engine.ts';

// Not SIGCHLD, SIGPIPE and SIGURG, which are the client's own; SIGKILL and SIGSTOP cannot be caught. SIGPROF and SIGVTALRM are Node's.
const forwarded: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
];

/** Forwards to the container until told to stop. */
export function proxySignals(engine: Engine, id: string, until: AbortSignal): void {
  for (const name of forwarded) {
    const onSignal = (): void => {
      // A container that has just ended cannot take it: nothing to tell.
      void engine.send('POST', `/containers/${id}/kill`, { query: { signal: name.slice(3) } }).catch(() => {});
    };
    process.on(name, onSignal);
    until.addEventListener('abort', () => process.off(name, onSignal), { once: true });
  }
}
