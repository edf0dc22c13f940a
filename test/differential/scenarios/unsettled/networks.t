$ docker network create audn
<id>
$ docker network create audn
! Error response from daemon: network with name audn already exists
[1]
$ docker network create --subnet 10.251.0.0/24 --ip-range 10.251.0.128/25 --gateway 10.251.0.5 --aux-address h=10.251.0.9 --label a=1 --opt com.docker.network.bridge.name=audbr1 --opt com.docker.network.driver.mtu=1400 --internal --attachable audm
<id>
$ docker network inspect audn | $KEYS --values 'Name|Scope|Driver|Enable|Internal|Attach|Ingress|Config|Options|Labels|Containers' | grep -vE 'Subnet|Gateway'
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
$ docker network inspect audm | $KEYS --values 'Name|Scope|Driver|Enable|Internal|Attach|Ingress|Config|Options|Labels|Containers'
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
$ docker network inspect bridge | $KEYS --values 'Name|Scope|Driver|Enable|Internal|Attach|Ingress|Labels' | grep -vE 'Options|Containers'
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
$ docker network inspect host | $KEYS --values . | grep -v Created
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
$ docker network inspect none | $KEYS --values . | grep -v Created
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
$ docker network inspect nosuch
[]
! Error response from daemon: network nosuch not found
[1]
$ docker network ls --filter name=aud --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPv6}} {{.Internal}} {{.Labels}}'
audm bridge local false true a=1
audn bridge local false false
$ docker network ls --filter name=aud --format json | $KEYS
CreatedAt: string
Driver: string
ID: string
IPv4: string
IPv6: string
Internal: string
Labels: string
Name: string
Scope: string
CreatedAt: string
Driver: string
ID: string
IPv4: string
IPv6: string
Internal: string
Labels: string
Name: string
Scope: string
$ docker network ls --filter driver=host --format '{{.Name}}'
host
$ docker network ls --filter type=builtin --format '{{.Name}}' | sort
bridge
host
none
$ docker network ls --filter label=a=1 --format '{{.Name}}'
audm
$ docker network ls --filter scope=local --filter name=audn --format '{{.Name}}'
audn
$ docker network ls --filter dangling=true --filter name=aud --format '{{.Name}}'
audm
audn
$ docker network ls --filter type=nosuch
! Error response from daemon: invalid filter: 'type'='nosuch'
[1]
$ docker network ls --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker run -d --name auda --network audn --network-alias al busybox sleep 100
<id>
$ docker run --rm --network audn busybox ping -c 1 -W 2 auda | grep -c '1 packets received'
1
$ docker run --rm --network audn busybox sh -c 'nslookup al 2>&1 | grep -c "Name:"; cat /etc/resolv.conf | grep -v ^#' | sed 's/^search.*//'
1

nameserver 127.0.0.11
options ndots:0

$ docker network inspect audn --format '{{json .Containers}}' | $KEYS --values Name | sed 's/^<id>/ID/'
<id>.EndpointID: string
<id>.IPv4Address: string
<id>.IPv6Address: string
<id>.MacAddress: string
<id>.Name: "auda"
$ docker inspect auda --format '{{json .NetworkSettings.Networks}}' | $KEYS --values 'Aliases|DNSNames|Links|Driver|Gateway6|IPAM|GwPri'
audn.Aliases[]: "al"
audn.DNSNames[]: "auda"
audn.DNSNames[]: "al"
audn.DNSNames[]: "<short>"
audn.DriverOpts: null
audn.EndpointID: string
audn.Gateway: string
audn.GlobalIPv6Address: string
audn.GlobalIPv6PrefixLen: number
audn.GwPriority: 0
audn.IPAMConfig: null
audn.IPAddress: string
audn.IPPrefixLen: number
audn.IPv6Gateway: string
audn.Links: null
audn.MacAddress: string
audn.NetworkID: string
$ docker inspect auda --format '{{json .NetworkSettings.IPAddress}} {{json .NetworkSettings.Gateway}} {{json .NetworkSettings.MacAddress}}'
"" "" ""
$ docker network connect audm auda --ip 10.251.0.140 --alias other
$ docker inspect auda --format '{{json .NetworkSettings.Networks.audm}}' | $KEYS --values 'Aliases|DNSNames|IPAM|IPAddress|Gateway|PrefixLen'
Aliases[]: "other"
DNSNames[]: "auda"
DNSNames[]: "other"
DNSNames[]: "<short>"
DriverOpts: {}
EndpointID: string
Gateway: ""
GlobalIPv6Address: string
GlobalIPv6PrefixLen: 0
GwPriority: number
IPAMConfig.IPv4Address: "<ip>"
IPAddress: "<ip>"
IPPrefixLen: 24
IPv6Gateway: ""
Links: null
MacAddress: string
NetworkID: string
$ docker exec auda ip -o -4 addr | awk '{print $2}'
lo
eth0
eth1
$ docker network connect audm auda
! Error response from daemon: endpoint with name auda already exists in network audm
[1]
$ docker network connect nosuch auda
! Error response from daemon: network nosuch not found
[1]
$ docker network connect audn nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker network connect host auda
! Error response from daemon: cannot connect container to host network - container must be created in host network mode
[1]
$ docker network connect --ip 10.251.0.140 audm auda
! Error response from daemon: endpoint with name auda already exists in network audm
[1]
$ docker network rm audm 2>&1 | sed 's/id [0-9a-f]*/id X/'
Error response from daemon: error while removing network: network audm has active endpoints (name:"auda" id:"<short>")
exit status 1
$ docker network disconnect audm auda
$ docker network disconnect audm auda
! Error response from daemon: container <id> is not connected to network audm
[1]
$ docker network disconnect nosuch auda
! Error response from daemon: network nosuch not found
[1]
$ docker network disconnect -f audn nosuch
! Error response from daemon: endpoint nosuch not found
[1]
$ docker exec auda ip -o -4 addr | awk '{print $2}'
lo
eth0
$ docker create --name audb busybox true; docker network connect audm audb; docker inspect audb --format '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}'
<id>
audm bridge
$ docker network disconnect bridge audb; docker inspect audb --format '{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}{{.HostConfig.NetworkMode}}'
audm bridge
$ docker start -a audb; docker rm audb
audb
$ docker run --rm --network audm --ip 10.251.0.200 busybox sh -c 'ip -o -4 addr show eth0 | awk "{print \$4}"; ip route | grep -c default; cat /sys/class/net/eth0/mtu'
<ip>/24
0
1400
$ docker run --rm --network audm --ip 10.252.0.200 busybox true 2>&1 | sed 's/.*daemon/daemon/'
daemon: invalid config for network audm: invalid endpoint settings:
no configured subnet or ip-range contain the IP address <ip>

Run 'docker run --help' for more information
$ docker run --rm --network audm --ip 10.251.0.9 busybox true 2>&1 | sed 's/.*daemon/daemon/'
daemon: failed to set up container networking: Address already in use

Run 'docker run --help' for more information
$ docker run --rm --network bridge --ip 172.17.0.99 busybox true
! docker: Error response from daemon: invalid config for network bridge: invalid endpoint settings:
! * user specified IP address is supported on user defined networks only
! * user specified IP address is supported only when connecting to networks with user configured subnets
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network audn --ip 172.17.0.99 busybox true 2>&1 | sed 's/.*daemon/daemon/'
daemon: invalid config for network audn: invalid endpoint settings:
user specified IP address is supported only when connecting to networks with user configured subnets

Run 'docker run --help' for more information
$ docker run --rm --network bridge --network-alias x busybox true
! docker: network-scoped aliases are only supported for user-defined networks
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network audn --network audm busybox sh -c 'ip -o -4 addr | awk "{print \$2}"'
lo
eth0
eth1
$ docker run --rm --network name=audn,alias=z,mac-address=02:42:00:00:00:07 busybox cat /sys/class/net/eth0/address | tr 0-9a-f x
xx:xx:xx:xx:xx:xx
$ docker run --rm --network name=audn,nosuch=z busybox true
! invalid argument "name=audn,nosuch=z" for "--network" flag: invalid field key nosuch
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network host --network audn busybox true
! docker: conflicting options: cannot attach both user-defined and non-user-defined network-modes
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network none --network audn busybox true
! docker: conflicting options: cannot attach both user-defined and non-user-defined network-modes
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --link auda:linked busybox true
! docker: Error response from daemon: container <id> not attached to default bridge network
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network audn --link auda:linked busybox ping -c 1 -W 2 linked | grep -c '1 packets received'
1
# What is refused
$! says with what it overlaps: docker network create --subnet 10.251.0.0/24 audz
! Error response from daemon: invalid pool request: Pool overlaps with other one on this address space
[1]
$ docker network create --subnet nonsense audz
! Error response from daemon: invalid network config:
! invalid subnet nonsense: invalid CIDR block notation
[1]
$ docker network create --subnet 10.250.0.1/24 audz
! Error response from daemon: invalid network config:
! invalid subnet <ip>/24: it should be <ip>/24
[1]
$ docker network create --gateway 10.250.0.1 audz
! every ip-range or gateway must have a corresponding subnet
[1]
$ docker network create --subnet 10.250.0.0/24 --gateway 10.249.0.1 audz
! no matching subnet for gateway <ip>
[1]
$ docker network create --subnet 10.250.0.0/24 --ip-range 10.249.0.0/25 audz
! no matching subnet for range <ip>/25
[1]
$ docker network create --driver nosuch audz
! Error response from daemon: plugin "nosuch" not found
[1]
$ docker network create --driver host audz
! Error response from daemon: only one instance of "host" network is allowed
[1]
$ docker network create --driver overlay audz
! Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.
[1]
$ docker network create bridge
! Error response from daemon: operation is not permitted on predefined bridge network
[1]
$ docker network create host
! Error response from daemon: operation is not permitted on predefined host network
[1]
$ docker network create ''
! Error response from daemon: invalid name: name is empty
[1]
$ docker network create 'bad name'; docker network rm 'bad name'
<id>
bad name
$! says what is wrong: docker network create --opt com.docker.network.bridge.name=waytoolonganame0 audz
! Error response from daemon: numerical result out of range
[1]
$ docker network create --ipv6 --subnet fd00:aud::/64 audz
! Error response from daemon: invalid network config:
! invalid subnet fd00:aud::/64: invalid CIDR block notation
[1]
$ docker network create --opt com.docker.network.bridge.enable_icc=maybe audz
! Error response from daemon: failed to parse com.docker.network.bridge.enable_icc value: maybe (strconv.ParseBool: parsing "maybe": invalid syntax)
[1]
$ docker network rm bridge
! Error response from daemon: bridge is a pre-defined network and cannot be removed
! exit status 1
[1]
$ docker network rm nosuch
! Error response from daemon: network nosuch not found
! exit status 1
[1]
$ docker network rm -f nosuch
$ docker network rm audn 2>&1 | sed 's/id [0-9a-f]*/id X/'
Error response from daemon: error while removing network: network audn has active endpoints (name:"auda" id:"<short>")
exit status 1
$ docker stop -t 0 auda; docker network rm audn; docker start auda 2>&1 | sed 's/network [^ ]* not/network X not/'
auda
audn
Error response from daemon: failed to set up container networking: network X not found
Error: failed to start containers: auda
$ docker rm -f auda
auda
$ docker network create --label aud=p audq; docker network prune -f --filter label=aud=p
<id>
Deleted Networks:
audq

$ docker network prune -f --filter label=aud=p
$ docker network prune -f --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker network rm audm
audm
$ sleep 1; docker events --since 90s --until 0s --filter type=network --filter network=audq --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'
create audq bridge
destroy audq bridge
# Without a client's checks
$ $CALL POST /networks/create '{"Name":"audz","Driver":"bridge","CheckDuplicate":true,"IPAM":{"Driver":"nosuch"}}'
404 application/json
{"message":"plugin \"nosuch\" not found"}
$ $CALL POST /networks/create '{}'
400 application/json
{"message":"invalid name: name is empty"}
$ $CALL GET /networks/nosuch
404 application/json
{"message":"network nosuch not found"}
$ $CALL DELETE /networks/nosuch
404 application/json
{"message":"network nosuch not found"}
$ $CALL POST /networks/bridge/connect '{}'
400 application/json
{"message":"invalid name or ID supplied: \"\""}
$ $CALL GET '/networks?filters={"name":["^none$"]}' | tail -n 1 | $KEYS
[].Attachable: boolean
[].ConfigFrom.Network: string
[].ConfigOnly: boolean
[].Containers: {}
[].Created: string
[].Driver: string
[].EnableIPv4: boolean
[].EnableIPv6: boolean
[].IPAM.Config: null
[].IPAM.Driver: string
[].IPAM.Options: null
[].Id: string
[].Ingress: boolean
[].Internal: boolean
[].Labels: {}
[].Name: string
[].Options: {}
[].Scope: string
