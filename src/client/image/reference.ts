// As much of image references as a client needs: whose registry, which repository, which tag.

export interface Reference {
  /** "docker.io" where none is written. */
  readonly domain: string;
  /** With "library/" in front for Docker Hub's own. */
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

const nameParts = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

/** Reads a reference; throws Errors in Docker's words. */
export function parseReference(text: string): Reference {
  const match =
    /^(?<name>[^@]+?)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>[a-z0-9+._-]+:[0-9a-fA-F]{32,}))?$/.exec(
      text,
    );
  const groups = match?.groups;
  if (groups?.name === undefined) throw new Error('invalid reference format');
  if (/^[0-9a-f]{64}$/.test(text))
    throw new Error(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  const slash = groups.name.indexOf('/');
  const first = slash < 0 ? '' : groups.name.slice(0, slash);
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  let domain = hasDomain ? first : 'docker.io';
  let path = hasDomain ? groups.name.slice(slash + 1) : groups.name;
  if (domain === 'index.docker.io') domain = 'docker.io';
  if (domain === 'docker.io' && !path.includes('/')) path = `library/${path}`;
  if (!nameParts.test(path)) {
    if (path.toLowerCase() !== path)
      throw new Error(`invalid reference format: repository name (${path}) must be lowercase`);
    throw new Error('invalid reference format');
  }
  return { domain, path, tag: groups.tag ?? '', digest: groups.digest ?? '' };
}

/** With the tag "latest" where there is neither tag nor digest. */
export const withDefaultTag = (reference: Reference): Reference =>
  reference.tag === '' && reference.digest === '' ? { ...reference, tag: 'latest' } : reference;

const suffix = (reference: Reference): string =>
  (reference.tag === '' ? '' : `:${reference.tag}`) + (reference.digest === '' ? '' : `@${reference.digest}`);

/** "docker.io/library/busybox:latest". */
export const canonical = (reference: Reference): string => `${reference.domain}/${reference.path}${suffix(reference)}`;

/** "busybox:latest": as people write it. */
export function familiar(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

export function familiarName(reference: Reference): string {
  if (reference.domain !== 'docker.io') return `${reference.domain}/${reference.path}`;
  return reference.path.startsWith('library/') ? reference.path.slice('library/'.length) : reference.path;
}
