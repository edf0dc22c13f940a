// A pull in a process of its own, for tests that kill it: pull-child.ts REFERENCE ROOT

import { openContainerd } from '../../src/containerd/index.ts';
import { familiarString, parseReference, Registry } from '../../src/registry/index.ts';

const [, , name = '', root = ''] = process.argv;
await using containerd = await openContainerd({ root });
using registry = new Registry({ retry: { attempts: 2, baseMs: 1 } });
const reference = parseReference(name);
using lease = containerd.leases.create();
const { target } = await registry.pull({ reference, store: containerd.leased(lease.id) });
containerd.images.put({ name: familiarString(reference), target });
process.stdout.write(`${target.digest}\n`);
