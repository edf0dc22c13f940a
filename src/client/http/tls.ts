import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import type { TlsFiles } from './endpoint.ts';

/** A TLS connection with the client's certificate, where there is one. */
export async function dialTls(address: { host: string; port: number }, files: TlsFiles): Promise<Duplex> {
  const socket = connect({
    host: address.host,
    port: address.port,
    servername: /^[0-9.:]+$/.test(address.host) ? '' : address.host,
    rejectUnauthorized: files.verify,
    ...(files.ca !== undefined && { ca: readFileSync(files.ca) }),
    ...(files.cert !== undefined && { cert: readFileSync(files.cert) }),
    ...(files.key !== undefined && { key: readFileSync(files.key) }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}
