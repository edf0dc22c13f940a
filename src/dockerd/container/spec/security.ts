// `--security-opt` (moby daemon/daemon_unix.go, parseSecurityOpt).

import { InvalidArgument } from '../../../errdefs/index.ts';

export interface SecurityOptions {
  readonly noNewPrivileges?: boolean;
  /** 'builtin', 'unconfined', or the profile's JSON. */
  readonly seccomp?: string;
  readonly apparmor?: string;
  readonly writableCgroups: boolean;
}

/** Reads the options; later ones win. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let result: SecurityOptions = { writableCgroups: false };
  for (const option of options) {
    if (option === 'no-new-privileges') {
      result = { ...result, noNewPrivileges: true };
      continue;
    }
    if (option === 'systempaths=unconfined') continue;
    const match = /^([^=:]+)[=:](.*)$/s.exec(option);
    if (match === null) throw new InvalidArgument(`invalid --security-opt 1: ${JSON.stringify(option)}`);
    const [, key, value] = match as unknown as [string, string, string];
    switch (key) {
      case 'no-new-privileges':
        result = { ...result, noNewPrivileges: /^(1|t|true)$/i.test(value) };
        break;
      case 'seccomp':
        result = { ...result, seccomp: value };
        break;
      case 'apparmor':
        result = { ...result, apparmor: value };
        break;
      case 'writable-cgroups':
        result = { ...result, writableCgroups: /^(1|t|true)$/i.test(value) };
        break;
      case 'label':
        break;
      default:
        throw new InvalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`);
    }
  }
  return result;
}
