/** The environment's variables for proxies, as Node's agents read them. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

// Go's rule, which Node lacks: what is on this machine is never asked for through a proxy.
const loopback = 'localhost,127.0.0.0-127.255.255.255,::1,[::1]';

/** Undefined where no proxy is set. */
export function proxyEnvironment(environment: ProxyEnvironment): ProxyEnvironment | undefined {
  const variable = (name: string): string | undefined => environment[name.toLowerCase()] ?? environment[name];
  const http = variable('HTTP_PROXY');
  const https = variable('HTTPS_PROXY');
  if (!http && !https) return undefined;
  const exceptions = variable('NO_PROXY');
  return {
    ...(http && { HTTP_PROXY: withScheme(http) }),
    ...(https && { HTTPS_PROXY: withScheme(https) }),
    NO_PROXY: exceptions ? `${exceptions},${loopback}` : loopback,
  };
}

/** `proxy:3128` is allowed too. */
const withScheme = (address: string): string => (/^[a-z]+:\/\//i.test(address) ? address : `http://${address}`);
