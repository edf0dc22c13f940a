// GET /version.

import { newestVersion, type VersionResponse } from '../../api/index.ts';
import type { Config } from '../config/config.ts';
import { engineVersion, type SystemFacts } from './facts.ts';

export function versionOf(facts: SystemFacts, config: Config): VersionResponse {
  const { architecture } = facts.platform;
  const details = {
    ApiVersion: newestVersion,
    Arch: architecture,
    BuildTime: '',
    Experimental: String(config.experimental),
    GitCommit: '',
    GoVersion: `node ${process.version}`,
    KernelVersion: facts.kernelVersion,
    MinAPIVersion: config.minApiVersion,
    Os: 'linux',
  };
  const own = (Name: string) => ({ Name, Version: facts.berthVersion, Details: { GitCommit: '' } });
  return {
    Platform: { Name: `berth ${facts.berthVersion}` },
    Components: [
      { Name: 'Engine', Version: engineVersion, Details: details },
      own('containerd'),
      own('runc'),
      own('docker-init'),
    ],
    Version: engineVersion,
    ApiVersion: newestVersion,
    MinAPIVersion: config.minApiVersion,
    GitCommit: '',
    GoVersion: `node ${process.version}`,
    Os: 'linux',
    Arch: architecture,
    KernelVersion: facts.kernelVersion,
    ...(config.experimental && { Experimental: true }),
    BuildTime: '',
  };
}
