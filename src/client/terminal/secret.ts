/** Reads a line from the terminal without showing it. */
export function readSecret(): Promise<string> {
  return new Promise((resolve, reject) => {
    const bytes: number[] = [];
    process.stdin.setRawMode(true);
    const done = (): void => {
      process.stdin.off('data', onData);
      process.stdin.setRawMode(false);
      process.stdin.pause();
    };
    const onData = (chunk: Buffer): void => {
      for (const byte of chunk) {
        if (byte === 0x0d || byte === 0x0a || byte === 0x04) {
          done();
          resolve(Buffer.from(bytes).toString());
          return;
        }
        if (byte === 0x03) {
          done();
          reject(new Error('Error: interrupted'));
          return;
        }
        if (byte === 0x7f || byte === 0x08) bytes.pop();
        else bytes.push(byte);
      }
    };
    process.stdin.on('data', onData);
    process.stdin.resume();
  });
}
