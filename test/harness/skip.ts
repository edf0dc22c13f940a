// Why a test cannot run here; false where it can.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxArchive } from './busybox.ts';

const onPath = (name: string): boolean => (process.env.PATH ?? '').split(':').some(dir => existsSync(join(dir, name)));

/** For tests with the real docker CLI and the busybox image. */
export const needsDockerCli: string | false =
  (!onPath('docker') && 'no docker CLI on PATH') ||
  (process.getuid!() !== 0 && 'needs root') ||
  ((await busyboxArchive()) === undefined && 'no static busybox on this machine');
