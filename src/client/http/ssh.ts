import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { programName } from '../program.ts';

/** Reaches a daemon through `ssh HOST docker system dial-stdio`, as Docker's client does. */
export async function dialSsh(url: URL): Promise<Duplex> {
  const args = ['-o', 'ConnectTimeout=30', '-T'];
  if (url.username !== '') args.push('-l', decodeURIComponent(url.username));
  if (url.port !== '') args.push('-p', url.port);
  // `--` keeps a hostile host name from being an option.
  args.push('--', url.hostname.replace(/^\[(.*)\]$/, '$1'), programName === 'berth' ? 'docker' : programName);
  if (url.pathname !== '' && url.pathname !== '/') args.push('--host', `unix://${url.pathname}`);
  args.push('system', 'dial-stdio');
  const child = spawn('ssh', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  const connection = Duplex.from({ readable: child.stdout, writable: child.stdin }) as Duplex;
  connection.once('close', () => child.kill());
  return connection;
}
