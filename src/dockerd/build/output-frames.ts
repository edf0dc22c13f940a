// The shim's framed output (8 bytes of header before each piece) taken apart again.

const headerBytes = 8;

export class OutputFrames {
  readonly #output: (stream: 1 | 2, data: Uint8Array) => void;
  #header = Buffer.alloc(0);
  #stream: 1 | 2 = 1;
  /** Bytes of the current piece that are still to come. */
  #left = 0;

  constructor(output: (stream: 1 | 2, data: Uint8Array) => void) {
    this.#output = output;
  }

  take(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const piece = rest.subarray(0, this.#left);
        this.#left -= piece.length;
        rest = rest.subarray(piece.length);
        this.#output(this.#stream, piece);
        continue;
      }
      const missing = headerBytes - this.#header.length;
      this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
      rest = rest.subarray(missing);
      if (this.#header.length < headerBytes) return;
      this.#stream = this.#header[0] === 2 ? 2 : 1;
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
  }
}
