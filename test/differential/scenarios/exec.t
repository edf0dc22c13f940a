$ docker run -d --name ex -e FROM=container -w /tmp busybox sleep 1000
<id>
$ docker exec ex sh -c 'echo out; echo err >&2; exit 5'
out
! err
[5]
$ docker exec ex pwd
/tmp
$ docker exec -w /etc ex pwd
/etc
$ docker exec ex sh -c 'echo $FROM'
container
$ docker exec -e FROM=exec ex sh -c 'echo $FROM'
exec
$ docker exec -u berth ex id
uid=1000(berth) gid=1000(berth) groups=10(wheel),1000(berth)
$ docker exec -u nosuch ex id
! Error response from daemon: unable to find user nosuch: no matching entries in passwd file
[1]
$ docker exec -u 12:34 ex id
uid=12 gid=34 groups=34
$ echo input | docker exec -i ex cat
input
$ docker exec -t ex tty
/dev/pts/0
$ docker exec ex nosuch
OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH
[127]
$ docker exec ex /etc/passwd
OCI runtime exec failed: exec failed: unable to start container process: exec: "/etc/passwd": permission denied
[126]
$ docker exec ex /nosuch/program
OCI runtime exec failed: exec failed: unable to start container process: exec: "/nosuch/program": stat /nosuch/program: no such file or directory
[127]
$ docker exec -w /nosuch ex pwd
OCI runtime exec failed: exec failed: unable to start container process: chdir to cwd ("/nosuch") set in config.json failed: no such file or directory
[127]
$ docker exec -d ex sh -c 'echo detached > /tmp/file'
$ sleep 0.3; docker exec ex cat /tmp/file
detached
$ docker exec ex sh -c 'kill -9 $$'
[137]
$ docker exec ex sh -c 'ls -l /proc/self/fd | grep -v "/proc/" | wc -l'
5
! ls: /proc/self/fd/3: cannot read link: No such file or directory
$ docker exec ex grep -E '^Cap|^Seccomp:' /proc/self/status
CapInh:	0000000000000000
CapPrm:	00000000a80425fb
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
Seccomp:	2
$ docker exec --privileged ex grep -E '^CapEff' /proc/self/status
CapEff:	000001fffeffffff
$ docker exec -u berth ex grep -E '^CapEff' /proc/self/status
CapEff:	0000000000000000
$ docker exec ex cat /proc/self/cgroup | sed 's/^[0-9]*://' | sort | head -n 2
:/docker/<id>
blkio:/docker/<id>
$ docker exec nosuch true
! Error response from daemon: No such container: nosuch
[1]
$ docker exec ex
! docker: 'docker exec' requires at least 2 arguments
! 
! Usage:  docker exec [OPTIONS] CONTAINER COMMAND [ARG...]
! 
! See 'docker exec --help' for more information
[1]
$ docker rm -f ex
ex
