// One call of the Engine API without a client in between: `$CALL METHOD PATH [BODY]` in transcripts prints the status, the content
// type and the body, and of a file what it is (the header of the archive calls, decoded).

import { request } from 'node:http';

const [method, path, body] = process.argv.slice(2);
// Whoever reads only the first lines ends us.
process.stdout.on('error', () => process.exit());
const call = request(
  {
    socketPath: process.env.DOCKER_HOST!.replace('unix://', ''),
    method,
    path,
    headers:
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
  },
  answer => {
    const type = answer.headers['content-type'];
    process.stdout.write(`${answer.statusCode}${type === undefined ? '' : ` ${type}`}\n`);
    const stat = answer.headers['x-docker-container-path-stat'];
    if (typeof stat === 'string') process.stdout.write(`${Buffer.from(stat, 'base64')}\n`);
    answer.pipe(process.stdout);
  },
);
call.end(body);
