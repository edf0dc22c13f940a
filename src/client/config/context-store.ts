// Contexts as Docker's client stores them: contexts/meta/<sha256 of the name>/meta.json, and TLS files beside.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { NotFound } from '../../errdefs/index.ts';
import { type Endpoint, parseEndpoint } from '../http/endpoint.ts';

export interface ContextMetadata {
  readonly Name: string;
  readonly Metadata: { readonly Description?: string };
  readonly Endpoints: { readonly docker?: { readonly Host?: string; readonly SkipTLSVerify: boolean } };
}

export const tlsFileNames = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' } as const;

// node:crypto costs 4 ms to load, which commands of the default context need not pay.
const idOf = (name: string): string =>
  process.getBuiltinModule('node:crypto').createHash('sha256').update(name).digest('hex');
export const metadataDirectory = (directory: string, name: string): string =>
  `${directory}/contexts/meta/${idOf(name)}`;
export const tlsDirectory = (directory: string, name: string): string => `${directory}/contexts/tls/${idOf(name)}`;

export const contextExists = (directory: string, name: string): boolean =>
  existsSync(`${metadataDirectory(directory, name)}/meta.json`);

export function readContext(directory: string, name: string): ContextMetadata {
  try {
    return JSON.parse(readFileSync(`${metadataDirectory(directory, name)}/meta.json`, 'utf8')) as ContextMetadata;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new NotFound(
      `context ${JSON.stringify(name)}: context not found: open ${metadataDirectory(directory, name)}/meta.json: no such file or directory`,
    );
  }
}

export function writeContext(directory: string, metadata: ContextMetadata): void {
  const folder = metadataDirectory(directory, metadata.Name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  writeFileSync(`${folder}/meta.json.new`, JSON.stringify(metadata), { mode: 0o644 });
  renameSync(`${folder}/meta.json.new`, `${folder}/meta.json`);
}

export function removeContext(directory: string, name: string): void {
  rmSync(metadataDirectory(directory, name), { recursive: true, force: true });
  rmSync(tlsDirectory(directory, name), { recursive: true, force: true });
}

/** All stored ones by name; "default" is none of them. */
export function listContexts(directory: string): ContextMetadata[] {
  let folders: string[];
  try {
    folders = readdirSync(`${directory}/contexts/meta`);
  } catch {
    return [];
  }
  return folders
    .filter(folder => existsSync(`${directory}/contexts/meta/${folder}/meta.json`))
    .map(
      folder => JSON.parse(readFileSync(`${directory}/contexts/meta/${folder}/meta.json`, 'utf8')) as ContextMetadata,
    )
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
}

/** TLS file kind → path, of those a context has. */
export function contextTlsFiles(directory: string, name: string): Readonly<Record<string, string>> {
  const folder = `${tlsDirectory(directory, name)}/docker`;
  return Object.fromEntries(
    Object.entries(tlsFileNames)
      .map(([kind, file]) => [kind, `${folder}/${file}`] as const)
      .filter(([, path]) => existsSync(path)),
  );
}

export function readContextEndpoint(directory: string, name: string): Endpoint {
  const docker = readContext(directory, name).Endpoints.docker;
  const files = contextTlsFiles(directory, name);
  const useTls = Object.keys(files).length > 0 || docker?.SkipTLSVerify === true;
  return parseEndpoint(docker?.Host ?? '', useTls ? { ...files, verify: docker?.SkipTLSVerify !== true } : undefined);
}
