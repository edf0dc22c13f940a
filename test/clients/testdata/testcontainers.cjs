// A test's container with testcontainers: a wait strategy on the log and on the port, files copied in, exec.
const assert = require('node:assert/strict');
const { GenericContainer, Wait, Network } = require(process.argv[3] + '/node_modules/testcontainers');

(async () => {
  const network = await new Network().start();
  const container = await new GenericContainer('busybox:latest')
    .withNetwork(network)
    .withNetworkAliases('server')
    .withCopyContentToContainer([{ content: 'copied in', target: '/www/index.html' }])
    .withCommand(['sh', '-c', 'httpd -p 8080 -h /www && echo ready && exec sleep 1000'])
    .withExposedPorts(8080)
    .withWaitStrategy(Wait.forAll([Wait.forLogMessage('ready'), Wait.forListeningPorts()]))
    .withStartupTimeout(20_000)
    .start();
  const answer = await fetch(`http://${container.getHost()}:${container.getMappedPort(8080)}/`);
  assert.equal(await answer.text(), 'copied in');
  const { output, exitCode } = await container.exec(['cat', '/www/index.html']);
  assert.deepEqual([output, exitCode], ['copied in', 0]);
  await container.stop();
  await network.stop();
  console.log('ok');
})().catch(err => { console.error(err); process.exit(1); });
