// The Engine API's routes as data: the server dispatches by this table, and a test of the client checks itself against it.

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

export interface Route {
  readonly name: RouteName;
  readonly method: Method;
  /** `{id}` stands for one segment; `{name}` for one or more, since image names hold slashes. */
  readonly path: string;
}

// Where two patterns fit a path, the earlier one wins: fixed paths stand before greedy ones.
const table = [
  ['ping', 'GET', '/_ping'],
  ['pingHead', 'HEAD', '/_ping'],
  ['version', 'GET', '/version'],
  ['info', 'GET', '/info'],
  ['auth', 'POST', '/auth'],
  ['events', 'GET', '/events'],
  ['systemDf', 'GET', '/system/df'],
  ['distributionInspect', 'GET', '/distribution/{name}/json'],

  ['containerList', 'GET', '/containers/json'],
  ['containerCreate', 'POST', '/containers/create'],
  ['containerPrune', 'POST', '/containers/prune'],
  ['containerInspect', 'GET', '/containers/{id}/json'],
  ['containerExplain', 'GET', '/containers/{id}/explain'],
  ['containerTimings', 'GET', '/berth/containers/{id}/timings'],
  ['containerTop', 'GET', '/containers/{id}/top'],
  ['containerLogs', 'GET', '/containers/{id}/logs'],
  ['containerChanges', 'GET', '/containers/{id}/changes'],
  ['containerExport', 'GET', '/containers/{id}/export'],
  ['containerStats', 'GET', '/containers/{id}/stats'],
  ['containerResize', 'POST', '/containers/{id}/resize'],
  ['containerStart', 'POST', '/containers/{id}/start'],
  ['containerStop', 'POST', '/containers/{id}/stop'],
  ['containerRestart', 'POST', '/containers/{id}/restart'],
  ['containerKill', 'POST', '/containers/{id}/kill'],
  ['containerUpdate', 'POST', '/containers/{id}/update'],
  ['containerRename', 'POST', '/containers/{id}/rename'],
  ['containerPause', 'POST', '/containers/{id}/pause'],
  ['containerUnpause', 'POST', '/containers/{id}/unpause'],
  ['containerAttach', 'POST', '/containers/{id}/attach'],
  ['containerAttachWebSocket', 'GET', '/containers/{id}/attach/ws'],
  ['containerWait', 'POST', '/containers/{id}/wait'],
  ['containerRemove', 'DELETE', '/containers/{id}'],
  ['containerArchiveStat', 'HEAD', '/containers/{id}/archive'],
  ['containerArchiveGet', 'GET', '/containers/{id}/archive'],
  ['containerArchivePut', 'PUT', '/containers/{id}/archive'],
  ['checkpointList', 'GET', '/containers/{id}/checkpoints'],
  ['checkpointCreate', 'POST', '/containers/{id}/checkpoints'],
  ['checkpointRemove', 'DELETE', '/containers/{id}/checkpoints/{checkpoint}'],

  ['execCreate', 'POST', '/containers/{id}/exec'],
  ['execStart', 'POST', '/exec/{id}/start'],
  ['execResize', 'POST', '/exec/{id}/resize'],
  ['execInspect', 'GET', '/exec/{id}/json'],

  ['imageList', 'GET', '/images/json'],
  ['imageCreate', 'POST', '/images/create'],
  ['imageLoad', 'POST', '/images/load'],
  ['imagePrune', 'POST', '/images/prune'],
  ['imageSearch', 'GET', '/images/search'],
  ['imageSave', 'GET', '/images/get'],
  ['imageSaveOne', 'GET', '/images/{name}/get'],
  ['imageInspect', 'GET', '/images/{name}/json'],
  ['imageHistory', 'GET', '/images/{name}/history'],
  ['imageAttestations', 'GET', '/images/{name}/attestations'],
  ['imagePush', 'POST', '/images/{name}/push'],
  ['imageTag', 'POST', '/images/{name}/tag'],
  ['imageRemove', 'DELETE', '/images/{name}'],
  ['commit', 'POST', '/commit'],

  ['build', 'POST', '/build'],
  ['buildPrune', 'POST', '/build/prune'],
  ['buildCancel', 'POST', '/build/cancel'],
  ['session', 'POST', '/session'],
  ['grpc', 'POST', '/grpc'],

  ['networkList', 'GET', '/networks'],
  ['networkCreate', 'POST', '/networks/create'],
  ['networkPrune', 'POST', '/networks/prune'],
  ['networkInspect', 'GET', '/networks/{id}'],
  ['networkRemove', 'DELETE', '/networks/{id}'],
  ['networkConnect', 'POST', '/networks/{id}/connect'],
  ['networkDisconnect', 'POST', '/networks/{id}/disconnect'],

  ['volumeList', 'GET', '/volumes'],
  ['volumeCreate', 'POST', '/volumes/create'],
  ['volumePrune', 'POST', '/volumes/prune'],
  ['volumeInspect', 'GET', '/volumes/{id}'],
  ['volumeUpdate', 'PUT', '/volumes/{id}'],
  ['volumeRemove', 'DELETE', '/volumes/{id}'],

  ['pluginList', 'GET', '/plugins'],
  ['pluginPrivileges', 'GET', '/plugins/privileges'],
  ['pluginPull', 'POST', '/plugins/pull'],
  ['pluginCreate', 'POST', '/plugins/create'],
  ['pluginInspect', 'GET', '/plugins/{name}/json'],
  ['pluginEnable', 'POST', '/plugins/{name}/enable'],
  ['pluginDisable', 'POST', '/plugins/{name}/disable'],
  ['pluginUpgrade', 'POST', '/plugins/{name}/upgrade'],
  ['pluginPush', 'POST', '/plugins/{name}/push'],
  ['pluginSet', 'POST', '/plugins/{name}/set'],
  ['pluginRemove', 'DELETE', '/plugins/{name}'],

  ['swarmInspect', 'GET', '/swarm'],
  ['swarmInit', 'POST', '/swarm/init'],
  ['swarmJoin', 'POST', '/swarm/join'],
  ['swarmLeave', 'POST', '/swarm/leave'],
  ['swarmUpdate', 'POST', '/swarm/update'],
  ['swarmUnlockKey', 'GET', '/swarm/unlockkey'],
  ['swarmUnlock', 'POST', '/swarm/unlock'],
  ['secretList', 'GET', '/secrets'],
  ['secretCreate', 'POST', '/secrets/create'],
  ['secretInspect', 'GET', '/secrets/{id}'],
  ['secretRemove', 'DELETE', '/secrets/{id}'],
  ['secretUpdate', 'POST', '/secrets/{id}/update'],
  ['configList', 'GET', '/configs'],
  ['configCreate', 'POST', '/configs/create'],
  ['configInspect', 'GET', '/configs/{id}'],
  ['configRemove', 'DELETE', '/configs/{id}'],
  ['configUpdate', 'POST', '/configs/{id}/update'],
  ['nodeList', 'GET', '/nodes'],
  ['nodeInspect', 'GET', '/nodes/{id}'],
  ['nodeRemove', 'DELETE', '/nodes/{id}'],
  ['nodeUpdate', 'POST', '/nodes/{id}/update'],
  ['serviceList', 'GET', '/services'],
  ['serviceCreate', 'POST', '/services/create'],
  ['serviceInspect', 'GET', '/services/{id}'],
  ['serviceRemove', 'DELETE', '/services/{id}'],
  ['serviceUpdate', 'POST', '/services/{id}/update'],
  ['serviceLogs', 'GET', '/services/{id}/logs'],
  ['taskList', 'GET', '/tasks'],
  ['taskInspect', 'GET', '/tasks/{id}'],
  ['taskLogs', 'GET', '/tasks/{id}/logs'],
] as const satisfies readonly (readonly [string, Method, string])[];

export type RouteName = (typeof table)[number][0];

export const routes: readonly Route[] = table.map(([name, method, path]) => ({ name, method, path }));

export interface RouteMatch {
  readonly route: Route;
  /** The version of the path's prefix, without the v; undefined without a prefix. */
  readonly version: string | undefined;
  /** The path's parts by name, percent-decoded; a leading slash of a container name is kept out. */
  readonly parameters: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

function compile(route: Route): CompiledRoute {
  const names: string[] = [];
  const source = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return name === 'name' ? '/?(.+?)' : '/?([^/]+)';
  });
  return { route, pattern: new RegExp(`^${source}$`), names };
}

let compiled: Map<string, CompiledRoute[]> | undefined;

/** By method and first segment, so that a request tries a handful of patterns. Compiled when first asked for: the client never does. */
function compiledRoutes(): Map<string, CompiledRoute[]> {
  if (compiled !== undefined) return compiled;
  compiled = new Map();
  for (const route of routes) {
    const key = `${route.method} ${route.path.split('/')[1]}`;
    const list = compiled.get(key) ?? [];
    list.push(compile(route));
    compiled.set(key, list);
  }
  return compiled;
}

/** Finds the route of a request's path (without its query); undefined is the engine's 404 "page not found". */
export function matchRoute(method: string, path: string): RouteMatch | undefined {
  const prefix = /^\/v([0-9.]+)(?=\/)/.exec(path);
  const rest = prefix === null ? path : path.slice(prefix[0].length);
  for (const { route, pattern, names } of compiledRoutes().get(`${method} ${rest.split('/', 2)[1]}`) ?? []) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    const parameters: Record<string, string> = {};
    try {
      names.forEach((name, i) => {
        parameters[name] = decodeURIComponent(match[i + 1]!);
      });
    } catch {
      return undefined; // a malformed escape names nothing
    }
    return { route, version: prefix?.[1], parameters };
  }
  return undefined;
}
