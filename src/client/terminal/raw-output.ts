// Node's raw mode leaves the terminal's output processing on: a line feed becomes carriage return and line feed. A container's
// own terminal has done that already, and full-screen programs send line feeds that mean only "down".

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
/** IND: down one line, and scroll at the bottom. What a bare line feed does on a terminal without output processing. */
const index = Buffer.from('\x1bD');

/** Rewrites output such that it looks on a processing terminal as it would on a raw one. */
export class RawOutputFilter {
  #lastWasReturn = false;

  push(chunk: Buffer): Buffer {
    if (!chunk.includes(lineFeed)) {
      if (chunk.length > 0) this.#lastWasReturn = chunk.at(-1) === carriageReturn;
      return chunk;
    }
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) {
      const afterReturn = at > 0 ? chunk[at - 1] === carriageReturn : this.#lastWasReturn;
      if (afterReturn) {
        // The terminal adds the return again.
        parts.push(chunk.subarray(from, Math.max(from, at - 1)), chunk.subarray(at, at + 1));
      } else parts.push(chunk.subarray(from, at), index);
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
    this.#lastWasReturn = chunk.at(-1) === carriageReturn;
    return Buffer.concat(parts);
  }
}
