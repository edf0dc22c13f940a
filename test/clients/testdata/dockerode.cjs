// What a program does with dockerode. Run with the socket's path; prints "ok" at the end.
const assert = require('node:assert/strict');
const { PassThrough } = require('node:stream');
const Docker = require(process.argv[3] + '/node_modules/dockerode');
const docker = new Docker({ socketPath: process.argv[2] });

(async () => {
  assert.equal((await docker.ping()).toString(), 'OK');
  assert.match((await docker.version()).ApiVersion, /^1\.\d+$/);
  assert.ok((await docker.listImages()).some(image => image.RepoTags.includes('busybox:latest')));

  // run: create, attach, start, wait in one
  const out = new PassThrough();
  let text = '';
  out.on('data', chunk => { text += chunk; });
  const [result, container] = await docker.run('busybox', ['sh', '-c', 'echo from dockerode; exit 3'], out, { Tty: true });
  assert.equal(result.StatusCode, 3);
  assert.equal(text, 'from dockerode\r\n');
  await container.remove();

  // demultiplexed attach, exec with hijack, inspect, archive, stats, logs
  const box = await docker.createContainer({ Image: 'busybox', name: 'node-box', Cmd: ['sleep', '1000'], Labels: { made: 'here' } });
  await box.start();
  const exec = await box.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  const stdout = new PassThrough(), stderr = new PassThrough();
  let o = '', e = '';
  stdout.on('data', chunk => { o += chunk; });
  stderr.on('data', chunk => { e += chunk; });
  docker.modem.demuxStream(stream, stdout, stderr);
  await new Promise(resolve => stream.on('end', resolve));
  assert.deepEqual([o, e], ['out\n', 'err\n']);
  assert.equal((await exec.inspect()).ExitCode, 0);
  assert.equal((await docker.listContainers({ filters: { label: ['made=here'] } })).length, 1);
  const stats = await box.stats({ stream: false });
  assert.ok(stats.memory_stats.usage > 0);
  const archive = await box.getArchive({ path: '/etc/passwd' });
  let bytes = 0;
  for await (const chunk of archive) bytes += chunk.length;
  assert.ok(bytes >= 1024);
  await box.stop({ t: 0 });
  await box.remove();
  await assert.rejects(docker.getContainer('nosuch').inspect(), err => err.statusCode === 404 && /No such container/.test(err.message));
  console.log('ok');
})().catch(err => { console.error(err); process.exit(1); });
