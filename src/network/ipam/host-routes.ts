import { familyOf, routeTable } from '../../netlink/index.ts';
import type { Kernel } from '../kernel.ts';
import { formatPrefix, parseAddress, prefixOf } from './prefix.ts';
import type { TakenPrefix } from './subnets.ts';

/** Where this machine sends packets already: a subnet of ours there would cut it off. The default route takes nothing. */
export function hostRoutes(kernel: Kernel): TakenPrefix[] {
  return kernel.routes().flatMap(route => {
    if (route.destination === undefined || route.prefixLength === 0 || route.table === routeTable.local) return [];
    if (route.family !== familyOf(route.destination)) return [];
    const { bits, value } = parseAddress(route.destination);
    const prefix = prefixOf(value, bits, route.prefixLength);
    return [{ prefix, owner: `host route ${formatPrefix(prefix)}` }];
  });
}
