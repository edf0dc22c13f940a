// Connecting and disconnecting a container that runs: the messages of its plan, sent by ourselves.

import { closeSync, openSync } from 'node:fs';
import { FailedPrecondition } from '../errdefs/index.ts';
import {
  addRoute,
  defaultRoute,
  deleteLink,
  isNetlinkError,
  type NamespaceRef,
  type NetlinkClient,
  type NetlinkMessage,
  setLink,
} from '../netlink/index.ts';
import type { Endpoint } from './endpoint.ts';
import { type Kernel, openClient } from './kernel.ts';
import { configureDevice, gatewayEndpoint } from './plan.ts';

/** Calls with the container's network namespace open, and a conversation in it. */
function inNamespace<T>(pid: number, call: (client: NetlinkClient, fd: number) => T): T {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/ns/net`, 'r');
  } catch (err) {
    throw new FailedPrecondition(`the network namespace of process ${pid} is gone`, { cause: err });
  }
  try {
    using client = openClient('route', fd);
    return call(client, fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the endpoint's device in a running container. `all` are its endpoints with the new one. */
export function connectLive(
  kernel: Kernel,
  pid: number,
  endpoint: Endpoint,
  all: readonly Endpoint[],
  createDevice: (namespace: NamespaceRef) => NetlinkMessage[],
): void {
  inNamespace(pid, (client, fd) => {
    kernel.route.send(createDevice({ fd }));
    try {
      const index = endpoint.interfaceIndex;
      // The sysctl disable_ipv6 cannot be written from outside; without a link-local address IPv6 is as good as off.
      if (endpoint.ipv6 === undefined) client.exchange([setLink({ index, linkLocalAddress: false })]);
      client.send(configureDevice(endpoint, []));
      client.send(gatewayRoutes(all));
      kernel.settle([endpoint.hostInterfaceIndex, endpoint.parentIndex]);
    } catch (err) {
      removeDevice(client, endpoint);
      throw err;
    }
  });
}

/** Removes the endpoint's device from a running container. `left` are its other endpoints. */
export async function disconnectLive(
  kernel: Kernel,
  pid: number,
  endpoint: Endpoint,
  left: readonly Endpoint[],
): Promise<void> {
  // A veth goes with the end that is here; any other device is only in there.
  if (endpoint.hostInterfaceIndex !== 0) await kernel.removeLink({ index: endpoint.hostInterfaceIndex });
  inNamespace(pid, client => {
    if (endpoint.hostInterfaceIndex === 0) removeDevice(client, endpoint);
    client.send(gatewayRoutes(left));
  });
}

function removeDevice(client: NetlinkClient, endpoint: Endpoint): void {
  try {
    client.send([deleteLink({ index: endpoint.interfaceIndex })]);
  } catch (err) {
    if (!isNetlinkError(err, 'ENODEV')) throw err;
  }
}

/** The default routes as they should be; what is there already is replaced. */
function gatewayRoutes(endpoints: readonly Endpoint[]): NetlinkMessage[] {
  return (['ipv4', 'ipv6'] as const).flatMap(version => {
    const endpoint = gatewayEndpoint(endpoints, version);
    const gateway = endpoint?.[version]?.gateway;
    if (endpoint === undefined || gateway === undefined) return [];
    return [addRoute(defaultRoute(gateway, endpoint.interfaceIndex), { replace: true })];
  });
}
