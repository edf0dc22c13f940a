import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailedPrecondition } from '../../errdefs/index.ts';
import type { TlsOptions } from '../http/transport.ts';

/**
 * Docker's per-host TLS directory (`/etc/docker/certs.d/<host:port>/`): every `*.crt` is a CA, beside the system's; `X.cert` with
 * `X.key` is a client certificate. Undefined when there is no such directory or nothing in it.
 */
export async function readCertificates(directory: string): Promise<TlsOptions | undefined> {
  const names: string[] = await readdir(directory).catch(err => {
    if (err.code === 'ENOENT' || err.code === 'ENOTDIR') return [];
    throw err;
  });
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  const authorities = await Promise.all(names.filter(name => name.endsWith('.crt')).map(read));
  const client = names.filter(name => name.endsWith('.cert')).sort()[0];
  const keyName = client?.replace(/\.cert$/, '.key');
  if (client !== undefined && !names.includes(keyName as string)) {
    throw new FailedPrecondition(
      `missing key ${keyName} for client certificate ${client}. CA certificates must use the extension .crt`,
    );
  }
  const orphan = names.find(name => name.endsWith('.key') && !names.includes(name.replace(/\.key$/, '.cert')));
  if (orphan !== undefined) {
    throw new FailedPrecondition(`missing client certificate ${orphan.replace(/\.key$/, '.cert')} for key ${orphan}`);
  }
  if (authorities.length === 0 && client === undefined) return undefined;
  return {
    ...(authorities.length > 0 && { ca: authorities }),
    ...(client !== undefined && { cert: await read(client), key: await read(keyName as string) }),
  };
}
