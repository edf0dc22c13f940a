import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { cannotRun, TestContainers } from './testing/containers.ts';

const lines = (text: string) => text.trim().split('\n');

describe('an exec', { skip: cannotRun }, () => {
  const containers = new TestContainers();
  after(() => containers[Symbol.asyncDispose]());

  it('is in all that the container is in, with its own user, directory and environment', async () => {
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    const script =
      'hostname; id -u; id -G; pwd; echo $X; ls / | wc -l; for n in mnt pid net uts ipc; do readlink /proc/self/ns/$n; done; grep -E "^(Cap|Umask)" /proc/self/status';
    const { code, output } = await container.exec({
      args: ['sh', '-c', `${script}; exit 5`],
      user: { uid: 7, gid: 8, additionalGids: [9] },
      cwd: '/tmp',
      env: ['PATH=/bin', 'X=y'],
    });
    assert.equal(code, 5);
    assert.deepEqual(lines(output).slice(0, 5), ['box', '7', '8 9', '/tmp', 'y']);
    const init = await container.exec({
      args: ['sh', '-c', 'for n in mnt pid net uts ipc; do readlink /proc/1/ns/$n; done'],
    });
    assert.deepEqual(lines(output).slice(6, 11), lines(init.output));
    const cgroup = (await container.exec({ args: ['sh', '-c', 'cat /proc/self/cgroup'] })).output;
    assert.ok(
      lines(cgroup).every(line => line.endsWith(container.spec.linux!.cgroupsPath!)),
      cgroup,
    );
    await container.end();
  });

  it('sees no descriptor of the host', async () => {
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    const { output } = await container.exec({
      args: [
        'sh',
        '-c',
        'for f in /proc/self/fd/*; do readlink $f; done | grep -vE "^/(dev/null|proc/)|^pipe:|\\.out$"',
      ],
    });
    assert.equal(output, '');
    await container.end();
  });

  it("is told apart by runc's words when it cannot start", async () => {
    const container = await containers.start({ process: { args: ['sleep', '100'] } });
    await assert.rejects(container.exec({ args: ['nosuch'] }), {
      message: 'exec: "nosuch": executable file not found in $PATH',
    });
    await assert.rejects(container.exec({ args: ['true'], cwd: '/nono' }), {
      message: 'chdir to cwd ("/nono") set in config.json failed: no such file or directory',
    });
    await container.end();
    await assert.rejects(container.exec({ args: ['true'] }), /container is not running: no such process/);
  });
});
