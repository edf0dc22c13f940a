$ docker create --name audp1 --label a=1 --label b=two busybox true
<id>
$ docker run --name audp2 --label a=2 busybox sh -c 'exit 3'
[3]
$ docker run -d --name audp3 -p 127.0.0.1:18081:80 -p 127.0.0.1:18082-18083:82-83/udp --expose 90 busybox sleep 100
<id>
$ docker run -d --name audp4 --expose 90-92 --expose 95/udp busybox sleep 100
<id>
$ docker ps --filter name=audp --format '{{.Names}} {{.Ports}}'
audp4 90-92/tcp, 95/udp
audp3 90/tcp, 127.0.0.1:18081->80/tcp, 127.0.0.1:18082->82/udp, 127.0.0.1:18083->83/udp
$ docker ps -a --filter name=audp --format '{{.Names}} {{.Image}} {{.Command}} {{.Status}} {{.State}} {{.Networks}} {{.Labels}} {{.LocalVolumes}} <{{.Mounts}}> {{.RunningFor}}'
audp4 busybox "sleep 100" Up <duration> running bridge  0 <> <duration> ago
audp3 busybox "sleep 100" Up <duration> running bridge  0 <> <duration> ago
audp2 busybox "sh -c 'exit 3'" Exited (3) <duration> ago exited bridge a=2 0 <> <duration> ago
audp1 busybox "true" Created created bridge a=1,b=two 0 <> <duration> ago
$ docker ps -a --filter name=audp3
CONTAINER ID   IMAGE     COMMAND       CREATED        STATUS                  PORTS                                                                               NAMES
<short>   busybox   "sleep 100"   <duration> ago   Up <duration>   90/tcp, 127.0.0.1:18081->80/tcp, 127.0.0.1:18082->82/udp, 127.0.0.1:18083->83/udp   audp3
$ docker ps -a --filter name=audp2 --no-trunc --format 'table {{.ID}}\t{{.Names}}\t{{.Command}}'
CONTAINER ID                                                       NAMES     COMMAND
<id>   audp2     "sh -c 'exit 3'"
$ docker ps -a --filter name=audp --format '{{.Label "a"}}'


2
1
$ docker ps -a --filter name=audp1 --format json | $KEYS --values 'Command|Image|Labels|Names|Networks|Ports|State|Mounts|LocalVolumes'
Command: "\"true\""
CreatedAt: string
ID: string
Image: "busybox"
Labels: "a=1,b=two"
LocalVolumes: "0"
Mounts: ""
Names: "audp1"
Networks: "bridge"
Platform: null
Ports: ""
RunningFor: string
Size: string
State: "created"
Status: string
$ docker ps -a --filter name=audp -n 2 --format '{{.Names}}'
audp4
audp3
$ docker ps --filter name=audp -l --format '{{.Names}}'
audp4
$ docker ps -a --filter name=audp2 -s --format '{{.Size}}' | sed 's/[0-9.]*[kM]*B/N/g'
N (virtual N)
$ docker ps -a --filter name=^audp1$ --format '{{.Names}}'
audp1
$ docker ps -a --filter name=^/audp1$ --format '{{.Names}}'
audp1
$ docker ps -a --filter name=udp2 --format '{{.Names}}'
audp2
$ docker ps -a --filter label=a --format '{{.Names}}'
audp2
audp1
$ docker ps -a --filter label=a=2 --format '{{.Names}}'
audp2
$ docker ps -a --filter label=a=1 --filter label=b=two --format '{{.Names}}'
audp1
$ docker ps -a --filter name=audp --filter exited=3 --format '{{.Names}}'
audp2
$ docker ps -a --filter name=audp --filter exited=x
! Error response from daemon: invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax
[1]
$ docker ps -a --filter name=audp --filter status=created --format '{{.Names}}'
audp1
$ docker ps -a --filter name=audp --filter status=running --filter status=exited --format '{{.Names}}'
audp4
audp3
audp2
$ docker ps -a --filter status=nosuch
! Error response from daemon: invalid filter 'status=nosuch': invalid value for state (nosuch): must be one of created, running, paused, restarting, removing, exited, dead
[1]
$ docker ps -a --filter name=audp --filter before=audp2 --format '{{.Names}}'
audp1
$ docker ps -a --filter name=audp --filter since=audp2 --format '{{.Names}}'
audp4
audp3
$ docker ps -a --filter since=nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker ps -a --filter name=audp --filter ancestor=busybox --format '{{.Names}}'
audp4
audp3
audp2
audp1
$ docker ps -a --filter name=audp --filter ancestor=busybox:latest --format '{{.Names}}'
audp4
audp3
audp2
audp1
$ docker ps -a --filter name=audp --filter ancestor=nosuch --format '{{.Names}}'
$ docker ps -a --filter name=audp --filter network=bridge --format '{{.Names}}'
audp4
audp3
audp2
audp1
$ docker ps -a --filter name=audp --filter network=nosuch --format '{{.Names}}'
$ docker ps -a --filter name=audp --filter publish=80 --format '{{.Names}}'
$ docker ps -a --filter name=audp --filter publish=18081/tcp --format '{{.Names}}'
audp3
$ docker ps -a --filter name=audp --filter expose=90-91/tcp --format '{{.Names}}'
audp4
audp3
$ docker ps -a --filter name=audp --filter expose=95/udp --format '{{.Names}}'
audp4
$ docker ps -a --filter publish=x
! Error response from daemon: error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax
[1]
$ docker ps -a --filter name=audp --filter is-task=true --format '{{.Names}}'
$ docker ps -a --filter is-task=x
! Error response from daemon: invalid filter 'is-task=[x]'
[1]
$ docker ps -a --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker ps -a --filter name=audp --filter isolation=default --format '{{.Names}}'
audp4
audp3
audp2
audp1
$ docker ps -a --filter health=none --filter name=audp --format '{{.Names}}'
audp4
audp3
audp2
audp1
$ docker ps --filter id=$(docker inspect audp3 --format '{{.Id}}' | cut -c1-10) --format '{{.Names}}'
audp3
$ $CALL GET '/containers/json?all=1&limit=1&filters={"name":["audp3"]}' | tail -n 1 | $KEYS --values 'Names|Image$|Command|Labels|Network|Ports|State|Status|Mounts|HostConfig' | grep -v 'Networks.bridge'
[].Command: "sleep 100"
[].Created: number
[].HostConfig.NetworkMode: "bridge"
[].Id: string
[].Image: "busybox"
[].ImageID: string
[].Labels: {}
[].Mounts: []
[].Names[]: "/audp3"
[].Ports[].IP: "127.0.0.1"
[].Ports[].PrivatePort: 80
[].Ports[].PrivatePort: 82
[].Ports[].PrivatePort: 83
[].Ports[].PrivatePort: 90
[].Ports[].PublicPort: 18081
[].Ports[].PublicPort: 18082
[].Ports[].PublicPort: 18083
[].Ports[].Type: "tcp"
[].Ports[].Type: "udp"
[].State: "running"
[].Status: "Up <duration>"
$! sizes are those on disk, where an empty layer has some: $CALL GET '/containers/json?all=1&size=1&filters={"name":["audp2"]}' | tail -n 1 | $KEYS | grep Size
[].SizeRootFs: number
$ $CALL GET '/containers/json?filters=nonsense'
400 application/json
{"message":"invalid filter"}
$! a bad number is the mistake of the client: $CALL GET '/containers/json?limit=x'
500 application/json
{"message":"strconv.Atoi: parsing \"x\": invalid syntax"}
$ $CALL GET '/containers/json?all=1&filters={"name":{"audp2":true}}' | grep -c audp2
1
# Ports
$ docker port audp3
80/tcp -> 127.0.0.1:18081
82/udp -> 127.0.0.1:18082
83/udp -> 127.0.0.1:18083
$ docker port audp3 80
127.0.0.1:18081
$ docker port audp3 82/udp
127.0.0.1:18082
$ docker port audp3 81
! Error: No public port '81' published for audp3
[1]
$ docker port audp4
$ docker port audp2
$ docker port nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker inspect audp3 --format '{{json .NetworkSettings.Ports}} {{json .HostConfig.PortBindings}} {{json .Config.ExposedPorts}}'
{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18081"}],"82/udp":[{"HostIp":"127.0.0.1","HostPort":"18082"}],"83/udp":[{"HostIp":"127.0.0.1","HostPort":"18083"}],"90/tcp":null} {"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18081"}],"82/udp":[{"HostIp":"127.0.0.1","HostPort":"18082"}],"83/udp":[{"HostIp":"127.0.0.1","HostPort":"18083"}]} {"80/tcp":{},"82/udp":{},"83/udp":{},"90/tcp":{}}
$ docker run --rm -p 127.0.0.1:18081:80 busybox true 2>&1 | sed 's/ on endpoint audp\w* (.*): / on endpoint: /;s/endpoint [^ ]* ([0-9a-f<>id]*)/endpoint X/'
docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint X: Bind for 127.0.0.1:18081 failed: port is already allocated

Run 'docker run --help' for more information
$ docker run --rm -p 80:80:80 busybox true
! docker: invalid IP address: 80
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -p 99999:80 busybox true
! docker: invalid hostPort: 99999
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -p 80/nosuch busybox true
! docker: invalid proto: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -p 18090-18092:80-81 busybox true
! docker: invalid ranges specified for container and host Ports: 80-81 and 18090-18092
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -p 1.2.3.4.5:80:80 busybox true
! docker: invalid IP address: 1.2.3.4.5
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -p 18090-18091:80 busybox true
$ docker run -d --name audp5 -p 18094:80 -P --expose 70 busybox sleep 100
<id>
$ docker inspect audp5 --format '{{json .NetworkSettings.Ports}}' | sed 's/"3[0-9]*"/"N"/g'
{"70/tcp":[{"HostIp":"0.0.0.0","HostPort":"N"},{"HostIp":"::","HostPort":"N"}],"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"18094"},{"HostIp":"::","HostPort":"18094"}]}
$ docker ps --filter name=audp5 --format '{{.Ports}}' | sed 's/:3[0-9]*-/:N-/g'
0.0.0.0:N->70/tcp, [::]:N->70/tcp, 0.0.0.0:18094->80/tcp, [::]:18094->80/tcp
# top and stats
$ docker top audp3 -eo pid,args | sed 's/^[0-9 ]*//'
PID                 COMMAND
sleep 100
$ docker top audp3 | awk '{print $1, $NF}' | sed 's/^[0-9 ]*//'
UID CMD
root 100
$ docker top audp3 -o args
! Error response from daemon: Couldn't find PID field in ps output
[1]
$ docker top audp2
! Error response from daemon: container <id> is not running
[1]
$ docker top nosuch
! Error response from daemon: No such container: nosuch
[1]
$ $CALL GET /containers/audp3/top | tail -n 1 | $KEYS --values Titles
Processes[][]: string
Titles[]: "UID"
Titles[]: "PID"
Titles[]: "PPID"
Titles[]: "C"
Titles[]: "STIME"
Titles[]: "TTY"
Titles[]: "TIME"
Titles[]: "CMD"
$ docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.CPUPerc}} {{.MemUsage}}' audp3 | sed 's/[0-9.]*%/N%/;s/[0-9.]*[kKM]iB/N/'
audp3 1 N% N / 23.54GiB
$ docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.CPUPerc}} {{.MemUsage}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}}' audp2
audp2 0 0.00% 0B / 0B 0.00% 0B / 0B 0B / 0B
$ docker stats --no-stream nosuch
! Error response from daemon: No such container: nosuch
[1]
$ $CALL GET '/containers/audp3/stats?stream=0' | tail -n 1 | $KEYS | grep -v blkio_stats
cpu_stats.cpu_usage.percpu_usage[]: number
cpu_stats.cpu_usage.total_usage: number
cpu_stats.cpu_usage.usage_in_kernelmode: number
cpu_stats.cpu_usage.usage_in_usermode: number
cpu_stats.online_cpus: number
cpu_stats.system_cpu_usage: number
cpu_stats.throttling_data.periods: number
cpu_stats.throttling_data.throttled_periods: number
cpu_stats.throttling_data.throttled_time: number
id: string
memory_stats.limit: number
memory_stats.max_usage: number
memory_stats.stats.active_anon: number
memory_stats.stats.active_file: number
memory_stats.stats.cache: number
memory_stats.stats.dirty: number
memory_stats.stats.hierarchical_memory_limit: number
memory_stats.stats.hierarchical_memsw_limit: number
memory_stats.stats.inactive_anon: number
memory_stats.stats.inactive_file: number
memory_stats.stats.mapped_file: number
memory_stats.stats.pgfault: number
memory_stats.stats.pgmajfault: number
memory_stats.stats.pgpgin: number
memory_stats.stats.pgpgout: number
memory_stats.stats.rss: number
memory_stats.stats.rss_huge: number
memory_stats.stats.total_active_anon: number
memory_stats.stats.total_active_file: number
memory_stats.stats.total_cache: number
memory_stats.stats.total_dirty: number
memory_stats.stats.total_inactive_anon: number
memory_stats.stats.total_inactive_file: number
memory_stats.stats.total_mapped_file: number
memory_stats.stats.total_pgfault: number
memory_stats.stats.total_pgmajfault: number
memory_stats.stats.total_pgpgin: number
memory_stats.stats.total_pgpgout: number
memory_stats.stats.total_rss: number
memory_stats.stats.total_rss_huge: number
memory_stats.stats.total_unevictable: number
memory_stats.stats.total_writeback: number
memory_stats.stats.unevictable: number
memory_stats.stats.writeback: number
memory_stats.usage: number
name: string
networks.eth0.rx_bytes: number
networks.eth0.rx_dropped: number
networks.eth0.rx_errors: number
networks.eth0.rx_packets: number
networks.eth0.tx_bytes: number
networks.eth0.tx_dropped: number
networks.eth0.tx_errors: number
networks.eth0.tx_packets: number
num_procs: number
pids_stats.current: number
precpu_stats.cpu_usage.percpu_usage[]: number
precpu_stats.cpu_usage.total_usage: number
precpu_stats.cpu_usage.usage_in_kernelmode: number
precpu_stats.cpu_usage.usage_in_usermode: number
precpu_stats.online_cpus: number
precpu_stats.system_cpu_usage: number
precpu_stats.throttling_data.periods: number
precpu_stats.throttling_data.throttled_periods: number
precpu_stats.throttling_data.throttled_time: number
preread: string
read: string
storage_stats: {}
$ $CALL GET '/containers/audp3/stats?stream=0&one-shot=1' | tail -n 1 | $KEYS --values precpu_stats | grep precpu
precpu_stats.cpu_usage.total_usage: 0
precpu_stats.cpu_usage.usage_in_kernelmode: 0
precpu_stats.cpu_usage.usage_in_usermode: 0
precpu_stats.throttling_data.periods: 0
precpu_stats.throttling_data.throttled_periods: 0
precpu_stats.throttling_data.throttled_time: 0
$ $CALL GET '/containers/audp2/stats?stream=0' | tail -n 1 | $KEYS
blkio_stats.io_merged_recursive: null
blkio_stats.io_queue_recursive: null
blkio_stats.io_service_bytes_recursive: null
blkio_stats.io_service_time_recursive: null
blkio_stats.io_serviced_recursive: null
blkio_stats.io_time_recursive: null
blkio_stats.io_wait_time_recursive: null
blkio_stats.sectors_recursive: null
cpu_stats.cpu_usage.total_usage: number
cpu_stats.cpu_usage.usage_in_kernelmode: number
cpu_stats.cpu_usage.usage_in_usermode: number
cpu_stats.throttling_data.periods: number
cpu_stats.throttling_data.throttled_periods: number
cpu_stats.throttling_data.throttled_time: number
id: string
memory_stats: {}
name: string
num_procs: number
pids_stats: {}
precpu_stats.cpu_usage.total_usage: number
precpu_stats.cpu_usage.usage_in_kernelmode: number
precpu_stats.cpu_usage.usage_in_usermode: number
precpu_stats.throttling_data.periods: number
precpu_stats.throttling_data.throttled_periods: number
precpu_stats.throttling_data.throttled_time: number
preread: string
read: string
storage_stats: {}
$ docker rm -f audp1 audp2 audp3 audp4 audp5
audp1
audp2
audp3
audp4
audp5
