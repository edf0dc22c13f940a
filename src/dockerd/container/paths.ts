// Files of a container on the host.

import path from 'node:path';

export const containerDirectory = (dataRoot: string, id: string): string => path.join(dataRoot, 'containers', id);

export interface ContainerPaths {
  readonly directory: string;
  readonly resolvConf: string;
  readonly hostname: string;
  readonly hosts: string;
  readonly log: string;
  readonly shm: string;
}

export function containerPaths(dataRoot: string, id: string): ContainerPaths {
  const directory = containerDirectory(dataRoot, id);
  return {
    directory,
    resolvConf: `${directory}/resolv.conf`,
    hostname: `${directory}/hostname`,
    hosts: `${directory}/hosts`,
    log: `${directory}/${id}-json.log`,
    shm: `${directory}/mounts/shm`,
  };
}
