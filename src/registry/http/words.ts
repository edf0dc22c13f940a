// Network failures in the words of Go's net/http, which Docker's users know and scripts look for.

import { Unavailable } from '../../errdefs/index.ts';
import type { HttpRequest } from './transport.ts';

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly SystemError[];
}

/** A failure to reach a registry where trying again is no use (bad certificate, not TLS at all). */
export class Unreachable extends Unavailable {
  /** The other side does not speak TLS. */
  readonly plainHttp: boolean;
  /** Its certificate is of an authority that we do not know. */
  readonly unknownAuthority: boolean;

  constructor(message: string, why: { plainHttp: boolean; unknownAuthority: boolean; cause: unknown }) {
    super(message, { cause: why.cause });
    this.plainHttp = why.plainHttp;
    this.unknownAuthority = why.unknownAuthority;
  }
}

/** `Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`. */
export function failureInWords(request: Pick<HttpRequest, 'method' | 'url'>, failure: Error): Unavailable {
  const { method, url } = request;
  // Several addresses tried: the first one's failure tells most.
  const err = (failure as SystemError).errors?.[0] ?? (failure as SystemError);
  const message = `${method[0]}${method.slice(1).toLowerCase()} "${url}": ${reason(err, url)}`;
  const plainHttp = err.code === 'EPROTO' || err.code?.startsWith('ERR_SSL_') === true;
  const unknownAuthority = message.endsWith(unknownAuthorityWords);
  const permanent = plainHttp || isCertificateFailure(err.code) || err.code === 'HPE_INVALID_CONSTANT';
  const cause = wrapped(err);
  return permanent
    ? new Unreachable(message, { plainHttp, unknownAuthority, cause })
    : new Unavailable(message, { cause });
}

const unknownAuthorityWords = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';

/** The cause is kept for its stack, but describe() shall not print it again after words that say the same. */
const wrapped = (err: Error): Error => Object.assign(Object.create(err) as Error, { message: '' });

function reason(err: SystemError, url: URL): string {
  const address = err.address === undefined ? url.host : `${bracketed(err.address)}:${err.port}`;
  switch (err.code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${err.hostname ?? url.hostname}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${err.hostname ?? url.hostname}: temporary failure in name resolution`;
    case 'ETIMEDOUT':
      return err.message === 'timeout awaiting headers'
        ? 'net/http: timeout awaiting response headers'
        : `dial tcp ${address}: i/o timeout`;
    case 'ECONNRESET':
      return err.message === 'socket hang up' || err.message === 'aborted'
        ? 'EOF'
        : `read tcp ${url.host}: connection reset by peer`;
    case 'EPIPE':
      return `write tcp ${url.host}: broken pipe`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`;
  }
  if (isCertificateFailure(err.code)) {
    return unknownAuthorityWords;
  }
  return err.message;
}

const isCertificateFailure = (code: string | undefined): boolean =>
  code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code);

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);
