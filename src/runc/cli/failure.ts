/** Runs a command; what fails is told under runc's prefix ("runc create failed: ..."), which engines pass on to their users. */
export async function withPrefix<T>(prefix: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${prefix}: ${message}`, { cause: error });
  }
}
