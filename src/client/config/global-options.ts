// The options before the command's name, and the daemon that they, the environment and the context choose.

import { existsSync } from 'node:fs';
import { InvalidArgument } from '../../errdefs/index.ts';
import { type Flag, flag } from '../command/flag.ts';
import type { Flags } from '../command/flags.ts';
import { type Endpoint, parseEndpoint, type TlsFiles } from '../http/endpoint.ts';
import type { ConfigFile } from './config-file.ts';
import { readContextEndpoint } from './context-store.ts';

export interface GlobalOptions {
  readonly configDirectory: string;
  readonly host: string | undefined;
  readonly context: string | undefined;
  readonly debug: boolean;
  readonly tls: TlsFiles | undefined;
}

export const defaultConfigDirectory = (): string => process.env.DOCKER_CONFIG || `${homeDirectory()}/.docker`;

const homeDirectory = (): string => process.env.HOME || process.getBuiltinModule('node:os').homedir();

export function globalFlags(): Flag[] {
  const directory = defaultConfigDirectory();
  const certificates = process.env.DOCKER_CERT_PATH || directory;
  const quoted = (path: string): { shownDefault: string } => ({ shownDefault: JSON.stringify(path) });
  return [
    flag.string('config', '', 'Location of client config files', quoted(directory)),
    flag.string(
      'context',
      'c',
      'Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")',
    ),
    flag.bool('debug', 'D', 'Enable debug mode'),
    flag.list('host', 'H', 'Daemon socket to connect to', { typeName: 'string' }),
    flag.string('log-level', 'l', 'Set the logging level ("debug", "info", "warn", "error", "fatal")', {
      shownDefault: '"info"',
    }),
    flag.bool('tls', '', 'Use TLS; implied by --tlsverify'),
    flag.string('tlscacert', '', 'Trust certs signed only by this CA', quoted(`${certificates}/ca.pem`)),
    flag.string('tlscert', '', 'Path to TLS certificate file', quoted(`${certificates}/cert.pem`)),
    flag.string('tlskey', '', 'Path to TLS key file', quoted(`${certificates}/key.pem`)),
    flag.bool('tlsverify', '', 'Use TLS and verify the remote'),
    flag.bool('version', 'v', 'Print version information and quit'),
  ];
}

export function readGlobalOptions(flags: Flags): GlobalOptions {
  const directory = flags.string('config') || defaultConfigDirectory();
  const verify = flags.changed('tlsverify') ? flags.bool('tlsverify') : (process.env.DOCKER_TLS_VERIFY ?? '') !== '';
  const useTls = verify || flags.bool('tls') || (process.env.DOCKER_TLS ?? '') !== '';
  const certificates = process.env.DOCKER_CERT_PATH || directory;
  // A certificate and key of the default name may be missing; those that were asked for may not.
  const file = (name: 'tlscacert' | 'tlscert' | 'tlskey', fallback: string): string | undefined => {
    if (flags.string(name) !== '') return flags.string(name);
    const path = `${certificates}/${fallback}`;
    return name === 'tlscacert' || existsSync(path) ? path : undefined;
  };
  const [cert, key] = useTls ? [file('tlscert', 'cert.pem'), file('tlskey', 'key.pem')] : [];
  return {
    configDirectory: directory,
    host: flags.list('host')[0],
    context: flags.changed('context') ? flags.string('context') : undefined,
    debug: flags.bool('debug'),
    tls: useTls
      ? {
          ...(verify && { ca: file('tlscacert', 'ca.pem')! }),
          ...(cert !== undefined && { cert }),
          ...(key !== undefined && { key }),
          verify,
        }
      : undefined,
  };
}

/** The context's name by Docker's order: -c, then "default" where -H or DOCKER_HOST say the host, DOCKER_CONTEXT, config.json. */
export function contextName(options: GlobalOptions, config: ConfigFile): string {
  if (options.context !== undefined && options.context !== '') return options.context;
  if (options.host !== undefined || process.env.DOCKER_HOST) return 'default';
  return process.env.DOCKER_CONTEXT || config.currentContext || 'default';
}

export function resolveEndpoint(options: GlobalOptions, config: ConfigFile): Endpoint {
  const name = contextName(options, config);
  try {
    if (name !== 'default') return readContextEndpoint(options.configDirectory, name);
    return parseEndpoint(options.host ?? process.env.DOCKER_HOST ?? '', options.tls);
  } catch (err) {
    throw new InvalidArgument(`Failed to initialize: unable to resolve docker endpoint: ${(err as Error).message}`);
  }
}
