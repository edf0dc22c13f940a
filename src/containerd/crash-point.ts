/** Ends the process at a named point, as a power cut of the process would, where BERTH_CRASH names it: crash tests. */
export function crashPoint(name: string): void {
  if (process.env.BERTH_CRASH === name) process.kill(process.pid, 'SIGKILL');
}
