// Which repositories of a registry are known to have a blob (containerd's label), so that a push can mount it from there.

const prefix = 'containerd.io/distribution.source.';
const maxSources = 20;

/** The labels to set on a blob found at `domain/path`, beside the sources that it has. */
export function sourceLabels(
  labels: Readonly<Record<string, string>> | undefined,
  domain: string,
  path: string,
): Readonly<Record<string, string>> {
  const known = sources(labels, domain);
  return { [prefix + domain]: [path, ...known.filter(other => other !== path)].slice(0, maxSources).join(',') };
}

/** Repositories on the registry `domain` that have the blob. */
export function sources(labels: Readonly<Record<string, string>> | undefined, domain: string): string[] {
  return (labels?.[prefix + domain] ?? '').split(',').filter(path => path !== '');
}
