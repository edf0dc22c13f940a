// Looking after what is in force: tables that somebody flushes, bridges that somebody removes.

import { setLink } from '../netlink/index.ts';
import type { ActiveNetwork } from './active-network.ts';
import type { Firewall } from './firewall/firewall.ts';
import type { Kernel } from './kernel.ts';

/** What a look has to do with. */
export interface Watched {
  readonly kernel: Kernel;
  readonly firewall: Firewall;
  readonly networks: () => readonly ActiveNetwork[];
  /** Brings a network's devices up again. */
  readonly bringUp: (network: ActiveNetwork) => void;
}

/** Sets right what is not in force any more; what was found, in words. */
export function heal({ kernel, firewall, networks, bringUp }: Watched): string[] {
  const found: string[] = [];
  for (const network of networks()) {
    const { parentIndex, bridge } = network.hostSide;
    if (bridge === undefined || kernel.link({ index: parentIndex }) !== undefined) continue;
    found.push(`the bridge of network ${network.record.name} was gone and has been made again`);
    firewall.removeBridge(bridge.index);
    bringUp(network);
    if (network.hostSide.bridge !== undefined) firewall.addBridge(network.hostSide.bridge);
    const ports = [...network.endpoints.values()].map(({ hostInterfaceIndex }) => hostInterfaceIndex);
    // A port whose container is about to end may be gone.
    for (const index of ports) kernel.route.exchange([setLink({ index, master: network.hostSide.parentIndex })]);
    for (const [id, endpoint] of network.endpoints) {
      network.endpoints.set(id, { ...endpoint, parentIndex: network.hostSide.parentIndex });
    }
  }
  if (firewall.heal()) found.push('the nf_tables table was gone and has been made again');
  return found;
}

const tickMs = 2000;
/** Devices are looked at that seldom: nobody tells when one is removed. */
const ticksPerLook = 15;

/** Calls `look` when somebody else has changed a table of the machine, and now and then; `always` every two seconds. */
export function watchTables(firewall: Firewall, look: () => void, always: () => void): Disposable {
  firewall.hasChanged();
  let ticks = 0;
  const timer = setInterval(() => {
    if (firewall.hasChanged() || ++ticks % ticksPerLook === 0) look();
    always();
  }, tickMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
