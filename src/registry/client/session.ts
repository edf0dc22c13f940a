import type { Authorizer } from '../auth/authorizer.ts';
import type { AuthConfig } from '../auth/config.ts';
import type { RetryPolicy } from '../http/retry.ts';
import type { Transport } from '../http/transport.ts';

/** What one pull or push brings along to every host it speaks to. */
export interface Session {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly retry: RetryPolicy;
  readonly auth: AuthConfig;
  /** `X-Meta-*` headers of the client, passed through. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Longest silence while a body is read. */
  readonly idleTimeoutMs?: number;
  readonly signal?: AbortSignal;
}
