// Seccomp profiles of containers: Docker's, the daemon's own, or one sent with the container.

import { readFileSync } from 'node:fs';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { Seccomp } from '../../oci/index.ts';
import type { SystemFacts } from '../system/facts.ts';
import { defaultProfile, parseProfile, resolveProfile, type SeccompProfile } from './seccomp/index.ts';

export class SeccompProfiles {
  readonly #builtin: SeccompProfile | undefined;
  readonly #facts: SystemFacts;
  /** Resolved ones by profile and capabilities: there are a handful. */
  readonly #resolved = new Map<string, Seccomp>();

  /** `file`: a profile in place of Docker's, or 'unconfined' for none. */
  constructor(file: string | undefined, facts: SystemFacts) {
    this.#facts = facts;
    this.#builtin =
      file === 'unconfined'
        ? undefined
        : file === undefined || file === 'builtin' || file === ''
          ? defaultProfile
          : parseProfile(readFileSync(file, 'utf8'));
  }

  /** `builtin`, or a profile's JSON, for a container with these capabilities. */
  resolve(profile: string, capabilities: readonly string[]): Seccomp | undefined {
    const key = `${profile} ${capabilities.join()}`;
    const known = this.#resolved.get(key);
    if (known !== undefined) return known;
    const chosen = profile === 'builtin' ? this.#builtin : parse(profile);
    if (chosen === undefined) return undefined;
    const resolved = resolveProfile(chosen, {
      capabilities,
      architecture: this.#facts.platform.architecture,
      kernel: this.#facts.kernelVersion,
    });
    if (this.#resolved.size > 100) this.#resolved.clear();
    this.#resolved.set(key, resolved);
    return resolved;
  }
}

function parse(json: string): SeccompProfile {
  try {
    return parseProfile(json);
  } catch (cause) {
    throw new InvalidArgument('Decoding seccomp profile failed', { cause });
  }
}
