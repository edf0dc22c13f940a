// API versions (reference engine-api.md, section 1). The core speaks the newest; the server's edge adapts older ones.

import { InvalidArgument } from '../errdefs/index.ts';

/** The newest version we honour: that of Docker 28.5, which the client tests run against. */
export const newestVersion = '1.51';
/** The oldest version we honour. */
export const minimumVersion = '1.24';

/** Negative, zero or positive as `a` is older than, equal to or newer than `b`; compares part by part as numbers, so "1.9" < "1.24". */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = Number(left[i] ?? 0) - Number(right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export const versionLessThan = (a: string, b: string): boolean => compareVersions(a, b) < 0;
export const versionAtLeast = (a: string, b: string): boolean => compareVersions(a, b) >= 0;

/** The version of a request's prefix, checked; undefined (no prefix) means the newest. Throws InvalidArgument in the words that clients grep for. */
export function checkVersion(requested: string | undefined, minimum: string = minimumVersion): string {
  if (requested === undefined) return newestVersion;
  if (versionLessThan(requested, minimum)) {
    throw new InvalidArgument(
      `client version ${requested} is too old. Minimum supported API version is ${minimum}, please upgrade your client to a newer version`,
    );
  }
  if (versionLessThan(newestVersion, requested)) {
    throw new InvalidArgument(
      `client version ${requested} is too new. Maximum supported API version is ${newestVersion}`,
    );
  }
  return requested;
}
