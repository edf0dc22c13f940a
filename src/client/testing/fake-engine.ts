// A small honest engine for tests of the client: it answers the Engine API from fixtures, over a real socket.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { encodeProgress, frame, matchRoute, newestVersion, type RouteName, streamTypes } from '../../api/index.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

type Answer = (
  request: SeenRequest,
  parameters: Readonly<Record<string, string>>,
) => { status: number; body: string; type?: string; chunked?: boolean };

const fixtures = JSON.parse(readFileSync(`${import.meta.dirname}/testdata/fixtures.json`, 'utf8')) as Record<
  string,
  unknown
>;

/** "@ago:90@" in a fixture is the unix time of 90 seconds ago. */
const json = (value: unknown): { status: number; body: string } => ({
  status: 200,
  body: `${JSON.stringify(value).replace(/"@ago:(\d+)@"/g, (_, seconds: string) => String(Math.floor(Date.now() / 1000) - Number(seconds)))}\n`,
});
const message = (status: number, text: string): { status: number; body: string } => ({
  status,
  body: `${JSON.stringify({ message: text })}\n`,
});

const container = fixtures.containerInspect as { Id: string; Name: string };
const known = (id: string | undefined): boolean =>
  id !== undefined &&
  (id.replace(/^\//, '') === container.Name.slice(1) || container.Id.startsWith(id) || /^f+$/.test(id));
const forContainer =
  (answer: Answer): Answer =>
  (request, parameters) =>
    known(parameters.id) ? answer(request, parameters) : message(404, `No such container: ${parameters.id}`);
const none = { status: 204, body: '' };

const answers: Partial<Record<RouteName, Answer>> = {
  version: () => json(fixtures.version),
  info: () => json(fixtures.info),
  systemDf: () => json(fixtures.df),
  containerList: request =>
    request.url.includes('bogus') ? message(400, "invalid filter 'bogus'") : json(fixtures.containers),
  containerInspect: forContainer(() => json(container)),
  containerTop: forContainer(() =>
    json({
      Titles: ['PID', 'COMMAND'],
      Processes: [
        ['1', 'sh'],
        ['12345', 'sleep 1000'],
      ],
    }),
  ),
  containerChanges: forContainer(() =>
    json([
      { Path: '/etc', Kind: 0 },
      { Path: '/etc/new', Kind: 1 },
      { Path: '/gone', Kind: 2 },
    ]),
  ),
  containerPause: forContainer(() => none),
  containerStop: forContainer(() => ({ status: 304, body: '' })),
  containerKill: forContainer(() =>
    message(409, `cannot kill container: web: container ${container.Id} is not running`),
  ),
  containerRename: forContainer(() => none),
  containerRemove: forContainer(() =>
    message(
      409,
      'cannot remove container "web": container is running: stop the container before removing or force remove',
    ),
  ),
  containerCreate: request => {
    const { Image: image } = JSON.parse(request.body) as { Image: string };
    if (image === 'missing') return message(404, 'No such image: missing:latest');
    return {
      ...json({
        Id: image === 'fails' ? 'e'.repeat(64) : 'f'.repeat(64),
        Warnings: image === 'warns' ? ['something is odd'] : [],
      }),
      status: 201,
    };
  },
  containerStart: (_, { id }) =>
    id === 'e'.repeat(64)
      ? message(400, 'failed to create task for container: exec: "nope": executable file not found in $PATH')
      : none,
  containerWait: () => json({ StatusCode: 3 }),
  containerLogs: forContainer(() => ({
    status: 200,
    body: Buffer.concat([
      frame(streamTypes.stdout, Buffer.from('out\n')),
      frame(streamTypes.stderr, Buffer.from('err\n')),
    ]).toString('latin1'),
    type: 'application/vnd.docker.multiplexed-stream',
    chunked: true,
  })),
  execCreate: forContainer(() => ({ ...json({ Id: 'abc' }), status: 201 })),
  execInspect: () => json({ ID: 'abc', Running: false, ExitCode: 5 }),
  imageList: () => json(fixtures.images),
  imageInspect: (_, { name }) =>
    name === 'busybox' ? json(fixtures.imageInspect) : message(404, `No such image: ${name}:latest`),
  imageHistory: () => json(fixtures.history),
  imageRemove: () => json([{ Untagged: 'busybox:latest' }, { Deleted: `sha256:${'a'.repeat(64)}` }]),
  imageTag: () => ({ status: 201, body: '' }),
  imageCreate: request => {
    if (request.url.includes('missing'))
      return message(404, "pull access denied for missing, repository does not exist or may require 'docker login'");
    const lines = request.url.includes('broken')
      ? [
          { status: 'Pulling from library/broken', id: 'latest' },
          { errorDetail: { message: 'unexpected EOF' }, error: 'unexpected EOF' },
        ]
      : (fixtures.pull as object[]);
    return { status: 200, body: lines.map(line => encodeProgress(line)).join(''), chunked: true };
  },
  networkList: () => json(fixtures.networks),
  networkInspect: (_, { id }) =>
    id === 'bridge' ? json((fixtures.networks as unknown[])[0]) : message(404, `network ${id} not found`),
  networkCreate: () => ({ ...json({ Id: 'c'.repeat(64), Warning: '' }), status: 201 }),
  networkRemove: (_, { id }) =>
    id === 'bridge'
      ? message(403, 'bridge is a pre-defined network and cannot be removed')
      : message(404, `network ${id} not found`),
  volumeList: () => json({ Volumes: fixtures.volumes, Warnings: null }),
  volumeInspect: (_, { id }) => message(404, `get ${id}: no such volume`),
  volumeCreate: request => ({
    ...json({ Name: (JSON.parse(request.body) as { Name?: string }).Name ?? 'd'.repeat(64) }),
    status: 201,
  }),
  volumeRemove: () => none,
  containerPrune: () => json({ ContainersDeleted: ['a'.repeat(64)], SpaceReclaimed: 1234567 }),
  imagePrune: () => json({ ImagesDeleted: [{ Untagged: 'x:1' }, { Deleted: 'sha256:abc' }], SpaceReclaimed: 1000 }),
  networkPrune: () => json({ NetworksDeleted: null }),
  volumePrune: () => json({ VolumesDeleted: [], SpaceReclaimed: 0 }),
  buildPrune: () => json({ CachesDeleted: null, SpaceReclaimed: 0 }),
  events: () => ({ status: 200, body: (fixtures.events as string[]).map(line => `${line}\n`).join(''), chunked: true }),
  pluginInspect: (_, { name }) => message(404, `plugin ${JSON.stringify(name)} not found`),
  auth: request =>
    request.body.includes('"wrong"')
      ? message(401, 'Get "https://registry.example/v2/": unauthorized: incorrect username or password')
      : json({ Status: 'Login Succeeded', IdentityToken: '' }),
};

export interface FakeEngine extends AsyncDisposable {
  readonly requests: readonly SeenRequest[];
}

/** Listens on a unix socket. `version` is the newest API version that it speaks. */
export async function startFakeEngine(socketPath: string, version: string = newestVersion): Promise<FakeEngine> {
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => void handle(request, response, requests, version));
  server.on('upgrade', (request, socket) => hijack(request, socket as Socket));
  await new Promise<void>(resolve => server.listen(socketPath, resolve));
  return { requests, [Symbol.asyncDispose]: () => close(server) };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  requests: SeenRequest[],
  version: string,
): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const seen = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
  requests.push(seen);
  response.setHeader('Api-Version', version);
  response.setHeader('Ostype', 'linux');
  response.setHeader('Server', 'Docker/28.5.2 (linux)');
  const path = seen.url.split('?')[0]!;
  if (path.endsWith('/_ping')) {
    response.end(seen.method === 'HEAD' ? undefined : 'OK');
    return;
  }
  const match = matchRoute(seen.method, path);
  const asked = match?.version ?? version;
  const answer =
    Number(asked.slice(2)) > Number(version.slice(2))
      ? message(400, `client version ${asked} is too new. Maximum supported API version is ${version}`)
      : match === undefined
        ? message(404, 'page not found')
        : (answers[match.route.name]?.(seen, match.parameters) ??
          message(501, `${match.route.name} is not in the fake engine`));
  const { status, body: text } = answer;
  response.statusCode = status;
  const { type = 'application/json', chunked = false } = answer as { type?: string; chunked?: boolean };
  if (status !== 204 && status !== 304) response.setHeader('Content-Type', type);
  const bytes = Buffer.from(text, type === 'application/json' ? 'utf8' : 'latin1');
  if (!chunked && status !== 204 && status !== 304) response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

/** Attach and exec: what is sent comes back in capitals on stdout, after a line on each stream. */
function hijack(request: IncomingMessage, socket: Socket): void {
  socket.write(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );
  socket.write(frame(streamTypes.stdout, Buffer.from('out\n')));
  socket.write(frame(streamTypes.stderr, Buffer.from('err\n')));
  socket.on('error', () => {});
  if (request.url?.includes('/attach') === true && !request.url.includes('stdin=1')) {
    socket.end();
    return;
  }
  socket.on('data', chunk =>
    socket.write(
      frame(
        streamTypes.stdout,
        Buffer.from(
          String(chunk)
            .replace(/\{.*\}/, '')
            .toUpperCase(),
        ),
      ),
    ),
  );
  socket.on('end', () => socket.end());
  if (request.url?.includes('/exec/') === true) socket.end();
}
