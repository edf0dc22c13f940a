import { Transform, type TransformCallback } from 'node:stream';
import { XzDecoder } from './xz.ts';

/** xz as a stream. It decompresses on the thread that it is used on, some 20 MB/s. */
export class XzDecompress extends Transform {
  readonly #decoder = new XzDecoder(bytes => this.push(bytes));

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    settle(done, () => this.#decoder.write(chunk));
  }

  override _flush(done: TransformCallback): void {
    settle(done, () => this.#decoder.end());
  }
}

function settle(done: TransformCallback, run: () => void): void {
  try {
    run();
  } catch (err) {
    done(err as Error);
    return;
  }
  done();
}
