// The key sequence that leaves a container's terminal (ctrl-p,ctrl-q) is noticed by the client as it sends what is typed.

export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** Reads "ctrl-p,ctrl-q" or "a,b" into bytes; throws an Error in Docker's words. */
export function parseDetachKeys(text: string): Buffer {
  if (text === '') return Buffer.alloc(0);
  return Buffer.from(
    text.split(',').map(key => {
      if (key.length === 1) return key.charCodeAt(0);
      const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
      if (control === undefined) throw new Error(`Unknown character: '${key}'`);
      return control.toUpperCase().charCodeAt(0) & 0x1f;
    }),
  );
}

/** Watches input for the sequence: bytes that may begin it are held until the next ones decide. */
export class DetachWatcher {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What to send of this input, and whether the sequence was completed. */
  push(input: Buffer): { readonly send: Buffer; readonly detached: boolean } {
    if (this.#keys.length === 0) return { send: input, detached: false };
    const out: number[] = [];
    for (const byte of input) {
      if (byte === this.#keys[this.#matched]) {
        if (++this.#matched === this.#keys.length) return { send: Buffer.from(out), detached: true };
        continue;
      }
      out.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) out.push(byte);
    }
    return { send: Buffer.from(out), detached: false };
  }
}
