// The page of `info`.

import type { InfoResponse } from '../../api/index.ts';
import { binarySize } from '../format/units.ts';

export interface ClientPart {
  readonly Debug: boolean;
  readonly Version: string;
  readonly Context: string;
  readonly Plugins: readonly {
    Name: string;
    Vendor: string;
    Version: string;
    ShortDescription: string;
    Path: string;
  }[];
}

/** Both halves; the server's is missing where it did not answer. */
export function infoText(
  client: ClientPart,
  server: InfoResponse | undefined,
): { readonly output: string; readonly warnings: readonly string[] } {
  let output = `Client:\n Version:    ${client.Version}\n Context:    ${client.Context}\n Debug Mode: ${client.Debug}\n`;
  if (client.Plugins.length > 0) {
    output += ' Plugins:\n';
    for (const plugin of client.Plugins) {
      output += `  ${plugin.Name}: ${plugin.ShortDescription} (${plugin.Vendor})\n    Version:  ${plugin.Version}\n    Path:     ${plugin.Path}\n`;
    }
  }
  output += '\nServer:\n';
  if (server === undefined) return { output, warnings: [] };
  return { output: `${output}${serverText(server)}\n`, warnings: warningsOf(server) };
}

function serverText(info: InfoResponse): string {
  const lines: string[] = [];
  const add = (key: string, value: unknown): void => void lines.push(` ${key}: ${String(value)}`);
  const addIf = (key: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') add(key, value);
  };
  add('Containers', info.Containers);
  add(' Running', info.ContainersRunning);
  add(' Paused', info.ContainersPaused);
  add(' Stopped', info.ContainersStopped);
  add('Images', info.Images);
  addIf('Server Version', info.ServerVersion);
  addIf('Storage Driver', info.Driver);
  for (const [key, value] of info.DriverStatus ?? []) add(` ${key}`, value);
  addIf('Logging Driver', info.LoggingDriver);
  addIf('Cgroup Driver', info.CgroupDriver);
  addIf('Cgroup Version', info.CgroupVersion);
  lines.push(' Plugins:');
  add(' Volume', (info.Plugins?.Volume ?? []).join(' '));
  add(' Network', (info.Plugins?.Network ?? []).join(' '));
  if ((info.Plugins?.Authorization ?? []).length > 0) add(' Authorization', info.Plugins.Authorization!.join(' '));
  add(' Log', (info.Plugins?.Log ?? []).join(' '));
  if ((info.CDISpecDirs ?? []).length > 0) {
    lines.push(' CDI spec directories:');
    for (const directory of info.CDISpecDirs!) lines.push(`  ${directory}`);
  }
  add('Swarm', info.Swarm?.LocalNodeState ?? 'inactive');
  if (Object.keys(info.Runtimes ?? {}).length > 0) {
    add('Runtimes', Object.keys(info.Runtimes).sort().join(' '));
    add('Default Runtime', info.DefaultRuntime);
  }
  if (info.OSType === 'linux') {
    add('Init Binary', info.InitBinary);
    for (const [name, commit] of [
      ['containerd', info.ContainerdCommit],
      ['runc', info.RuncCommit],
      ['init', info.InitCommit],
    ] as const) {
      add(`${name} version`, commit?.ID ?? '');
    }
    lines.push(...securityLines(info.SecurityOptions ?? []));
  }
  addIf('Kernel Version', info.KernelVersion);
  addIf('Operating System', info.OperatingSystem);
  addIf('OSType', info.OSType);
  addIf('Architecture', info.Architecture);
  add('CPUs', info.NCPU);
  add('Total Memory', binarySize(info.MemTotal));
  addIf('Name', info.Name);
  addIf('ID', info.ID);
  addIf('Docker Root Dir', info.DockerRootDir);
  add('Debug Mode', info.Debug);
  if (info.Debug) {
    add(' File Descriptors', info.NFd);
    add(' Goroutines', info.NGoroutines);
    add(' System Time', info.SystemTime);
    add(' EventsListeners', info.NEventsListener);
  }
  addIf('HTTP Proxy', info.HttpProxy);
  addIf('HTTPS Proxy', info.HttpsProxy);
  addIf('No Proxy', info.NoProxy);
  if ((info.Labels ?? []).length > 0) {
    lines.push(' Labels:');
    for (const label of info.Labels) lines.push(`  ${label}`);
  }
  add('Experimental', info.ExperimentalBuild);
  lines.push(...registryLines(info));
  add('Live Restore Enabled', info.LiveRestoreEnabled);
  addIf('Product License', info.ProductLicense);
  if ((info.DefaultAddressPools ?? []).length > 0) {
    lines.push(' Default Address Pools:');
    for (const pool of info.DefaultAddressPools!) lines.push(`   Base: ${pool.Base}, Size: ${pool.Size}`);
  }
  return `${lines.join('\n')}\n`;
}

/** "name=seccomp,profile=builtin" as a name with its settings below. */
function securityLines(options: readonly string[]): string[] {
  if (options.length === 0) return [];
  const lines = [' Security Options:'];
  for (const option of options) {
    const fields = option.split(',').map(field => field.split(/=(.*)/s) as [string, string]);
    lines.push(`  ${fields.find(([key]) => key === 'name')?.[1] ?? option}`);
    for (const [key, value] of fields) {
      if (key !== 'name') lines.push(`   ${key === 'profile' ? 'Profile' : key}: ${value}`);
    }
  }
  return lines;
}

function registryLines(info: InfoResponse): string[] {
  const config = info.RegistryConfig;
  const lines: string[] = [];
  const insecure = Object.values(config?.IndexConfigs ?? {})
    .filter(index => !index.Secure)
    .map(index => index.Name);
  if (insecure.length + (config?.InsecureRegistryCIDRs ?? []).length > 0) {
    lines.push(' Insecure Registries:', ...[...insecure, ...config.InsecureRegistryCIDRs].map(name => `  ${name}`));
  }
  if ((config?.Mirrors ?? []).length > 0)
    lines.push(' Registry Mirrors:', ...config.Mirrors!.map(mirror => `  ${mirror}`));
  return lines;
}

/** The server's own, or for an older one what its fields say. */
function warningsOf(info: InfoResponse): readonly string[] {
  return info.Warnings ?? [];
}
