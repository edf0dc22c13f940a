// The daemon's options: one table of dockerd's flags and daemon.json keys, so that the two can be merged and compared.

/** How an option's value is written. `list` flags may be given several times; `map` flags are key=value. */
export type OptionKind = 'string' | 'bool' | 'int' | 'list' | 'map' | 'duration';

export interface OptionSpec {
  /** The flag without dashes, as dockerd spells it. */
  readonly flag?: string;
  readonly short?: string;
  /** The key in daemon.json. */
  readonly key?: string;
  readonly kind: OptionKind;
  readonly usage: string;
  /** Accepted for Docker's sake; it changes nothing here, and the daemon says so in its log. */
  readonly ignored?: boolean;
}

/** Everything that may be said on the command line or in daemon.json. */
export const options: readonly OptionSpec[] = [
  { flag: 'host', short: 'H', key: 'hosts', kind: 'list', usage: 'Daemon socket(s) to connect to' },
  { flag: 'data-root', key: 'data-root', kind: 'string', usage: 'Root directory of persistent state' },
  { flag: 'exec-root', key: 'exec-root', kind: 'string', usage: 'Root directory for execution state files' },
  { flag: 'pidfile', short: 'p', key: 'pidfile', kind: 'string', usage: 'Path to use for daemon PID file' },
  { flag: 'group', short: 'G', key: 'group', kind: 'string', usage: 'Group for the unix socket' },
  { flag: 'config-file', kind: 'string', usage: 'Daemon configuration file' },
  { flag: 'debug', short: 'D', key: 'debug', kind: 'bool', usage: 'Enable debug mode' },
  { flag: 'log-level', short: 'l', key: 'log-level', kind: 'string', usage: 'Set the logging level' },
  { flag: 'log-format', key: 'log-format', kind: 'string', usage: 'Set the logging format', ignored: true },
  { flag: 'validate', kind: 'bool', usage: 'Validate daemon configuration and exit' },
  { flag: 'version', short: 'v', kind: 'bool', usage: 'Print version information and quit' },
  { flag: 'help', short: 'h', kind: 'bool', usage: 'Print usage' },
  { flag: 'bridge', short: 'b', key: 'bridge', kind: 'string', usage: 'Attach containers to a network bridge' },
  { flag: 'bip', key: 'bip', kind: 'string', usage: 'IPv4 address for the default bridge' },
  { flag: 'fixed-cidr', key: 'fixed-cidr', kind: 'string', usage: 'IPv4 subnet for the default bridge network' },
  {
    flag: 'default-gateway',
    key: 'default-gateway',
    kind: 'string',
    usage: 'Default gateway for the default bridge',
    ignored: true,
  },
  { flag: 'default-address-pool', key: 'default-address-pools', kind: 'list', usage: 'Default address pools' },
  { flag: 'mtu', key: 'mtu', kind: 'int', usage: 'Set the MTU of the default bridge network' },
  { flag: 'icc', key: 'icc', kind: 'bool', usage: 'Enable inter-container communication' },
  { flag: 'ip', key: 'ip', kind: 'string', usage: 'Host IP for port publishing from the default bridge network' },
  { flag: 'ipv6', key: 'ipv6', kind: 'bool', usage: 'Enable IPv6 networking for the default bridge network' },
  { flag: 'ip-forward', key: 'ip-forward', kind: 'bool', usage: 'Enable net.ipv4.ip_forward' },
  { flag: 'ip-masq', key: 'ip-masq', kind: 'bool', usage: 'Enable IP masquerading' },
  { flag: 'iptables', key: 'iptables', kind: 'bool', usage: 'Enable addition of firewall rules', ignored: true },
  { flag: 'ip6tables', key: 'ip6tables', kind: 'bool', usage: 'Enable addition of firewall rules', ignored: true },
  { flag: 'userland-proxy', key: 'userland-proxy', kind: 'bool', usage: 'Use userland proxy', ignored: true },
  { flag: 'dns', key: 'dns', kind: 'list', usage: 'DNS server to use' },
  { flag: 'dns-opt', key: 'dns-opts', kind: 'list', usage: 'DNS options to use' },
  { flag: 'dns-search', key: 'dns-search', kind: 'list', usage: 'DNS search domains to use' },
  {
    flag: 'insecure-registry',
    key: 'insecure-registries',
    kind: 'list',
    usage: 'Enable insecure registry communication',
  },
  { flag: 'registry-mirror', key: 'registry-mirrors', kind: 'list', usage: 'Preferred registry mirror' },
  { flag: 'max-concurrent-downloads', key: 'max-concurrent-downloads', kind: 'int', usage: 'Concurrent downloads' },
  { flag: 'max-concurrent-uploads', key: 'max-concurrent-uploads', kind: 'int', usage: 'Concurrent uploads' },
  { flag: 'max-download-attempts', key: 'max-download-attempts', kind: 'int', usage: 'Download attempts' },
  { flag: 'log-driver', key: 'log-driver', kind: 'string', usage: 'Default driver for container logs' },
  { flag: 'log-opt', key: 'log-opts', kind: 'map', usage: 'Default log driver options for containers' },
  { flag: 'label', key: 'labels', kind: 'list', usage: 'Set key=value labels to the daemon' },
  { flag: 'default-ulimit', key: 'default-ulimits', kind: 'list', usage: 'Default ulimits for containers' },
  { flag: 'default-shm-size', key: 'default-shm-size', kind: 'string', usage: 'Default shm size for containers' },
  { flag: 'default-ipc-mode', key: 'default-ipc-mode', kind: 'string', usage: 'Default mode for containers ipc' },
  { flag: 'default-cgroupns-mode', key: 'default-cgroupns-mode', kind: 'string', usage: 'Default cgroup namespace' },
  { flag: 'default-runtime', key: 'default-runtime', kind: 'string', usage: 'Default OCI runtime for containers' },
  { flag: 'add-runtime', kind: 'list', usage: 'Register an additional OCI compatible runtime' },
  { key: 'runtimes', kind: 'map', usage: 'Additional OCI runtimes' },
  { flag: 'cgroup-parent', key: 'cgroup-parent', kind: 'string', usage: 'Set parent cgroup for all containers' },
  { flag: 'exec-opt', key: 'exec-opts', kind: 'list', usage: 'Runtime execution options' },
  { flag: 'init', key: 'init', kind: 'bool', usage: 'Run an init in the container' },
  { flag: 'init-path', key: 'init-path', kind: 'string', usage: 'Path to the docker-init binary' },
  { flag: 'seccomp-profile', key: 'seccomp-profile', kind: 'string', usage: 'Path to seccomp profile' },
  { flag: 'no-new-privileges', key: 'no-new-privileges', kind: 'bool', usage: 'Set no-new-privileges by default' },
  { flag: 'live-restore', key: 'live-restore', kind: 'bool', usage: 'Keep containers alive while the daemon is down' },
  { flag: 'shutdown-timeout', key: 'shutdown-timeout', kind: 'int', usage: 'Set the default shutdown timeout' },
  { key: 'default-stop-timeout', kind: 'int', usage: 'Default stop time-out of containers' },
  { flag: 'storage-driver', short: 's', key: 'storage-driver', kind: 'string', usage: 'Storage driver to use' },
  { flag: 'storage-opt', key: 'storage-opts', kind: 'list', usage: 'Storage driver options', ignored: true },
  {
    flag: 'image-store-max-size',
    key: 'image-store-max-size',
    kind: 'string',
    usage: 'Keep images under this size by removing those used least recently',
  },
  {
    flag: 'image-store-min-free',
    key: 'image-store-min-free',
    kind: 'string',
    usage: 'Keep this much of the disk free by removing images used least recently',
  },
  { flag: 'experimental', key: 'experimental', kind: 'bool', usage: 'Enable experimental features' },
  { flag: 'min-api-version', key: 'min-api-version', kind: 'string', usage: 'Lowest API version to answer' },
  { key: 'features', kind: 'map', usage: 'Features switched on or off', ignored: true },
  { key: 'builder', kind: 'map', usage: 'Settings of the builder', ignored: true },
  { flag: 'tls', key: 'tls', kind: 'bool', usage: 'Use TLS; implied by --tlsverify' },
  { flag: 'tlsverify', key: 'tlsverify', kind: 'bool', usage: 'Use TLS and verify the remote' },
  { flag: 'tlscacert', key: 'tlscacert', kind: 'string', usage: 'Trust certs signed only by this CA' },
  { flag: 'tlscert', key: 'tlscert', kind: 'string', usage: 'Path to TLS certificate file' },
  { flag: 'tlskey', key: 'tlskey', kind: 'string', usage: 'Path to TLS key file' },
  { flag: 'selinux-enabled', key: 'selinux-enabled', kind: 'bool', usage: 'Enable selinux support', ignored: true },
  { flag: 'userns-remap', key: 'userns-remap', kind: 'string', usage: 'User setting for user namespaces' },
  { flag: 'oom-score-adjust', key: 'oom-score-adjust', kind: 'int', usage: 'OOM score of the daemon', ignored: true },
  { flag: 'containerd', key: 'containerd', kind: 'string', usage: 'containerd grpc address' },
];

const byFlag = new Map(options.flatMap(o => (o.flag === undefined ? [] : [[o.flag, o] as const])));
const byShort = new Map(options.flatMap(o => (o.short === undefined ? [] : [[o.short, o] as const])));
const byKey = new Map(options.flatMap(o => (o.key === undefined ? [] : [[o.key, o] as const])));

export const optionOfFlag = (flag: string): OptionSpec | undefined => byFlag.get(flag);
export const optionOfShort = (letter: string): OptionSpec | undefined => byShort.get(letter);
export const optionOfKey = (key: string): OptionSpec | undefined => byKey.get(key);
