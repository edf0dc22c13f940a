# Health checks
$ docker run -d --name audh --health-cmd 'test ! -e /sick' --health-interval 300ms --health-retries 2 --health-timeout 5s busybox sleep 100
<id>
$ docker ps --filter name=audh --format '{{.Status}}'
Up <duration> (health: starting)
$ for i in $(seq 50); do docker inspect audh --format '{{.State.Health.Status}}' | grep -q starting || break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'
healthy 0
$ docker ps --filter name=audh --format '{{.Status}}'
Up <duration> (healthy)
$ docker ps --filter health=healthy --filter name=audh --format '{{.Names}}'
audh
$ docker ps --filter health=unhealthy --filter name=audh --format '{{.Names}}'
$ docker ps --filter health=nosuch --filter name=audh --format '{{.Names}}'
! Error response from daemon: invalid filter 'health=nosuch': invalid value for health (nosuch): must be one of none, starting, healthy, unhealthy
[1]
$ docker inspect audh --format '{{json .State.Health}}' | $KEYS
FailingStreak: number
Log[].End: string
Log[].ExitCode: number
Log[].Output: string
Log[].Start: string
Status: string
$ docker inspect audh --format '{{json .Config.Healthcheck}}'
{"Test":["CMD-SHELL","test ! -e /sick"],"Interval":300000000,"Timeout":5000000000,"Retries":2}
$ docker exec audh touch /sick; for i in $(seq 50); do docker inspect audh --format '{{.State.Health.Status}}' | grep -q unhealthy && break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{.State.Status}}'
unhealthy running
$ docker ps --filter name=audh --format '{{.Status}}'
Up <duration> (unhealthy)
$ docker exec audh rm /sick; for i in $(seq 50); do docker inspect audh --format '{{.State.Health.Status}}' | grep -q unhealthy || break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{.State.Health.FailingStreak}}'
healthy 0
$ docker stop -t 0 audh && docker inspect audh --format '{{.State.Health.Status}}'
audh
unhealthy
$ docker ps -a --filter name=audh --format '{{.Status}}'
Exited (137) <duration> ago
$ sleep 1; docker events --since 60s --until 0s --filter container=audh --filter event=health_status --format '{{.Action}}'
health_status: healthy
health_status: unhealthy
health_status: healthy
$ sleep 1; docker events --since 60s --until 0s --filter container=audh --filter event=exec_create --format '{{.Action}}' | sort -u
exec_create: /bin/sh -c test ! -e /sick
exec_create: rm /sick
exec_create: touch /sick
$ sleep 1; docker events --since 60s --until 0s --filter container=audh --filter event=exec_die --format '{{.Action}} {{.Actor.Attributes.exitCode}}' | sort -u
exec_die 0
exec_die 1
$ docker rm audh
audh
$ docker run -d --name audh --health-cmd 'echo out; echo err >&2; exit 3' --health-interval 100ms --health-retries 1 --health-start-period 60s --health-start-interval 200ms busybox sleep 100
<id>
$ for i in $(seq 50); do test "$(docker inspect audh --format '{{len .State.Health.Log}}')" = 5 && break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{len .State.Health.Log}} {{with index .State.Health.Log 0}}{{.ExitCode}} {{json .Output}}{{end}}'
starting 5 3 "out\nerr\n"
$ docker ps --filter name=audh --format '{{.Status}}'
Up <duration> (health: starting)
$ docker rm -f audh
audh
$ docker run -d --name audh --health-cmd 'echo a; sleep 10' --health-interval 100ms --health-retries 1 --health-timeout 200ms busybox sleep 100
<id>
$ for i in $(seq 50); do docker inspect audh --format '{{.State.Health.Status}}' | grep -q unhealthy && break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{with index .State.Health.Log 0}}{{.ExitCode}} {{json .Output}}{{end}}'
unhealthy -1 "Health check exceeded timeout (200ms): a\n"
$ docker rm -f audh
audh
$ docker run -d --name audh --health-cmd nosuchcommand --health-interval 100ms --health-retries 1 busybox sleep 100
<id>
$ for i in $(seq 50); do docker inspect audh --format '{{.State.Health.Status}}' | grep -q unhealthy && break; sleep 0.1; done; docker inspect audh --format '{{.State.Health.Status}} {{with index .State.Health.Log 0}}{{.ExitCode}} {{json .Output}}{{end}}'
unhealthy 127 "/bin/sh: nosuchcommand: not found\n"
$ docker rm -f audh
audh
$ docker create --name audh --no-healthcheck busybox true && docker inspect audh --format '{{json .Config.Healthcheck}} {{json .State.Health}}'
<id>
{"Test":["NONE"]} null
$ docker rm audh
audh
$ docker run --rm --health-cmd true --no-healthcheck busybox true
! docker: --no-healthcheck conflicts with --health-* options
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --health-interval 1us --health-cmd true busybox true
! docker: Error response from daemon: Interval in Healthcheck cannot be less than 1ms
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --health-timeout 1us --health-cmd true busybox true
! docker: Error response from daemon: Timeout in Healthcheck cannot be less than 1ms
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --health-retries -1 --health-cmd true busybox true
! docker: --health-retries cannot be negative
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --health-start-period 1us --health-cmd true busybox true
! docker: Error response from daemon: StartPeriod in Healthcheck cannot be less than 1ms
! 
! Run 'docker run --help' for more information
[125]
