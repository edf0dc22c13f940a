$! our server tells no time at which it was built: docker version --format '{{json .Server}}' | $KEYS --values 'ApiVersion|MinAPI|Os|Arch|Experimental'
ApiVersion: "1.51"
Arch: "amd64"
BuildTime: string
Components[].Details.ApiVersion: "1.51"
Components[].Details.Arch: "amd64"
Components[].Details.BuildTime: string
Components[].Details.Experimental: "false"
Components[].Details.GitCommit: string
Components[].Details.GoVersion: string
Components[].Details.KernelVersion: string
Components[].Details.MinAPIVersion: "1.24"
Components[].Details.Os: "linux"
Components[].Name: string
Components[].Version: string
GitCommit: string
GoVersion: string
KernelVersion: string
MinAPIVersion: "1.24"
Os: "linux"
Platform.Name: string
Version: string
$ $CALL GET /version | tail -n 1 | $KEYS
ApiVersion: string
Arch: string
BuildTime: string
Components[].Details.ApiVersion: string
Components[].Details.Arch: string
Components[].Details.BuildTime: string
Components[].Details.Experimental: string
Components[].Details.GitCommit: string
Components[].Details.GoVersion: string
Components[].Details.KernelVersion: string
Components[].Details.MinAPIVersion: string
Components[].Details.Os: string
Components[].Name: string
Components[].Version: string
GitCommit: string
GoVersion: string
KernelVersion: string
MinAPIVersion: string
Os: string
Platform.Name: string
Version: string
$! no containerd of its own, nftables, and a runtime of another name: $CALL GET /info | tail -n 1 | $KEYS --values 'Driver$|DriverStatus|Limit|Forwarding|OomKill|Cfs|CPU|PidsL|Swarm.Local|Default|Runtimes|InitBin|Logging|CgroupV|OSType|Arch|IndexServer' | grep -vE 'NCPU|RegistryConfig|Commit|Plugins|CDISpec|DiscoveredD|Runtimes'
Architecture: "x86_64"
CPUSet: true
CPUShares: true
CgroupDriver: "cgroupfs"
CgroupVersion: "1"
Containerd.Address: string
Containerd.Namespaces.Containers: string
Containers: number
ContainersPaused: number
ContainersRunning: number
ContainersStopped: number
CpuCfsPeriod: true
CpuCfsQuota: true
Debug: boolean
DefaultRuntime: "runc"
DockerRootDir: string
Driver: "overlay2"
DriverStatus[][]: "Backing Filesystem"
DriverStatus[][]: "extfs"
DriverStatus[][]: "Supports d_type"
DriverStatus[][]: "true"
DriverStatus[][]: "Using metacopy"
DriverStatus[][]: "false"
DriverStatus[][]: "Native Overlay Diff"
DriverStatus[][]: "userxattr"
ExperimentalBuild: boolean
FirewallBackend.Driver: "iptables"
GenericResources: null
HttpProxy: string
HttpsProxy: string
ID: string
IPv4Forwarding: true
Images: number
IndexServerAddress: "https://index.docker.io/v1/"
InitBinary: "docker-init"
Isolation: string
KernelMemoryTCP: boolean
KernelVersion: string
Labels: []
LiveRestoreEnabled: boolean
LoggingDriver: "json-file"
MemTotal: number
MemoryLimit: true
NEventsListener: number
NFd: number
NGoroutines: number
Name: string
NoProxy: string
OSType: "linux"
OSVersion: string
OomKillDisable: true
OperatingSystem: string
PidsLimit: true
SecurityOptions[]: string
ServerVersion: string
SwapLimit: true
Swarm.ControlAvailable: boolean
Swarm.Error: string
Swarm.LocalNodeState: "inactive"
Swarm.NodeAddr: string
Swarm.NodeID: string
Swarm.RemoteManagers: null
SystemTime: string
Warnings: null
$! no containerd of its own, nftables, and a runtime of another name: $CALL GET /info | tail -n 1 | $KEYS | grep -E 'RegistryConfig|Commit|Containerd|Firewall' | grep -v 'runcCommit.*null'
Containerd.Address: string
Containerd.Namespaces.Containers: string
Containerd.Namespaces.Plugins: string
ContainerdCommit.ID: string
FirewallBackend.Driver: string
InitCommit.ID: string
RegistryConfig.IndexConfigs.docker.io.Mirrors: []
RegistryConfig.IndexConfigs.docker.io.Name: string
RegistryConfig.IndexConfigs.docker.io.Official: boolean
RegistryConfig.IndexConfigs.docker.io.Secure: boolean
RegistryConfig.InsecureRegistryCIDRs[]: string
RegistryConfig.Mirrors: null
RuncCommit.ID: string
$ $CALL GET /_ping; $CALL HEAD /_ping
200 text/plain; charset=utf-8
OK200 text/plain; charset=utf-8
$ docker system df --format '{{.Type}}'
Images
Containers
Local Volumes
Build Cache
$ docker system df | head -n 1
TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE
$ docker run --name audd --label aud=sys busybox sh -c 'echo hello > /f'
$ docker volume create --label aud=sys audd
audd
$ $CALL GET '/system/df?type=container' | tail -n 1 | $KEYS | grep -vE 'Networks|HostConfig|Ports|Labels|Mounts'
BuildCache: null
Containers[].Command: string
Containers[].Created: number
Containers[].Id: string
Containers[].Image: string
Containers[].ImageID: string
Containers[].Names[]: string
Containers[].SizeRootFs: number
Containers[].SizeRw: number
Containers[].State: string
Containers[].Status: string
Images: null
LayersSize: number
Volumes: null
$ $CALL GET '/system/df?type=volume' | tail -n 1 | $KEYS | grep -E 'Usage|Volumes..Name|^[^V]'
BuildCache: null
Containers: null
Images: null
LayersSize: number
Volumes[].UsageData.RefCount: number
Volumes[].UsageData.Size: number
$! what images are there is not of this scenario, and descriptors are told as Docker with its containerd image store does: $CALL GET '/system/df?type=image' | tail -n 1 | $KEYS
BuildCache: null
Containers: null
Images[].Containers: number
Images[].Created: number
Images[].Id: string
Images[].Labels: null
Images[].Labels: {}
Images[].Labels.la: string
Images[].ParentId: string
Images[].RepoDigests: null
Images[].RepoTags: null
Images[].RepoTags[]: string
Images[].SharedSize: number
Images[].Size: number
LayersSize: number
Volumes: null
$ $CALL GET '/system/df?type=nosuch'
400 application/json
{"message":"unknown object type: nosuch"}
$! sizes are those on disk, as Docker with its containerd image store tells them: docker system df -v --format '{{range .Containers}}{{if eq .Names "audd"}}{{.Names}} {{.Size}}{{end}}{{end}}'
audd 6B
$! sizes are those on disk: docker container prune -f --filter label=aud=sys | sed 's/^[0-9a-f]*$/ID/'
Deleted Containers:
ID
ID
Total reclaimed space: 6B
$ docker container prune -f --filter label=aud=sys
Total reclaimed space: 0B
$ docker container prune -f --filter until=nosuch
! Error response from daemon: failed to parse value as time or duration: "nosuch"
[1]
$ docker container prune -f --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker volume prune -af --filter label=aud=sys
Deleted Volumes:
audd

Total reclaimed space: 0B
$ docker image prune -f --filter label=aud=sys
Total reclaimed space: 0B
$ docker image prune -f --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ $CALL POST '/containers/prune?filters={"label":["aud=sys"]}'
200 application/json
{"ContainersDeleted":null,"SpaceReclaimed":0}
$ $CALL POST '/volumes/prune?filters={"label":["aud=sys"],"all":["1"]}'
200 application/json
{"VolumesDeleted":[],"SpaceReclaimed":0}
$ $CALL POST '/networks/prune?filters={"label":["aud=sys"]}'
200 application/json
{"NetworksDeleted":null}
$ $CALL POST '/images/prune?filters={"label":["aud=sys"]}'
200 application/json
{"ImagesDeleted":null,"SpaceReclaimed":0}
# Events: filters
$ docker create --name aude --label l=1 --label m=2 busybox true
<id>
$ docker rename aude aude2; docker start aude2 >/dev/null; docker wait aude2; docker rm aude2
0
aude2
$ sleep 1; docker events --since 30s --until 0s --filter container=aude2 --filter type=container --format '{{.Action}}'
rename
start
die
destroy
$ sleep 1; docker events --since 30s --until 0s --filter label=l=1 --filter event=create --format '{{.Action}} {{.Actor.Attributes.l}} {{.Actor.Attributes.m}} {{.Actor.Attributes.image}}'
create 1 2 busybox
$ sleep 1; docker events --since 30s --until 0s --filter label=m=2 --filter event=start --filter event=destroy --format '{{.Action}}'
start
destroy
$ sleep 1; docker events --since 30s --until 0s --filter label=nosuchlabel --format '{{.Action}}'
$ sleep 1; docker events --since 30s --until 0s --filter image=busybox --filter event=create --filter label=l --format '{{.Type}} {{.Scope}} {{.Status}}'
container local create
$ sleep 1; docker events --since 30s --until 0s --filter image=nosuch --format '{{.Action}}'
$ sleep 1; docker events --since 30s --until 0s --filter scope=swarm --format '{{.Action}}'
$ sleep 1; docker events --since 30s --until 0s --filter label=l=1 --filter event=create --format '{{json .}}' | $KEYS --values 'status|from|Type|Action|scope|image|name'
Action: "create"
Actor.Attributes.image: "busybox"
Actor.Attributes.l: string
Actor.Attributes.m: string
Actor.Attributes.name: "aude"
Actor.ID: string
Type: "container"
from: "busybox"
id: string
scope: "local"
status: "create"
time: number
timeNano: number
$ sleep 1; docker events --since 30s --until 0s --filter type=volume --filter volume=audd --format '{{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}'
create audd {"driver":"local"}
destroy audd {"driver":"local"}
$ sleep 1; docker events --since 30s --until 0s --filter type=volume --filter event=prune --format '{{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}' | sort -u | head -n 1
prune  {"reclaimed":"0"}
$ docker events --since nonsense
! failed to parse value as time or duration: "nonsense"
[1]
$ docker events --since 10s --until nonsense
! failed to parse value as time or duration: "nonsense"
[1]
# Logs with attributes
$ docker run --name audl --log-opt labels=a --log-opt env=E --log-opt tag='{{.Name}}' --label a=1 --label b=2 -e E=x busybox sh -c 'echo one; sleep 1.1; echo two'
one
two
$ docker logs --details audl
E=x,a=1,tag=audl one
E=x,a=1,tag=audl two
$ docker logs -t --details audl
<time> E=x,a=1,tag=audl one
<time> E=x,a=1,tag=audl two
$ docker logs --since 0s audl
two
$ docker inspect audl --format '{{.State.FinishedAt}}' > $DIR/t; docker logs --until $(cat $DIR/t) audl; docker logs --since $(cat $DIR/t) audl
one
two
$ docker logs --since $(docker logs -t -n 1 audl | cut -d' ' -f1) audl
two
$ docker logs --until $(docker logs -t -n 1 audl | cut -d' ' -f1) -n 1 audl
two
$ docker logs -n -5 audl; docker logs -n all audl; docker logs -n x audl
one
two
one
two
one
two
$ docker logs -f -n 1 audl
two
$ docker rm audl
audl
$ docker run --name audl --log-driver local --log-opt max-size=1m --log-opt compress=false busybox sh -c 'echo one; echo two'; docker logs audl; docker logs -n 1 -f audl; docker rm audl
one
two
one
two
two
audl
$! log options are refused when the container is made: docker run --rm --log-opt max-size=x busybox true
! docker: Error response from daemon: failed to create task for container: failed to initialize logging driver: invalid size: 'x'
! 
! Run 'docker run --help' for more information
[125]
$! log options are refused when the container is made: docker run --rm --log-opt max-file=0 busybox true
! docker: Error response from daemon: failed to create task for container: failed to initialize logging driver: max-file cannot be less than 1
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-opt max-file=2 busybox true
$ docker run --rm --log-opt mode=nosuch busybox true
! docker: Error response from daemon: logger: logging mode not supported: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-opt max-buffer-size=1m busybox true
! docker: Error response from daemon: logger: max-buffer-size option is only supported with 'mode=non-blocking'
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-driver none --log-opt max-size=1m busybox echo none
! docker: invalid logging opts for driver none
! 
! Run 'docker run --help' for more information
[125]
$! in words that say what is expected: docker run --rm --log-driver syslog --log-opt syslog-address=nonsense busybox true
! docker: Error response from daemon: unsupported scheme: ''
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-driver syslog --log-opt syslog-facility=nosuch busybox true
! docker: Error response from daemon: invalid syslog facility
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-driver syslog --log-opt syslog-format=nosuch busybox true
! docker: Error response from daemon: Invalid syslog format
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-opt mode=non-blocking --log-opt max-buffer-size=64k busybox echo non-blocking
non-blocking
