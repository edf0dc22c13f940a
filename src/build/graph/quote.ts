// Texts as Go prints them, since `docker history` shows them to people and scripts.

/** `["a" "b"]`: Go's %q of a string slice. */
export const goQuotes = (words: readonly string[]): string => `[${words.map(word => JSON.stringify(word)).join(' ')}]`;

/** `[a b]`: Go's %v of a string slice. */
export const goList = (words: readonly string[]): string => `[${words.join(' ')}]`;

/** `1h2m3s`, as Go prints a duration given in nanoseconds. */
export function goDuration(ns: number): string {
  const seconds = ns / 1e9;
  if (seconds < 1) return seconds === 0 ? '0s' : `${ns / 1e6}ms`;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
