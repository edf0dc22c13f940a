/** Bounds that keep a hostile archive from filling the machine. */
export interface UnpackLimits {
  /** Uncompressed bytes of one layer. */
  readonly maxBytes: number;
  /** Files, directories and links in one layer. */
  readonly maxEntries: number;
  /** Device nodes in one layer. */
  readonly maxDevices: number;
  /** Uncompressed bytes per compressed byte, once a layer has more than 64 MiB. gzip reaches 1032. */
  readonly maxRatio: number;
}

export const defaultLimits: UnpackLimits = {
  maxBytes: 256 * 2 ** 30,
  maxEntries: 4_000_000,
  maxDevices: 1000,
  maxRatio: 2000,
};
