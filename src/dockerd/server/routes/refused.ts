// What this engine does not do, said politely and in the words that clients look for (reference engine-api.md, "Refusing X endpoints").

import { NotFound, NotImplemented, Unavailable } from '../../../errdefs/index.ts';
import type { Handler } from '../call.ts';
import type { Handlers } from '../server.ts';

const noSwarm: Handler = () => {
  throw new Unavailable(
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
};

const notDone =
  (what: string): Handler =>
  () => {
    throw new NotImplemented(`${what} is not implemented by this engine`);
  };

const swarmMode = notDone('swarm mode');
const plugins = notDone('managing plugins');
const checkpoints = notDone('checkpointing containers');

export const refusedHandlers = {
  checkpointList: checkpoints,
  checkpointCreate: checkpoints,
  checkpointRemove: checkpoints,

  pluginList: call => call.json(200, []),
  pluginPrivileges: plugins,
  pluginPull: plugins,
  pluginCreate: plugins,
  pluginInspect: call => {
    throw new NotFound(`plugin "${call.param('name')}" not found`);
  },
  pluginEnable: plugins,
  pluginDisable: plugins,
  pluginUpgrade: plugins,
  pluginPush: plugins,
  pluginSet: plugins,
  pluginRemove: plugins,

  swarmInspect: noSwarm,
  swarmInit: swarmMode,
  swarmJoin: swarmMode,
  swarmLeave: noSwarm,
  swarmUpdate: noSwarm,
  swarmUnlockKey: noSwarm,
  swarmUnlock: noSwarm,
  secretList: noSwarm,
  secretCreate: noSwarm,
  secretInspect: noSwarm,
  secretRemove: noSwarm,
  secretUpdate: noSwarm,
  configList: noSwarm,
  configCreate: noSwarm,
  configInspect: noSwarm,
  configRemove: noSwarm,
  configUpdate: noSwarm,
  nodeList: noSwarm,
  nodeInspect: noSwarm,
  nodeRemove: noSwarm,
  nodeUpdate: noSwarm,
  serviceList: noSwarm,
  serviceCreate: noSwarm,
  serviceInspect: noSwarm,
  serviceRemove: noSwarm,
  serviceUpdate: noSwarm,
  serviceLogs: noSwarm,
  taskList: noSwarm,
  taskInspect: noSwarm,
  taskLogs: noSwarm,
} satisfies Partial<Handlers>;
