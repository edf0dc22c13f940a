import { FailedPrecondition } from '../../../errdefs/index.ts';
import { openCgroup } from '../../cgroups/cgroup.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { parseSignal } from '../signals.ts';
import { containerId } from '../start-program.ts';
import { containerStatus } from '../state-store.ts';

const SIGKILL = 9;

export const kill: Command = {
  name: 'kill',
  usage: 'kill [command options] <container-id> [signal]',
  summary: "sends the specified signal (default: SIGTERM) to the container's init process",
  async run(words, { store }) {
    // Flags may stand behind the id, as engines of old put them.
    const all = words.includes('--all') || words.includes('-a');
    const flags = new Flags(
      words.filter(word => word !== '--all' && word !== '-a'),
      {},
    );
    const id = containerId(flags, 'kill');
    const signal = parseSignal(flags.rest[1] ?? 'SIGTERM');
    const container = store.read(id);
    const cgroup = openCgroup(container.state.cgroups);
    const stopped = containerStatus(container) === 'stopped';
    const ownPids = (container.spec.linux?.namespaces ?? []).some(({ type, path }) => type === 'pid' && !path);
    if (all || (signal === SIGKILL && !ownPids)) {
      await cgroup.killAll(signal);
      return 0;
    }
    if (stopped) throw new FailedPrecondition('container not running');
    process.kill(container.state.pid, signal);
    return 0;
  },
};
