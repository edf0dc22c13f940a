import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { containerId } from '../start-program.ts';
import { containerStatus, type StoredContainer } from '../state-store.ts';

/** runtime-spec runtime.md "State", with what runc adds. */
export function stateOf(container: StoredContainer) {
  const { state, spec } = container;
  const status = containerStatus(container);
  return {
    ociVersion: spec.ociVersion,
    id: state.id,
    pid: status === 'stopped' ? 0 : state.pid,
    status,
    bundle: state.bundle,
    rootfs: state.rootfs,
    created: state.created,
    ...(spec.annotations && { annotations: spec.annotations }),
    owner: state.ownerUid === 0 ? 'root' : String(state.ownerUid),
  };
}

export const state: Command = {
  name: 'state',
  usage: 'state <container-id>',
  summary: 'output the state of a container',
  run(words, { store, stdout }) {
    const id = containerId(new Flags(words, {}), 'state');
    stdout(`${JSON.stringify(stateOf(store.read(id)), null, 2)}\n`);
    return 0;
  },
};
