$ docker create --name life busybox sh -c 'echo started; trap "echo bye; exit 7" TERM; while true; do sleep 0.1; done'
<id>
$ docker ps -a --filter name=life --format '{{.Names}} {{.Image}} {{.Command}} {{.Status}} {{.Ports}} {{.State}}'
life busybox "sh -c 'echo started…" Created  created
$ docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.StartedAt}}' life
created false 0 0 <time>
$ docker start life
life
$ docker start life
life
$ docker ps --filter name=life --format '{{.Names}} {{.Status}} {{.State}}'
life Up <duration> running
$ docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Error}}' life
running true 0 false
$ docker exec life echo in it
in it
$ docker top life -o pid,comm | awk 'NR==1 || $2=="sh"' | sed 's/[0-9][0-9]*/N/' | uniq
PID                 COMMAND
N               sh
$ docker rm life
! Error response from daemon: cannot remove container "life": container is running: stop the container before removing or force remove
[1]
$ docker stop life
life
$ docker logs life
started
bye
$ docker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.Pid}}' life
exited false 7 0
$ docker ps -a --filter name=life --format '{{.Status}}'
Exited (7) <duration> ago
$ docker stop life
life
$ docker kill life
! Error response from daemon: cannot kill container: life: container <id> is not running
[1]
$ docker exec life true
! Error response from daemon: container <id> is not running
[1]
$ docker attach life
! You cannot attach to a stopped container, start it first
[1]
$ docker wait life
7
$ docker restart life
life
$ docker pause life
life
$ docker ps --filter name=life --format '{{.Status}}'
Up <duration> (Paused)
$ docker exec life true
! Error response from daemon: Container life is paused, unpause the container before exec
[1]
$ docker pause life
! Error response from daemon: Container <id> is already paused
[1]
$ docker start life
! Error response from daemon: cannot start a paused container, try unpause instead
! Error: failed to start containers: life
[1]
$ docker unpause life
life
$ docker unpause life
! Error response from daemon: Container <id> is not paused
[1]
$ docker rename life life2
$ docker rename life2 life2
! Error response from daemon: Renaming a container with the same name as its current name
! Error: failed to rename container named life2
[1]
$ docker kill -s NOSUCH life2
! Error response from daemon: cannot kill container: life2: invalid signal: NOSUCH
[1]
$ docker kill -s KILL life2
life2
$ docker wait life2
137
$ docker kill life2
! Error response from daemon: cannot kill container: life2: container <id> is not running
[1]
$ docker rm life2
life2
$ docker rm life2
! Error response from daemon: No such container: life2
[1]
$ docker inspect life2
[]
! Error: No such object: life2
[1]
$ docker start life2
! Error response from daemon: No such container: life2
! Error: failed to start containers: life2
[1]
$ docker logs life2
! Error response from daemon: No such container: life2
[1]
$ docker stop life2
! Error response from daemon: No such container: life2
[1]
# Exit codes are kept
$ docker run --name code busybox sh -c 'exit 42'
[42]
$ docker wait code
42
$ docker inspect -f '{{.State.ExitCode}}' code
42
$ docker start -a code
[42]
$ docker rm code
code
# A start that fails
$ docker create --name bad busybox nosuch
<id>
$ docker start bad
! Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH
! Error: failed to start containers: bad
[1]
$ docker inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}' bad
created 127 failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH
$ docker rm bad
bad
# Several at once, and force
$ docker run -d --name l1 busybox sleep 100
<id>
$ docker run -d --name l2 busybox sleep 100
<id>
$ docker rm -f l1 l2 l3
l1
l2
! Error response from daemon: No such container: l3
$ docker ps -aq --filter name=l1 --filter name=l2
