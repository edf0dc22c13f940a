// Every command's name, in the order of the help pages; what each does is in its own file, loaded when it is called.

import type { Command, CommandEntry, CommandGroup } from './command/command.ts';

const entry = (description: string, load: () => Promise<Command>, aliases?: readonly string[]): CommandEntry => ({
  description,
  load,
  ...(aliases !== undefined && { aliases }),
});

const builder = {
  build: entry('Build an image from a Dockerfile', async () => (await import('./builder/build.ts')).build),
  prune: entry('Remove build cache', async () => (await import('./builder/prune.ts')).prune),
};

const container = {
  attach: entry(
    'Attach local standard input, output, and error streams to a running container',
    async () => (await import('./container/attach.ts')).attach,
  ),
  commit: entry(
    "Create a new image from a container's changes",
    async () => (await import('./container/commit.ts')).commit,
  ),
  cp: entry(
    'Copy files/folders between a container and the local filesystem',
    async () => (await import('./container/cp.ts')).cp,
  ),
  create: entry('Create a new container', async () => (await import('./container/create.ts')).create),
  diff: entry(
    "Inspect changes to files or directories on a container's filesystem",
    async () => (await import('./container/diff.ts')).diff,
  ),
  exec: entry('Execute a command in a running container', async () => (await import('./container/exec.ts')).exec),
  export: entry(
    "Export a container's filesystem as a tar archive",
    async () => (await import('./container/export.ts')).exportContainer,
  ),
  inspect: entry(
    'Display detailed information on one or more containers',
    async () => (await import('./container/inspect.ts')).inspect,
  ),
  kill: entry('Kill one or more running containers', async () => (await import('./container/kill.ts')).kill),
  logs: entry('Fetch the logs of a container', async () => (await import('./container/logs.ts')).logs),
  ls: entry('List containers', async () => (await import('./container/ls.ts')).ls, ['ps', 'list']),
  pause: entry(
    'Pause all processes within one or more containers',
    async () => (await import('./container/pause.ts')).pause,
  ),
  port: entry(
    'List port mappings or a specific mapping for the container',
    async () => (await import('./container/port.ts')).port,
  ),
  prune: entry('Remove all stopped containers', async () => (await import('./container/prune.ts')).prune),
  rename: entry('Rename a container', async () => (await import('./container/rename.ts')).rename),
  restart: entry('Restart one or more containers', async () => (await import('./container/restart.ts')).restart),
  rm: entry('Remove one or more containers', async () => (await import('./container/rm.ts')).rm, ['remove']),
  run: entry('Create and run a new container from an image', async () => (await import('./container/run.ts')).run),
  start: entry('Start one or more stopped containers', async () => (await import('./container/start.ts')).start),
  stats: entry(
    'Display a live stream of container(s) resource usage statistics',
    async () => (await import('./container/stats.ts')).stats,
  ),
  stop: entry('Stop one or more running containers', async () => (await import('./container/stop.ts')).stop),
  top: entry('Display the running processes of a container', async () => (await import('./container/top.ts')).top),
  unpause: entry(
    'Unpause all processes within one or more containers',
    async () => (await import('./container/unpause.ts')).unpause,
  ),
  update: entry(
    'Update configuration of one or more containers',
    async () => (await import('./container/update.ts')).update,
  ),
  wait: entry(
    'Block until one or more containers stop, then print their exit codes',
    async () => (await import('./container/wait.ts')).wait,
  ),
};

const context = {
  create: entry('Create a context', async () => (await import('./context/create.ts')).create),
  export: entry(
    'Export a context to a tar archive FILE or a tar stream on STDOUT.',
    async () => (await import('./context/export.ts')).exportContext,
  ),
  import: entry(
    'Import a context from a tar or zip file',
    async () => (await import('./context/import.ts')).importContext,
  ),
  inspect: entry(
    'Display detailed information on one or more contexts',
    async () => (await import('./context/inspect.ts')).inspect,
  ),
  ls: entry('List contexts', async () => (await import('./context/ls.ts')).ls, ['list']),
  rm: entry('Remove one or more contexts', async () => (await import('./context/rm.ts')).rm, ['remove']),
  show: entry('Print the name of the current context', async () => (await import('./context/show.ts')).show),
  update: entry('Update a context', async () => (await import('./context/update.ts')).update),
  use: entry('Set the current docker context', async () => (await import('./context/use.ts')).use),
};

const image = {
  build: entry('Build an image from a Dockerfile', async () => (await import('./builder/build.ts')).build),
  history: entry('Show the history of an image', async () => (await import('./image/history.ts')).history),
  import: entry(
    'Import the contents from a tarball to create a filesystem image',
    async () => (await import('./image/import.ts')).importImage,
  ),
  inspect: entry(
    'Display detailed information on one or more images',
    async () => (await import('./image/inspect.ts')).inspect,
  ),
  load: entry('Load an image from a tar archive or STDIN', async () => (await import('./image/load.ts')).load),
  ls: entry('List images', async () => (await import('./image/ls.ts')).ls, ['list']),
  prune: entry('Remove unused images', async () => (await import('./image/prune.ts')).prune),
  pull: entry('Download an image from a registry', async () => (await import('./image/pull.ts')).pull),
  push: entry('Upload an image to a registry', async () => (await import('./image/push.ts')).push),
  rm: entry('Remove one or more images', async () => (await import('./image/rm.ts')).rm, ['remove']),
  save: entry(
    'Save one or more images to a tar archive (streamed to STDOUT by default)',
    async () => (await import('./image/save.ts')).save,
  ),
  tag: entry('Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE', async () => (await import('./image/tag.ts')).tag),
};

const network = {
  connect: entry('Connect a container to a network', async () => (await import('./network/connect.ts')).connect),
  create: entry('Create a network', async () => (await import('./network/create.ts')).create),
  disconnect: entry(
    'Disconnect a container from a network',
    async () => (await import('./network/disconnect.ts')).disconnect,
  ),
  inspect: entry(
    'Display detailed information on one or more networks',
    async () => (await import('./network/inspect.ts')).inspect,
  ),
  ls: entry('List networks', async () => (await import('./network/ls.ts')).ls, ['list']),
  prune: entry('Remove all unused networks', async () => (await import('./network/prune.ts')).prune),
  rm: entry('Remove one or more networks', async () => (await import('./network/rm.ts')).rm, ['remove']),
};

const system = {
  df: entry('Show docker disk usage', async () => (await import('./system/df.ts')).df),
  events: entry('Get real time events from the server', async () => (await import('./system/events.ts')).events),
  info: entry('Display system-wide information', async () => (await import('./system/info.ts')).info),
  prune: entry('Remove unused data', async () => (await import('./system/prune.ts')).prune),
  'dial-stdio': {
    hidden: true,
    ...entry(
      'Proxy the stdio stream to the daemon connection',
      async () => (await import('./system/dial-stdio.ts')).dialStdio,
    ),
  },
};

const volume = {
  create: entry('Create a volume', async () => (await import('./volume/create.ts')).create),
  inspect: entry(
    'Display detailed information on one or more volumes',
    async () => (await import('./volume/inspect.ts')).inspect,
  ),
  ls: entry('List volumes', async () => (await import('./volume/ls.ts')).ls, ['list']),
  prune: entry('Remove unused local volumes', async () => (await import('./volume/prune.ts')).prune),
  rm: entry('Remove one or more volumes', async () => (await import('./volume/rm.ts')).rm, ['remove']),
};

/** The top level. */
export const commands: Readonly<Record<string, CommandEntry | CommandGroup>> = {
  run: container.run,
  exec: container.exec,
  ps: container.ls,
  build: builder.build,
  pull: image.pull,
  push: image.push,
  images: image.ls,
  version: entry('Show the Docker version information', async () => (await import('./system/version.ts')).version),
  info: system.info,
  inspect: entry(
    'Return low-level information on Docker objects',
    async () => (await import('./system/inspect.ts')).inspect,
  ),
  attach: container.attach,
  commit: container.commit,
  cp: container.cp,
  create: container.create,
  diff: container.diff,
  events: system.events,
  export: container.export,
  history: image.history,
  import: image.import,
  kill: container.kill,
  load: image.load,
  logs: container.logs,
  pause: container.pause,
  port: container.port,
  rename: container.rename,
  restart: container.restart,
  rm: container.rm,
  rmi: image.rm,
  save: image.save,
  start: container.start,
  stats: container.stats,
  stop: container.stop,
  tag: image.tag,
  top: container.top,
  unpause: container.unpause,
  update: container.update,
  wait: container.wait,
  login: entry('Authenticate to a registry', async () => (await import('./registry/login.ts')).login),
  logout: entry('Log out from a registry', async () => (await import('./registry/logout.ts')).logout),
  search: entry('Search Docker Hub for images', async () => (await import('./registry/search.ts')).search),
  completion: entry(
    'Generate the autocompletion script for the specified shell',
    async () => (await import('./completion/completion.ts')).completion,
  ),
  builder: { description: 'Manage builds', children: builder },
  container: { description: 'Manage containers', children: container },
  context: { description: 'Manage contexts', children: context },
  image: { description: 'Manage images', children: image },
  network: { description: 'Manage networks', children: network },
  system: { description: 'Manage Docker', children: system },
  volume: { description: 'Manage volumes', children: volume },
};

/** Names under their headings, as the program's help page lists them. */
export const sections: readonly (readonly [string, readonly string[]])[] = [
  [
    'Common Commands',
    ['run', 'exec', 'ps', 'build', 'pull', 'push', 'images', 'login', 'logout', 'search', 'version', 'info'],
  ],
  ['Management Commands', ['builder', 'container', 'context', 'image', 'network', 'system', 'volume']],
  [
    'Commands',
    [
      'attach',
      'commit',
      'completion',
      'cp',
      'create',
      'diff',
      'events',
      'export',
      'history',
      'import',
      'inspect',
      'kill',
      'load',
      'logs',
      'pause',
      'port',
      'rename',
      'restart',
      'rm',
      'rmi',
      'save',
      'start',
      'stats',
      'stop',
      'tag',
      'top',
      'unpause',
      'update',
      'wait',
    ],
  ],
];
