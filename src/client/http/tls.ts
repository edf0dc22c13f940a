import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { InvalidArgument } from '../../errdefs/index.ts';
import type { TlsFiles } from './endpoint.ts';

/** A TLS connection with the client's certificate, where there is one. */
export async function dialTls(address: { host: string; port: number }, files: TlsFiles): Promise<Duplex> {
  const socket = connect({
    host: address.host,
    port: address.port,
    servername: /^[0-9.:]+$/.test(address.host) ? '' : address.host,
    rejectUnauthorized: files.verify,
    ...(files.ca !== undefined && { ca: read(files.ca) }),
    ...(files.cert !== undefined && { cert: read(files.cert) }),
    ...(files.key !== undefined && { key: read(files.key) }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (err) {
    const reason =
      (err as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (err as Error).message;
    throw new InvalidArgument(`Failed to initialize: unable to resolve docker endpoint: open ${path}: ${reason}`);
  }
}
