// Denials of an egress policy (`-o berth.egress=…`, label `berth.egress`), as events and inspect show them.

import type { Denial } from '../../network/index.ts';

/** Attributes of the event `network deny`. */
export const denialAttributes = (denial: Denial): Record<string, string> => ({
  name: denial.networkName,
  container: denial.containerId,
  containerName: denial.containerName,
  destination: denial.destination,
  ...(denial.protocol !== undefined && { protocol: denial.protocol }),
  ...(denial.port !== undefined && { port: String(denial.port) }),
});

/** What `docker network inspect` shows besides Docker's own fields, newest last; nothing where nothing was denied. */
export const denialStatus = (denials: readonly Denial[]): object =>
  denials.length === 0
    ? {}
    : {
        EgressDenials: denials.slice(-100).map(denial => ({
          Time: new Date(denial.time).toISOString(),
          Container: denial.containerId,
          Name: denial.containerName,
          Destination: denial.destination,
          Protocol: denial.protocol ?? 'dns',
          ...(denial.port !== undefined && { Port: denial.port }),
        })),
      };
