import type { ConfigFile } from './config-file.ts';

const variables = {
  httpProxy: 'HTTP_PROXY',
  httpsProxy: 'HTTPS_PROXY',
  ftpProxy: 'FTP_PROXY',
  noProxy: 'NO_PROXY',
  allProxy: 'ALL_PROXY',
};

/** The proxies that config.json gives to containers of a daemon, as variables in both cases. */
export function proxyVariables(config: ConfigFile, daemonUrl: string): Record<string, string> {
  const settings = config.proxies?.[daemonUrl] ?? config.proxies?.default ?? {};
  const out: Record<string, string> = {};
  for (const [setting, name] of Object.entries(variables)) {
    const value = settings[setting];
    if (typeof value !== 'string' || value === '') continue;
    out[name] = value;
    out[name.toLowerCase()] = value;
  }
  return out;
}
