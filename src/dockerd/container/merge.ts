// What a container runs: the request over the image's configuration (moby daemon/commit.go, merge).

import type { ContainerConfig } from '../../api/index.ts';
import type { Healthcheck, ImageRunConfig } from '../../oci/index.ts';

/** The configuration of a container of this image. The request wins; lists of variables, labels, ports and volumes are joined. */
export function mergeConfig(request: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  const hasEntrypoint = request.Entrypoint !== null && request.Entrypoint.length > 0;
  const hasCmd = request.Cmd !== null && request.Cmd.length > 0;
  const config: { -readonly [K in keyof ContainerConfig]: ContainerConfig[K] } = { ...request };
  if (request.User === '') config.User = image.User ?? '';
  if (request.WorkingDir === '') config.WorkingDir = image.WorkingDir ?? '';
  if (request.StopSignal === undefined || request.StopSignal === '') config.StopSignal = image.StopSignal;
  if (request.Shell === undefined || request.Shell === null || request.Shell.length === 0) config.Shell = image.Shell;
  if (!hasEntrypoint) {
    // An entry point given on the command line drops the image's command; none given keeps both.
    if (!hasCmd) {
      config.Cmd = image.Cmd ?? null;
      if (image.ArgsEscaped === true) config.ArgsEscaped = true;
    }
    if (request.Entrypoint === null) config.Entrypoint = image.Entrypoint ?? null;
  }
  // `--entrypoint ""` arrives as [""] and clears the image's.
  if (config.Entrypoint?.length === 1 && config.Entrypoint[0] === '') config.Entrypoint = null;
  config.Env = mergeEnv(request.Env, image.Env);
  config.Labels = { ...image.Labels, ...request.Labels };
  config.ExposedPorts = union(image.ExposedPorts, request.ExposedPorts);
  config.Volumes = union(image.Volumes, request.Volumes) ?? null;
  if (image.Healthcheck !== undefined) config.Healthcheck = mergeHealthcheck(request.Healthcheck, image.Healthcheck);
  config.OnBuild = image.OnBuild !== undefined && image.OnBuild.length > 0 ? image.OnBuild : (request.OnBuild ?? null);
  return config;
}

function mergeEnv(request: readonly string[] | null, image: readonly string[] | undefined): readonly string[] | null {
  if (image === undefined || image.length === 0) return request;
  const key = (entry: string): string => entry.split('=', 1)[0]!;
  const own = new Set((request ?? []).map(key));
  return [...(request ?? []), ...image.filter(entry => !own.has(key(entry)))];
}

/** The keys of both; undefined where there are none. */
function union(
  image: Readonly<Record<string, object>> | null | undefined,
  request: Readonly<Record<string, object>> | null | undefined,
): Record<string, Record<never, never>> | undefined {
  const keys = [...Object.keys(image ?? {}), ...Object.keys(request ?? {})];
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map(key => [key, {}]));
}

type RequestedHealthcheck = NonNullable<ContainerConfig['Healthcheck']>;

function mergeHealthcheck(request: ContainerConfig['Healthcheck'], image: Healthcheck): RequestedHealthcheck {
  const pick = <K extends keyof Healthcheck>(name: K): Healthcheck[K] => {
    const own = request?.[name] as Healthcheck[K] | undefined;
    const unset = own === undefined || own === null || own === 0 || (Array.isArray(own) && own.length === 0);
    return unset ? image[name] : own;
  };
  return {
    Test: pick('Test'),
    Interval: pick('Interval'),
    Timeout: pick('Timeout'),
    StartPeriod: pick('StartPeriod'),
    StartInterval: pick('StartInterval'),
    Retries: pick('Retries'),
  };
}

/** The process: entry point and command. Undefined where there is nothing to run. */
export function commandOf(config: ContainerConfig): { path: string; args: string[] } | undefined {
  const words = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  const [path, ...args] = words;
  if (path === undefined || (words.length === 1 && path === '')) return undefined;
  return { path, args };
}

/** Environment of the process, by Docker's order: defaults, then the configuration's; an entry without "=" removes a variable. */
export function environmentOf(config: ContainerConfig, hostname: string, home: string): string[] {
  const defaults = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', `HOSTNAME=${hostname}`];
  if (config.Tty) defaults.push('TERM=xterm');
  const env = replaceEnv(defaults, config.Env ?? []);
  if (!env.some(entry => entry.startsWith('HOME='))) env.push(`HOME=${home}`);
  return env;
}

/** `base` with entries of `overrides` in place of those of the same name. */
export function replaceEnv(base: readonly string[], overrides: readonly string[]): string[] {
  const result = [...base];
  for (const entry of overrides) {
    const at = entry.indexOf('=');
    const key = at < 0 ? entry : entry.slice(0, at);
    const index = result.findIndex(existing => existing.split('=', 1)[0] === key);
    if (at < 0) {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = entry;
    else result.push(entry);
  }
  return result;
}
