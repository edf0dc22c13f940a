import { hostPlatform, type Platform } from '../../oci/index.ts';

/** The platform that images are built for when none is named: the host's, without the level of its processor. */
export function defaultPlatform(): Platform {
  const { variant, ...plain } = hostPlatform();
  return plain.architecture === 'amd64' || variant === undefined ? plain : { ...plain, variant };
}
