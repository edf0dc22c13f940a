import { Decompressor } from '../worker/decompressor.ts';

/** A stream without its compression, whatever that is; as it is where there is none. */
export async function* decompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const decompressor = new Decompressor(bytes => ready.push(bytes), failed.reject);
  try {
    for await (const chunk of source) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (bytes.length === 0) continue;
      const taken = new Promise<void>(resolve => decompressor.write(bytes, resolve));
      await Promise.race([taken, failed.promise]);
      yield* ready.splice(0);
    }
    await Promise.race([new Promise<void>(resolve => decompressor.end(resolve)), failed.promise]);
    yield* ready.splice(0);
  } finally {
    decompressor.close();
  }
}
