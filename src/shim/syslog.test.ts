import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { type SyslogConfig, syslogBytes, validateSyslog } from './syslog.ts';
import { scriptProgram, TestShim } from './testing/processes.ts';

const script = 'echo out line; sleep 0.03; echo err >&2; sleep 0.03; printf "\\n\\tx"';

async function overUdp(more: Partial<SyslogConfig>): Promise<string[]> {
  const server = createSocket('udp4');
  const messages: string[] = [];
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  server.on('message', message => messages.push(String(message)));
  try {
    const log = { type: 'syslog', address: `udp://127.0.0.1:${server.address().port}`, tag: 'tag', ...more } as const;
    await using shim = await TestShim.create(scriptProgram(script), { log });
    await shim.shim.start();
    await shim.exited();
    for (let i = 0; messages.length < 3 && i < 100; i++) await new Promise(resolve => setTimeout(resolve, 10));
  } finally {
    server.close();
  }
  return messages;
}

// The forms are those that Docker 28.5 sent for the same script.
test('the default format, and an empty line is left out', async () => {
  const stamp = '[A-Z][a-z]{2} [ 1-3]\\d \\d\\d:\\d\\d:\\d\\d';
  const [first, second, third, ...rest] = await overUdp({});
  assert.match(first!, new RegExp(`^<30>${stamp} tag\\[\\d+\\]: out line\\n$`));
  assert.match(second!, new RegExp(`^<27>${stamp} tag\\[\\d+\\]: err\\n$`));
  assert.match(third!, new RegExp(`^<30>${stamp} tag\\[\\d+\\]: \\tx\\n$`));
  assert.deepEqual(rest, []);
});

test('rfc3164, rfc5424 and rfc5424micro', async () => {
  const [old] = await overUdp({ format: 'rfc3164', facility: 'local3' });
  assert.match(old!, new RegExp(`^<158>[A-Z][a-z]{2} [ 1-3]\\d [\\d:]{8} ${hostname()} tag\\[\\d+\\]: out line\\n$`));
  const [plain] = await overUdp({ format: 'rfc5424' });
  const zone = '(Z|[+-]\\d\\d:\\d\\d)';
  assert.match(
    plain!,
    new RegExp(`^<30>1 \\d{4}-\\d\\d-\\d\\dT[\\d:]{8}${zone} ${hostname()} tag \\d+ tag - out line\\n$`),
  );
  const [micro] = await overUdp({ format: 'rfc5424micro' });
  assert.match(
    micro!,
    new RegExp(`^<30>1 \\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{6}${zone} ${hostname()} tag \\d+ tag - out line\\n$`),
  );
  const time = / (\S+T\S+) /.exec(micro!)![1]!;
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 10_000);
});

test('over TCP, connected again when the server starts anew', async () => {
  let text = '';
  let connections = 0;
  const server = createServer(socket => {
    connections++;
    socket.on('error', () => {});
    socket.on('data', chunk => {
      text += String(chunk);
      if (connections === 1) socket.destroy();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  try {
    const log = { type: 'syslog', address: `tcp://127.0.0.1:${port}`, tag: 'tag' } as const;
    const program = scriptProgram('for i in 1 2 3 4 5 6; do echo $i; sleep 0.03; done');
    await using shim = await TestShim.create(program, { log });
    await shim.shim.start();
    await shim.exited();
    for (let i = 0; !text.includes(': 6\n') && i < 100; i++) await new Promise(resolve => setTimeout(resolve, 10));
  } finally {
    server.close();
  }
  assert.match(text, /: 1\n/);
  assert.match(text, /: 6\n/);
  assert.ok(connections >= 2);
});

test('a server that is not there, or takes nothing, holds nothing up', async () => {
  const server = createServer({ pauseOnConnect: true }, () => {});
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  for (const address of ['udp://127.0.0.1:9', 'tcp://127.0.0.1:9', `tcp://127.0.0.1:${port}`]) {
    const began = performance.now();
    await using shim = await TestShim.create(
      scriptProgram('yes 0123456789012345678901234567890123456789 | head -n 300000'),
      {
        log: { type: 'syslog', address, tag: 'tag' },
      },
    );
    await shim.shim.start();
    assert.equal((await shim.exited()).code, 0);
    assert.ok(performance.now() - began < 5000, address);
  }
  server.close();
});

test('options are read as Docker reads them', async () => {
  assert.throws(
    () => validateSyslog({ address: 'corrupted:42' }),
    /syslog-address should be in form proto:\/\/address, got corrupted:42/,
  );
  assert.throws(
    () => validateSyslog({ address: 'unix:///no/such/socket' }),
    /stat \/no\/such\/socket: no such file or directory/,
  );
  assert.throws(() => validateSyslog({ address: 'udp://1.2.3.4', facility: 'nosuch' }), /invalid syslog facility/);
  assert.throws(() => validateSyslog({ address: 'udp://1.2.3.4', format: 'nosuch' }), /Invalid syslog format/);
  const bytes = await syslogBytes({ type: 'syslog', address: 'udp://[2001:db8::7]', tag: 't' });
  assert.equal(bytes.subarray(-28).toString('hex'), '0a0002020000000020010db800000000000000000000000700000000');
});
