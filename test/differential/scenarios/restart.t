$ docker run -d --name audrs --restart on-failure:2 busybox sh -c 'echo run; exit 3'
<id>
$ for i in $(seq 60); do docker inspect audrs --format '{{.State.Status}}' | grep exited && break; sleep 0.1; done
exited
$ docker inspect audrs --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.State.Restarting}}'
exited 3 2 false
$ docker logs audrs
run
run
run
$ sleep 1; docker events --since 60s --until 0s --filter container=audrs --filter type=container --format '{{.Action}} {{.Actor.Attributes.exitCode}}'
create <no value>
start <no value>
die 3
start <no value>
die 3
start <no value>
die 3
$ docker start audrs; sleep 2; docker inspect audrs --format '{{.RestartCount}}'
audrs
2
$ docker rm audrs
audrs
$ docker run -d --name audrs --restart on-failure busybox sh -c 'test -e /second || { touch /second; exit 1; }'
<id>
$ for i in $(seq 60); do docker inspect audrs --format '{{.State.Status}}' | grep exited && break; sleep 0.1; done
exited
$ docker inspect audrs --format '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}'
exited 0 1
$ docker rm audrs
audrs
$ docker run -d --name audrs --restart always busybox sh -c 'sleep 0.1; exit 4'
<id>
$ for i in $(seq 100); do docker inspect audrs --format '{{.State.Status}} {{.State.Running}} {{.State.Restarting}} {{.State.ExitCode}}' | grep restarting && break; sleep 0.05; done
restarting true true 4
$ for i in $(seq 100); do docker ps --filter name=audrs --format '{{.Status}}' | grep Restarting && break; sleep 0.05; done | head -n 1
Restarting (4) <duration> ago
$ docker ps --filter name=audrs --filter status=exited --format '{{.Names}}'
$ docker stop -t 1 audrs
audrs
$ docker inspect audrs --format '{{.State.Status}} {{.State.Running}} {{.State.Restarting}}'
exited false false
$ docker update --restart no audrs
audrs
$ docker inspect audrs --format '{{json .HostConfig.RestartPolicy}}'
{"Name":"no","MaximumRetryCount":0}
$ docker update --restart on-failure:5 audrs && docker inspect audrs --format '{{json .HostConfig.RestartPolicy}}'
audrs
{"Name":"on-failure","MaximumRetryCount":5}
$ docker update --restart nosuch audrs
! Error response from daemon: invalid restart policy: unknown policy 'nosuch'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'
[1]
$ docker update --restart always:3 audrs
! Error response from daemon: invalid restart policy: maximum retry count can only be used with 'on-failure'
[1]
$ docker rm -f audrs
audrs
$ docker run -d --restart unless-stopped --name audrs busybox sh -c 'test -e /second && sleep 100; touch /second'
<id>
$ for i in $(seq 50); do docker inspect audrs --format '{{.RestartCount}}' | grep -q 1 && break; sleep 0.1; done; sleep 0.2; docker inspect audrs --format '{{.RestartCount}} {{.State.Status}} {{.HostConfig.RestartPolicy.Name}}'
1 running unless-stopped
$ docker kill audrs; sleep 0.5; docker inspect audrs --format '{{.State.Status}} {{.State.ExitCode}}'
audrs
exited 137
$ docker rm -f audrs
audrs
$ docker run --restart nosuch busybox true
! docker: Error response from daemon: invalid restart policy: unknown policy 'nosuch'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'
! 
! Run 'docker run --help' for more information
[125]
$ docker run --restart on-failure:x busybox true
! docker: invalid restart policy format: maximum retry count must be an integer
! 
! Run 'docker run --help' for more information
[125]
$ docker run --restart on-failure:-1 busybox true
! docker: Error response from daemon: invalid restart policy: maximum retry count cannot be negative
! 
! Run 'docker run --help' for more information
[125]
$ docker run --restart always:2 busybox true
! docker: Error response from daemon: invalid restart policy: maximum retry count can only be used with 'on-failure'
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --name audrm --restart no busybox true
# Restart, stop and signals
$ docker run -d --name audst --stop-signal USR1 --stop-timeout 1 busybox sh -c 'trap "echo usr1" USR1; trap "echo hup" HUP; echo up; while true; do sleep 0.05; done'
<id>
$ for i in $(seq 50); do docker logs audst | grep -q up && break; sleep 0.05; done; docker kill -s HUP audst; sleep 0.3; docker logs audst
audst
up
hup
$ docker stop audst; docker inspect audst --format '{{.State.ExitCode}}'; docker logs audst
audst
137
up
hup
usr1
$ docker restart -t 0 audst; docker inspect audst --format '{{.State.Status}} {{.RestartCount}}'
audst
running 0
$ docker stop -s KILL audst; docker inspect audst --format '{{.State.ExitCode}}'
audst
137
$ docker restart audst; docker stop -t 0 audst
audst
audst
$ sleep 1; docker events --since 60s --until 0s --filter container=audst --filter type=container --format '{{.Action}} {{.Actor.Attributes.signal}} {{.Actor.Attributes.exitCode}}' | grep -v ^stop
create <no value> <no value>
start <no value> <no value>
kill 1 <no value>
kill 10 <no value>
kill 9 <no value>
die <no value> 137
start <no value> <no value>
restart <no value> <no value>
kill 9 <no value>
die <no value> 137
start <no value> <no value>
restart <no value> <no value>
kill 10 <no value>
kill 9 <no value>
die <no value> 137
$ docker kill -s 0 audst; docker stop -s nosuch audst
audst
! Error response from daemon: cannot kill container: audst: invalid signal: 0
$ docker start audst; docker kill -s 99 audst; docker kill -s sigterm audst; docker kill -s 15 audst; docker kill -s RTMIN+3 audst >/dev/null; docker rm -f audst
audst
audst
audst
audst
! Error response from daemon: cannot kill container: audst: the linux daemon does not support signal 99
# OOM
$ docker run --name audoom --memory 16m --memory-swap 16m busybox sh -c 'x=$(yes | head -c 100000000)'; docker inspect audoom --format '{{.State.OOMKilled}} {{.State.ExitCode}}'
true 137
$ docker rm audoom
audoom
# Update
$ docker run -d --name audup --memory 64m busybox sleep 100
<id>
$ docker update --memory 128m audup
audup
$ docker update --memory 128m --memory-swap 256m --cpus 0.5 --cpu-shares 100 --pids-limit 55 audup
audup
$ docker exec audup cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares /sys/fs/cgroup/pids/pids.max
134217728
50000
100
55
$ docker inspect audup --format '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.PidsLimit}}'
134217728 268435456 500000000 100 55
$ docker update --cpu-quota 1000 audup
! Error response from daemon: Cannot update container <id>: Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set
[1]
$ docker update --memory 1m audup
! Error response from daemon: Minimum memory limit allowed is 6MB
[1]
$ docker update --memory 512m audup
! Error response from daemon: Cannot update container <id>: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time
[1]
$ docker update --cpuset-cpus 99 audup
! Error response from daemon: Requested CPUs are not available - requested 99, available: 0-1
[1]
$ docker update audup
! you must provide one or more flags when using this command
[1]
$ docker update --memory 64m nosuch
! Error response from daemon: No such container: nosuch
[1]
$ sleep 1; docker events --since 60s --until 0s --filter container=audup --filter event=update --format '{{.Action}} {{.Actor.Attributes.name}}' | sort -u
update audup
$ docker rm -f audup
audup
# Rename
$ docker run -d --name audn1 busybox sleep 100
<id>
$ docker rename audn1 audn2; docker rename audn1 audn3; docker rename audn2 '-x'; docker rename audn2 ''
! Error response from daemon: No such container: audn1
! Error: failed to rename container named audn1
! unknown shorthand flag: 'x' in -x
! 
! Usage:  docker rename CONTAINER NEW_NAME
! 
! Run 'docker rename --help' for more information
! Error: Neither old nor new names may be empty
[1]
$ docker create --name audn3 busybox true; docker rename audn2 audn3
<id>
! Error response from daemon: Error when allocating new name: Conflict. The container name "/audn3" is already in use by container "<id>". You have to remove (or rename) that container to be able to reuse that name.
! Error: failed to rename container named audn2
[1]
$ docker ps -a --filter name=audn --format '{{.Names}}'
audn3
audn2
$ sleep 1; docker events --since 60s --until 0s --filter event=rename --format '{{.Actor.Attributes.oldName}} {{.Actor.Attributes.name}}' | grep audn
/audn1 audn2
$ docker rm -f audn2 audn3
audn2
audn3
