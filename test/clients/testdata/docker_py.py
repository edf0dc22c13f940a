"""What a script does with docker-py. Run with the socket's path; prints "ok" at the end."""
import io, sys, tarfile
import docker

client = docker.DockerClient(base_url='unix://' + sys.argv[1])
assert client.ping()
assert client.version()['ApiVersion']
assert client.containers.run('busybox', ['echo', 'from python'], remove=True) == b'from python\n'
try:
    client.containers.run('busybox', ['sh', '-c', 'echo oops >&2; exit 5'], remove=True)
    raise SystemExit('no error')
except docker.errors.ContainerError as err:
    assert err.exit_status == 5 and b'oops' in err.stderr, err

box = client.containers.run('busybox', ['sleep', '1000'], name='py-box', detach=True, labels={'made': 'here'})
code, out = box.exec_run(['sh', '-c', 'echo out; exit 4'])
assert (code, out) == (4, b'out\n'), (code, out)
assert [c.name for c in client.containers.list(filters={'label': 'made=here'})] == ['py-box']
data = io.BytesIO()
with tarfile.open(fileobj=data, mode='w') as tar:
    info = tarfile.TarInfo('put')
    info.size = 5
    tar.addfile(info, io.BytesIO(b'hello'))
assert box.put_archive('/tmp', data.getvalue())
stream, stat = box.get_archive('/tmp/put')
assert stat['name'] == 'put' and stat['size'] == 5, stat
with tarfile.open(fileobj=io.BytesIO(b''.join(stream))) as tar:
    assert tar.extractfile('put').read() == b'hello'
assert box.stats(stream=False)['memory_stats']['usage'] > 0
assert box.top()['Titles']
box.pause(); box.reload(); assert box.status == 'paused'
box.unpause()
box.stop(timeout=0)
assert box.wait()['StatusCode'] == 137
box.remove()
volume = client.volumes.create('py-volume')
assert client.containers.run('busybox', ['sh', '-c', 'echo kept > /v/x; cat /v/x'], volumes={'py-volume': {'bind': '/v', 'mode': 'rw'}}, remove=True) == b'kept\n'
volume.remove()
dockerfile = io.BytesIO(b'FROM busybox\nENV A=b\nRUN echo built > /built\nCMD cat /built\n')
image, log = client.images.build(fileobj=dockerfile, tag='py-image')
assert client.containers.run('py-image', remove=True) == b'built\n'
client.images.remove('py-image')
try:
    client.containers.get('nosuch')
    raise SystemExit('no error')
except docker.errors.NotFound:
    pass
print('ok')
