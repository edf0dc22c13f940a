# The whole of a container as inspect shows it: paths and types, and the values of what was asked for and of the defaults
$ docker create --name audin busybox true
<id>
$ docker inspect audin | $KEYS --values '^\[\]\.(HostConfig|Config|Platform|Driver|RestartCount|Path|Args|MountLabel|ProcessLabel|AppArmorProfile|Name|Image)' | grep -vE 'Hostname:|CpusetMems'
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker inspect -s audin | $KEYS | grep Size
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker start -a audin
$ docker inspect audin | $KEYS --values 'State.(Status|Running|Paused|Restarting|OOMKilled|Dead|Pid|ExitCode|Error)|NetworkSettings.(Ports|Sandbox|Link|Hairpin|Sec)|DriverOpts|Aliases|Links|DNSNames' | grep -E 'State|NetworkS|GraphDriver|LogPath|Path'
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker rm audin
audin
$ docker run -d --name audin2 busybox sleep 100
<id>
$ docker inspect audin2 | $KEYS --values 'Bridge|GlobalIPv6|IPPrefix' | grep NetworkSettings
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker inspect audin2 --format '{{.NetworkSettings.IPAddress}}' | tr -d '0-9'
...
$ docker inspect audin2 --format '{{json .Config.Hostname}} {{json .Config.Domainname}} {{.HostnamePath}} {{.LogPath}}' | sed 's|[^ ]*/containers|containers|g'
"<short>" "" containers/<id>/hostname containers/<id>/<id>-json.log
$ docker inspect --type image audin2
[]
! Error response from daemon: No such image: audin2:latest
[1]
$ docker inspect --type nosuch audin2
! unknown type: "nosuch": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"
[1]
$ docker inspect --type container audin2 --format '{{.Name}} {{.Path}} {{.Args}} {{.Driver}} {{.Platform}}'
/audin2 sleep [100] overlay2 linux
$ docker inspect audin2 --format '{{.Nosuch}}'

! template parsing error: template: :1:2: executing "" at <.Nosuch>: map has no entry for key "Nosuch"
[1]
$ docker inspect audin2 --format '{{nosuch .Name}}'
! template parsing error: template: :1: function "nosuch" not defined
[64]
$ docker inspect audin2 --format '{{.Name | upper}} {{join .Args ","}} {{json .Mounts}} {{len .Args}} {{title "abc"}} {{split .Path "e"}} {{println .Path}}'
/AUDIN2 100 [] 1 Abc [sl  p] sleep

$ docker rm -f audin2
audin2
# Everything asked for
$ docker create --name audin3 --hostname h --domainname d.e --add-host a:1.2.3.4 --dns 8.8.8.8 --dns-search s --dns-option ndots:2 --cap-add SYS_PTRACE --cap-drop CHOWN --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --memory 64m --memory-reservation 32m --memory-swap 128m --memory-swappiness 10 --oom-score-adj 100 --oom-kill-disable --pids-limit 99 --blkio-weight 300 --device /dev/null:/dev/mynull:r --device-cgroup-rule 'c 1:3 rwm' --device-read-bps /dev/null:1mb --group-add 5 --init --ipc private --pid host --uts host --cgroupns host --userns host --label x=y --annotation an=no --log-driver local --log-opt max-size=1m --network none --privileged --read-only --restart on-failure:3 --runtime runc --security-opt no-new-privileges --shm-size 1m --stop-signal USR1 --stop-timeout 7 --storage-opt size=1G --sysctl kernel.shm_rmid_forced=1 --tmpfs /t --ulimit nofile=10:20 -e A=B -i -t -w /w -u 1:2 --expose 90/udp --entrypoint /e --mac-address 02:42:ac:11:00:99 busybox a b 2>&1 | sed 's/.*daemon: //'
conflicting options: hostname and the UTS mode
$ docker create --name audin3 --hostname h --domainname d.e --add-host a:1.2.3.4 --dns 8.8.8.8 --dns-search s --dns-option ndots:2 --cap-add SYS_PTRACE --cap-drop CHOWN --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --memory 64m --memory-reservation 32m --memory-swap 128m --memory-swappiness 10 --oom-score-adj 100 --oom-kill-disable --pids-limit 99 --device /dev/null:/dev/mynull:r --device-cgroup-rule 'c 1:3 rwm' --group-add 5 --init --ipc private --pid host --cgroupns host --userns host --label x=y --annotation an=no --log-driver local --log-opt max-size=1m --restart on-failure:3 --runtime runc --security-opt no-new-privileges --security-opt seccomp=unconfined --shm-size 1m --stop-signal USR1 --stop-timeout 7 --tmpfs /t --ulimit nofile=10:20 -e A=B -i -t -w /w -u 1:2 --expose 90/udp -p 127.0.0.1::91 -p 92-93:92-93/udp --entrypoint /e --mac-address 02:42:ac:11:00:99 --health-cmd 'true x' --health-interval 5s --health-retries 2 busybox a b
<id>
$ docker inspect audin3 | $KEYS --values '^\[\]\.(HostConfig|Config|Path|Args|Name)' | grep -v CpusetMems
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker inspect audin3 | $KEYS --values . | grep NetworkS
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker inspect audin3 --format '{{range .NetworkSettings.Networks}}{{json .}}{{end}}' | $KEYS --values .
Aliases: null
DNSNames: null
DriverOpts: null
EndpointID: ""
Gateway: ""
GlobalIPv6Address: ""
GlobalIPv6PrefixLen: 0
GwPriority: 0
IPAMConfig: null
IPAddress: ""
IPPrefixLen: 0
IPv6Gateway: ""
Links: null
MacAddress: "<mac>"
NetworkID: ""
$ docker rm audin3
audin3
$ docker create --name audin4 --network none --uts host --privileged --restart always busybox
<id>
$ docker inspect audin4 | $KEYS --values . | grep -E 'Privileged|UTS|Security|Masked|Readonly|Cap|Restart|NetworkMode|Networks'
! <anonymous_script>:1
! [
! 
! SyntaxError: Unexpected end of JSON input
!     at JSON.parse (<anonymous>)
!     at file:///work/main/test/differential/key-paths.ts:25:40
!     at process.processTicksAndRejections (node:internal/process/task_queues:104:5)
! 
! Node.js v24.21.0
[1]
$ docker rm audin4
audin4
