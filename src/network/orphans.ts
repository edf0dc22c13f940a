// What engines leave that were killed and never came back: a table whose published ports would still catch packets, and bridges.

import {
  decodeElements,
  decodeTable,
  deleteTable,
  isNetlinkError,
  listElements,
  listTables,
  nft,
  transaction,
} from '../netlink/index.ts';
import { setName } from './firewall/set-names.ts';
import { tableRef } from './firewall/table.ts';
import { isOurs, type Kernel } from './kernel.ts';

const prefix = 'berth-';

/**
 * Removes tables of dead engines that have no containers any more, with their bridges; their names. An engine is dead when
 * nobody owns its table (Linux 6.9; older ones do not tell, and nothing is removed), and it has containers when a bridge has
 * ports. One that comes back after all makes everything anew.
 */
export async function removeOrphans(kernel: Kernel, except: string): Promise<string[]> {
  const { owner, persist } = nft.tableFlag;
  const orphans = kernel.netfilter
    .dump(listTables())
    .map(decodeTable)
    .filter(({ family, table }) => family === nft.tableFamily.inet && table.startsWith(prefix) && table !== except)
    .filter(({ flags }) => (flags & (owner | persist)) === persist);
  if (orphans.length === 0) return [];
  const links = kernel.links();
  const removed: string[] = [];
  for (const { table } of orphans) {
    const bridges = bridgesOf(kernel, table);
    if (bridges === undefined || links.some(({ master }) => master !== undefined && bridges.has(master))) continue;
    if (!remove(kernel, table)) continue;
    removed.push(table);
    const ours = links.filter(link => bridges.has(link.index) && link.kind === 'bridge' && isOurs(link));
    await Promise.all(ours.map(({ index }) => kernel.removeLink({ index })));
  }
  return removed;
}

/** Numbers of the bridges that a table guards; undefined when it is gone meanwhile, or none of ours. */
function bridgesOf(kernel: Kernel, table: string): Set<number> | undefined {
  try {
    const answers = kernel.netfilter.dump(listElements({ ...tableRef(table), name: setName.bridges }));
    const keys = answers.flatMap(decodeElements).map(({ key }) => key);
    return new Set(keys.map(key => new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true)));
  } catch (err) {
    if (isNetlinkError(err, 'ENOENT')) return undefined;
    throw err;
  }
}

/** False when its engine has come back (EPERM: the table has an owner again) or somebody was faster. */
function remove(kernel: Kernel, table: string): boolean {
  try {
    kernel.netfilter.send(transaction([deleteTable(tableRef(table))]));
    return true;
  } catch (err) {
    if (isNetlinkError(err, 'ENOENT', 'EPERM')) return false;
    throw err;
  }
}
