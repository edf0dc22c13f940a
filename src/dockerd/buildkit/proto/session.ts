// What the daemon asks of the client over its session (moby/buildkit session/**, tonistiigi/fsutil types).

import { bytes, int, map, message, nested, repeated, string } from './wire.ts';

/** `mode` is Go's os.FileMode, `modTime` nanoseconds. */
export const Stat = message('fsutil.Stat', {
  path: string(1),
  mode: int(2),
  uid: int(3),
  gid: int(4),
  size: int(5),
  modTime: int(6),
  linkname: string(7),
  devmajor: int(8),
  devminor: int(9),
  xattrs: map(10, bytes),
});

export const packetTypes = { stat: 0, request: 1, data: 2, fin: 3, error: 4 } as const;
export const Packet = message('fsutil.Packet', {
  type: int(1),
  stat: nested(2, () => Stat),
  ID: int(3),
  data: bytes(4),
});

export const FileSendBytes = message('filesync.BytesMessage', { data: bytes(1), id: string(2) });

export const GetSecretRequest = message('GetSecretRequest', { ID: string(1), annotations: map(2, string) });
export const GetSecretResponse = message('GetSecretResponse', { data: bytes(1) });

export const CredentialsRequest = message('CredentialsRequest', { Host: string(1) });
export const CredentialsResponse = message('CredentialsResponse', { Username: string(1), Secret: string(2) });
export const FetchTokenRequest = message('FetchTokenRequest', {
  ClientID: string(1),
  Host: string(2),
  Realm: string(3),
  Service: string(4),
  Scopes: repeated(string(5)),
});
export const FetchTokenResponse = message('FetchTokenResponse', {
  Token: string(1),
  ExpiresIn: int(2),
  IssuedAt: int(3),
});

export const CheckAgentRequest = message('CheckAgentRequest', { ID: string(1) });
export const SshBytes = message('sshforward.BytesMessage', { data: bytes(1) });

export const HealthCheckRequest = message('HealthCheckRequest', { service: string(1) });
export const HealthCheckResponse = message('HealthCheckResponse', { status: int(1) });
