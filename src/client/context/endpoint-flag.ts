// --docker host=tcp://...,ca=...,cert=...,key=...,skip-tls-verify=true,from=...

import { copyFileSync, mkdirSync } from 'node:fs';
import { parseBool } from '../command/flag.ts';
import { splitCommas } from '../command/flags.ts';
import {
  type ContextMetadata,
  contextTlsFiles,
  readContext,
  tlsDirectory,
  tlsFileNames,
} from '../config/context-store.ts';
import { toMap } from '../container/key-values.ts';
import { parseEndpoint } from '../http/endpoint.ts';

const known = ['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'];

export interface EndpointChoice {
  readonly endpoint: NonNullable<ContextMetadata['Endpoints']['docker']>;
  /** TLS file kind → the file to copy. */
  readonly files: Readonly<Record<string, string>>;
}

/** Reads the flag; throws Errors in Docker's words. */
export function readEndpoint(directory: string, values: readonly string[]): EndpointChoice {
  const fields = toMap(values.flatMap(splitCommas));
  const unknown = Object.keys(fields).find(key => !known.includes(key));
  if (unknown !== undefined) throw new Error(`unrecognized config keys: ${unknown}`);
  if (fields.from !== undefined && fields.from !== 'default') {
    const docker = readContext(directory, fields.from).Endpoints.docker;
    return { endpoint: docker ?? { SkipTLSVerify: false }, files: contextTlsFiles(directory, fields.from) };
  }
  const host = fields.from === 'default' ? (process.env.DOCKER_HOST ?? '') : (fields.host ?? '');
  parseEndpoint(host);
  const files = Object.fromEntries(
    (['ca', 'cert', 'key'] as const)
      .filter(kind => fields[kind] !== undefined)
      .map(kind => [kind, fields[kind]!.replace(/^~(?=\/)/, process.env.HOME ?? '')]),
  );
  return {
    endpoint: {
      ...(host !== '' && { Host: host }),
      SkipTLSVerify: fields['skip-tls-verify'] !== undefined && parseBool(fields['skip-tls-verify']),
    },
    files,
  };
}

/** Copies a context's TLS files into the store. */
export function storeTlsFiles(directory: string, name: string, files: Readonly<Record<string, string>>): void {
  if (Object.keys(files).length === 0) return;
  const folder = `${tlsDirectory(directory, name)}/docker`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [kind, path] of Object.entries(files))
    copyFileSync(path, `${folder}/${tlsFileNames[kind as keyof typeof tlsFileNames]}`);
}

/** Names of contexts, as Docker allows them. */
export function checkContextName(name: string): void {
  if (name === '') throw new Error('context name cannot be empty');
  if (name === 'default') throw new Error('"default" is a reserved context name');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/.test(name)) {
    throw new Error(
      `context name ${JSON.stringify(name)} is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
    );
  }
}
