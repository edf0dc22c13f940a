# Wait conditions, over the API
$ docker create --name audw busybox sh -c 'exit 6'
<id>
$ $CALL POST /containers/audw/wait
200 application/json
{"StatusCode":0}
$ $CALL POST '/containers/audw/wait?condition=not-running'
200 application/json
{"StatusCode":0}
$ ($CALL POST '/containers/audw/wait?condition=next-exit' > $DIR/next; echo done >> $DIR/next) & sleep 1; docker start audw; wait; cat $DIR/next
audw
200 application/json
{"StatusCode":6}
done
$ $CALL POST '/containers/audw/wait?condition=not-running'
200 application/json
{"StatusCode":6}
$ ($CALL POST '/containers/audw/wait?condition=removed' > $DIR/removed) & sleep 1; docker rm audw; wait; cat $DIR/removed
audw
200 application/json
{"StatusCode":6}
$ $CALL POST /containers/nosuch/wait
404 application/json
{"message":"No such container: nosuch"}
$ docker create --name audw busybox true > /dev/null; $CALL POST '/containers/audw/wait?condition=nosuch'; docker rm audw
400 application/json
{"message":"invalid condition: \"nosuch\""}
audw
$ docker wait nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker run -d --name audw --rm busybox sh -c 'sleep 0.5; exit 7'; $CALL POST '/containers/audw/wait?condition=removed'
<id>
200 application/json
{"StatusCode":7}
# Refused requests
$ $CALL POST /containers/create '{"Image":"nosuch:tag"}'
404 application/json
{"message":"No such image: nosuch:tag"}
$ $CALL POST /containers/create '{}'
400 application/json
{"message":"config cannot be empty in order to create a container"}
$ $CALL POST /containers/create 'nonsense'
400 application/json
{"message":"invalid JSON: invalid character 'o' in literal null (expecting 'u')"}
$ $CALL POST /containers/create
400 application/json
{"message":"invalid JSON: got EOF while reading request body"}
$ $CALL POST /containers/create '{"Image":"busybox","HostConfig":{"RestartPolicy":{"Name":"nosuch"}}}'
400 application/json
{"message":"invalid restart policy: unknown policy 'nosuch'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"}
$ $CALL POST '/containers/create?name=-x' '{"Image":"busybox"}'
400 application/json
{"message":"Invalid container name (-x), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"}
$ $CALL POST '/containers/create?name=audw' '{"Image":"busybox","Unknown":1,"hostconfig":{"AUTOREMOVE":true}}'
201 application/json
{"Id":"<id>","Warnings":[]}
$ docker inspect audw --format '{{.HostConfig.AutoRemove}}'; docker rm audw
true
audw
$ $CALL POST /containers/create '{"Image":"busybox","HostConfig":{"Memory":"x"}}'
400 application/json
{"message":"invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64"}
$ $CALL GET /containers/nosuch/json
404 application/json
{"message":"No such container: nosuch"}
$ $CALL GET /nosuch
404 application/json
{"message":"page not found"}
$! an error is JSON, as all others are: $CALL GET /v1.23/version
400 text/plain; charset=utf-8
client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version
$ $CALL GET /v1.99/version
400 application/json
{"message":"client version 1.99 is too new. Maximum supported API version is 1.51"}
$ $CALL GET /v1.24/version | head -n 1
200 application/json
$ $CALL DELETE /containers/json
404 application/json
{"message":"No such container: json"}
$ $CALL POST /containers/nosuch/start
404 application/json
{"message":"No such container: nosuch"}
$! the container is looked for first: $CALL POST /containers/nosuch/stop?t=x
500 application/json
{"message":"strconv.Atoi: parsing \"x\": invalid syntax"}
$! the container is looked for first: $CALL POST /containers/nosuch/kill?signal=x
400 application/json
{"message":"cannot kill container: nosuch: invalid signal: x"}
$! the container is looked for first: $CALL POST /containers/nosuch/resize?h=x
400 application/json
{"message":"invalid resize height \"x\": invalid syntax"}
$! an error is JSON, as all others are: $CALL POST '/containers/nosuch/attach?stream=1&stdout=1'
404 application/vnd.docker.raw-stream
No such container: nosuch
$ $CALL GET /containers/nosuch/logs
400 application/json
{"message":"Bad parameters: you must choose at least one stream"}
$ docker create --name audw busybox true > /dev/null; $CALL GET /containers/audw/logs; $CALL GET '/containers/audw/logs?stdout=1&tail=x'; $CALL POST '/containers/audw/resize?h=10&w=10'; $CALL POST '/containers/audw/start?detachKeys=nosuch'; $CALL GET '/containers/audw/changes'; docker rm audw
400 application/json
{"message":"Bad parameters: you must choose at least one stream"}
200 application/vnd.docker.multiplexed-stream
409 application/json
{"message":"container <id> is not running"}
204
200 application/json
null
audw
$ $CALL POST /exec/nosuch/start '{}'
404 application/json
{"message":"No such exec instance: nosuch"}
$ $CALL GET /exec/nosuch/json
404 application/json
{"message":"No such exec instance: nosuch"}
$ docker run -d --name audw busybox sleep 100
<id>
$ $CALL POST /containers/audw/exec '{}'
400 application/json
{"message":"No exec command specified"}
$ $CALL POST /containers/audw/exec '{"Cmd":["true"]}' | sed 's/.*"Id".*/ID/'
201 application/json
ID
$ $CALL POST /containers/audw/exec '{"Cmd":["sh","-c","exit 9"],"Env":["A=1"],"AttachStdout":true,"Tty":true,"User":"berth","WorkingDir":"/tmp","Privileged":true}' | sed -n 's/.*"Id":"\([^"]*\)".*/\1/p' > $DIR/exec; $CALL GET /exec/$(cat $DIR/exec)/json | tail -n 1 | $KEYS --values 'Process|Running|ExitCode|Can|Open|Detach'
CanRemove: false
ContainerID: string
DetachKeys: ""
ExitCode: null
ID: string
OpenStderr: false
OpenStdin: false
OpenStdout: true
Pid: number
ProcessConfig.arguments[]: "-c"
ProcessConfig.arguments[]: "exit 9"
ProcessConfig.entrypoint: "sh"
ProcessConfig.privileged: true
ProcessConfig.tty: true
ProcessConfig.user: "berth"
Running: false
$ $CALL POST /exec/$(cat $DIR/exec)/start '{"Detach":true}'; sleep 0.5; $CALL GET /exec/$(cat $DIR/exec)/json | tail -n 1 | $KEYS --values 'Process|Running|ExitCode|Can|Open|Detach'
200
CanRemove: false
ContainerID: string
DetachKeys: ""
ExitCode: 9
ID: string
OpenStderr: false
OpenStdin: false
OpenStdout: true
Pid: number
ProcessConfig.arguments[]: "-c"
ProcessConfig.arguments[]: "exit 9"
ProcessConfig.entrypoint: "sh"
ProcessConfig.privileged: true
ProcessConfig.tty: true
ProcessConfig.user: "berth"
Running: false
$ $CALL POST /exec/$(cat $DIR/exec)/start '{"Detach":true}'
409 application/json
{"message":"exec command <id> has already run"}
$! in other words: $CALL POST "/exec/$(cat $DIR/exec)/resize?h=1&w=1"
404 application/json
{"message":"NotFound: process does not exist <id>: not found"}
$ docker inspect audw --format '{{json .ExecIDs}}'
["<id>"]
$ $CALL POST /containers/audw/start; $CALL POST /containers/audw/rename; $CALL POST '/containers/audw/kill?signal=0'; $CALL POST '/containers/audw/update' '{}'; $CALL POST '/containers/audw/unpause'
304
400 application/json
{"message":"Neither old nor new names may be empty"}
400 application/json
{"message":"cannot kill container: audw: invalid signal: 0"}
200 application/json
{"Warnings":null}
500 application/json
{"message":"Container <id> is not paused"}
$ $CALL POST '/containers/audw/stop?t=0'; $CALL POST '/containers/audw/stop?t=0'; $CALL POST '/containers/audw/kill'; $CALL POST '/containers/audw/pause'
204
304
409 application/json
{"message":"cannot kill container: audw: container <id> is not running"}
409 application/json
{"message":"container <id> is not running"}
$ $CALL DELETE '/containers/audw?force=x&v=1'
204
$ $CALL DELETE /containers/audw
404 application/json
{"message":"No such container: audw"}
# Not in a swarm
$ for p in swarm services tasks nodes secrets configs; do $CALL GET /$p; done
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
503 application/json
{"message":"This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again."}
$ $CALL GET /plugins
200 application/json
[]
# Detach keys
$ docker run -d -i -t --name audk busybox sh -c 'echo up; exec cat'
<id>
$ (sleep 0.5; printf '\020\021') | script -qec 'docker attach audk' /dev/null | tr -d '\r'
read escape sequence
$ docker inspect audk --format '{{.State.Running}}'
true
$ (sleep 0.5; printf 'hi\nx') | script -qec 'docker attach --detach-keys x audk' /dev/null | tr -d '\r' | sort -u
read escape sequence
$ (sleep 0.5; printf 'x') | script -qec 'docker exec -it --detach-keys x audk cat' /dev/null | tr -d '\r'
read escape sequence
$ docker attach --detach-keys nosuch audk
! the input device is not a TTY
[1]
$! says which key: docker exec --detach-keys nosuch audk true
! Error response from daemon: Invalid escape keys (nosuch) provided
[1]
$ sleep 1; docker events --since 60s --until 0s --filter container=audk --filter type=container --format '{{.Action}}' | sort | uniq -c | awk '{$1="";print}'
 attach
 create
 exec_create: cat
 exec_start: cat
 resize
 start
$ docker rm -f audk
audk
