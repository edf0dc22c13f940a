# Namespaces of the host, of another container, and private ones
$ docker run -d --name audj --hostname audhost --ipc shareable busybox sleep 100
<id>
$ docker exec audj sh -c 'for n in ipc net pid uts cgroup mnt; do readlink /proc/1/ns/$n; done' > $DIR/ns
$ for n in ipc net pid; do docker run --rm $(test $n = net && echo --network container:audj || echo --$n container:audj) busybox readlink /proc/self/ns/$n | grep -cf - $DIR/ns; done
0
0
0
[1]
$ docker run --rm --network container:audj busybox hostname
audhost
$ docker run --rm --network container:audj busybox cat /etc/hosts | grep -c audhost
1
$ docker run --rm --pid container:audj busybox sh -c 'tr "\0" " " < /proc/1/cmdline; echo; test $$ -ne 1 && echo joined'
sleep 100
joined
$ docker run --rm --uts host --hostname x busybox true
! docker: Error response from daemon: conflicting options: hostname and the UTS mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network host --hostname x busybox hostname
x
$ docker run --rm --network container:audj --hostname x busybox true
! docker: Error response from daemon: conflicting options: hostname and the network mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network container:audj -p 80 busybox true
! docker: Error response from daemon: conflicting options: port publishing and the container type network mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network container:audj --dns 1.2.3.4 busybox true
! docker: Error response from daemon: conflicting options: dns and the network mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network container:audj --add-host a:1.2.3.4 busybox true
! docker: Error response from daemon: conflicting options: custom host-to-IP mapping and the network mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network container:nosuch busybox true
! docker: Error response from daemon: joining network namespace of container: No such container: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ipc container:nosuch busybox true
! docker: Error response from daemon: No such container: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pid container:nosuch busybox true
! docker: Error response from daemon: No such container: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pid nosuch busybox true
! docker: --pid: invalid PID mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ipc nosuch busybox true
! docker: Error response from daemon: invalid IPC mode: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --uts nosuch busybox true
! docker: --uts: invalid UTS mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --uts container:audj busybox true
! docker: --uts: invalid UTS mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cgroupns nosuch busybox true
! docker: --cgroupns: invalid CGROUP mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --userns nosuch busybox true
! docker: --userns: invalid USER mode
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --userns host busybox cat /proc/self/uid_map | tr -s ' '
 0 0 4294967295
$ docker run --rm --cgroupns private busybox sh -c 'grep pids /proc/self/cgroup | cut -d: -f3'
/
$ docker run --rm --cgroupns host busybox sh -c 'grep pids /proc/self/cgroup | cut -d: -f3'
/docker/<id>
$ docker run --rm --cgroup-parent /audparent busybox sh -c 'grep pids /proc/self/cgroup | cut -d: -f3'
/audparent/<id>
$ docker run --rm --cgroupns private --cgroup-parent /audparent busybox sh -c 'grep pids /proc/self/cgroup | cut -d: -f3'
/
$ docker create --name audj1 --ipc container:audj --pid container:audj --network container:audj busybox true
<id>
$ docker inspect audj1 --format '{{.HostConfig.IpcMode}} {{.HostConfig.PidMode}} {{.HostConfig.NetworkMode}} {{json .NetworkSettings.Networks}} {{json .NetworkSettings.Ports}}'
container:<id> container:<id> container:<id> {} {}
$ docker start -a audj1
$ docker rm audj1
audj1
$ docker run -d --name audj2 --ipc private busybox sleep 100
<id>
$ docker run --rm --ipc container:audj2 busybox true
! docker: Error response from daemon: failed to join IPC namespace: container <id>: non-shareable IPC (hint: use IpcMode:shareable for the donor container)
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ipc none busybox sh -c 'ls -d /dev/shm; grep -c /dev/shm /proc/mounts'
0
! ls: /dev/shm: No such file or directory
[1]
$ docker stop -t 0 audj audj2
audj
audj2
$ docker run --rm --network container:audj busybox true
! docker: Error response from daemon: cannot join network namespace of a non running container: container audj is exited
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pid container:audj busybox true
! docker: Error response from daemon: failed to join PID namespace: container <id> is not running
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ipc container:audj busybox true
! docker: Error response from daemon: failed to join IPC namespace: container <id> is not running
! 
! Run 'docker run --help' for more information
[125]
$ docker rm audj audj2
audj
audj2
# init
$ docker run --rm --init busybox sh -c 'cat /proc/1/comm; tr "\0" " " < /proc/1/cmdline'
docker-init
/sbin/docker-init -- sh -c cat /proc/1/comm; tr "\0" " " < /proc/1/cmdline
$ docker run --rm --init busybox sh -c 'exit 5'
[5]
$ docker run -d --name audi --init busybox sleep 100
<id>
$ docker exec audi ls -l /sbin/docker-init | cut -c1-10
-rwxr-xr-x
$ docker stop audi && docker inspect audi --format '{{.State.ExitCode}} {{.HostConfig.Init}}'
audi
143 true
$ docker rm audi
audi
# Devices
$ docker run --rm --device /dev/loop-control busybox sh -c 'ls -l /dev/loop-control | cut -c1-10; echo > /dev/loop-control' 2>/dev/null
crw-------
[1]
$ docker run --rm --device /dev/null:/dev/audnull busybox sh -c 'echo x > /dev/audnull && ls -l /dev/audnull | cut -c1-10'
crw-rw-rw-
$ docker run --rm --device /dev/zero:/dev/audzero:r busybox sh -c 'head -c 2 /dev/audzero | wc -c; echo x > /dev/audzero'
2
$ docker run --rm --device /dev/nosuch busybox true
! docker: Error response from daemon: error gathering device information while adding custom device "/dev/nosuch": no such file or directory
! 
! Run 'docker run --help' for more information
[127]
$ docker run --rm --device /dev/null:/dev/x:q busybox true
! docker: bad mode specified: q
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --device /dev/null:rel busybox true
! docker: rel is not an absolute path
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --device-cgroup-rule 'c 10:237 rwm' busybox sh -c 'mknod /x c 10 237 && ls -l /x | cut -c1-10'
crw-r--r--
$ docker run --rm --device-cgroup-rule 'nonsense' busybox true
! invalid argument "nonsense" for "--device-cgroup-rule" flag: invalid device cgroup format 'nonsense'
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --gpus all busybox true
! docker: Error response from daemon: could not select device driver "" with capabilities: [[gpu]]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm busybox sh -c 'mknod /x b 7 200 && cat /x'
! cat: can't open '/x': Operation not permitted
[1]
# ulimits, sysctls, limits
$ docker run --rm --ulimit nofile=99:100 --ulimit core=0 --ulimit nproc=200 busybox sh -c 'ulimit -n; ulimit -Hn; ulimit -c; grep processes /proc/self/limits | tr -s " "'
99
100
0
Max processes 200 200 processes
$ docker run --rm --ulimit nosuch=1 busybox true
! invalid argument "nosuch=1" for "--ulimit" flag: invalid ulimit type: nosuch
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ulimit nofile=100:99 busybox true
! invalid argument "nofile=100:99" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: 100 > 99
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --sysctl net.core.somaxconn=77 --sysctl kernel.msgmax=9000 busybox cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax
77
9000
$ docker run --rm --sysctl kernel.nosuch=1 busybox true
! invalid argument "kernel.nosuch=1" for "--sysctl" flag: sysctl 'kernel.nosuch=1' is not allowed
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$! our runtime names the sysctl and not its file: docker run --rm --sysctl net.nosuch=1 busybox true
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: open sysctl net.nosuch file: unsafe procfs detected: openat2 fsmount:fscontext:proc/./sys/net/nosuch: no such file or directory
! 
! Run 'docker run --help' for more information
[127]
$ docker run --rm --sysctl vm.swappiness=1 busybox true
! invalid argument "vm.swappiness=1" for "--sysctl" flag: sysctl 'vm.swappiness=1' is not allowed
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --network host --sysctl net.core.somaxconn=77 busybox true
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: sysctl "net.core.somaxconn" not allowed in host network namespace
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --ipc host --sysctl kernel.msgmax=9000 busybox true
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: sysctl "kernel.msgmax" is not allowed in the hosts ipc namespace
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --oom-score-adj 321 busybox cat /proc/self/oom_score_adj
321
$ docker run --rm --oom-score-adj 3210 busybox true
! docker: Error response from daemon: Invalid value 3210, range for oom score adj is [-1000, 1000]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cpuset-cpus 0 busybox grep Cpus_allowed_list /proc/self/status
Cpus_allowed_list:	0
$ docker run --rm --cpuset-cpus 99 busybox true
! docker: Error response from daemon: Requested CPUs are not available - requested 99, available: 0-1
! 
! Run 'docker run --help' for more information
[125]
$! the smallest share is taken, as Docker did until runc 1.3: docker run --rm --cpu-shares 1 busybox cat /sys/fs/cgroup/cpu/cpu.shares
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: error setting cgroup config for procHooks process: the minimum allowed cpu-shares is 2
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cpu-period 1 busybox true
! docker: Error response from daemon: CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cpu-quota 1 busybox true
! docker: Error response from daemon: CPU cfs quota can not be less than 1ms (i.e. 1000)
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cpus 1 --cpu-quota 1000 busybox true
! docker: Error response from daemon: Conflicting options: Nano CPUs and CPU Quota cannot both be set
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory 64m --memory-swap 32m busybox true
! docker: Error response from daemon: Minimum memoryswap limit should be larger than memory limit, see usage
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory-swap 32m busybox true
! docker: Error response from daemon: You should always set the Memory limit when using Memoryswap limit, see usage
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory 64m --memory-reservation 128m busybox true
! docker: Error response from daemon: Minimum memory limit can not be less than memory reservation limit, see usage
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory-swappiness 200 busybox true
! docker: invalid value: 200. Valid memory swappiness range is 0-100
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pids-limit -1 busybox cat /sys/fs/cgroup/pids/pids.max
max
$! a weight out of range is refused on any kernel: docker run --rm --blkio-weight 5 busybox true
! WARNING: Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.
$ docker run --rm --shm-size 0 busybox sh -c "df -k /dev/shm | tail -n 1 | awk '{print \$2}'"
65536
$ docker run --rm --storage-opt size=1G busybox true
! docker: Error response from daemon: --storage-opt is supported only for overlay over xfs with 'pquota' mount option
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --stop-signal NOSUCH busybox true
! docker: Error response from daemon: invalid signal: NOSUCH
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --runtime nosuch busybox true
! docker: Error response from daemon: unknown or invalid runtime name: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --isolation hyperv busybox true
! docker: Error response from daemon: invalid isolation (hyperv): linux only supports 'default'
! 
! Run 'docker run --help' for more information
[125]
$! in the words of Docker with its containerd image store: docker run --rm --platform linux/nosuch --pull never busybox true
! docker: Error response from daemon: image with reference busybox was found but its platform (linux/amd64) does not match the specified platform (linux/nosuch)
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mac-address nonsense busybox true
! docker: nonsense is not a valid mac address
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --link nosuch busybox true
! docker: Error response from daemon: could not get container for nosuch: No such container: nosuch
! 
! Run 'docker run --help' for more information
[125]
# Security options
$ docker run --rm --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status
Seccomp:	0
$ echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' > $DIR/prof.json; docker run --rm --security-opt seccomp=$DIR/prof.json busybox mkdir /x
! mkdir: can't create directory '/x': Operation not permitted
[1]
$ echo nonsense > $DIR/bad.json; docker run --rm --security-opt seccomp=$DIR/bad.json busybox true
! docker: compacting json for seccomp profile (<dir>/bad.json) failed: invalid character 'o' in literal null (expecting 'u')
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt seccomp=$DIR/missing.json busybox true
! docker: opening seccomp profile (<dir>/missing.json) failed: open <dir>/missing.json: no such file or directory
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt no-new-privileges=false busybox grep NoNewPrivs /proc/self/status
NoNewPrivs:	0
$ docker run --rm --security-opt no-new-privileges:true busybox grep NoNewPrivs /proc/self/status
NoNewPrivs:	1
$ docker run --rm --security-opt no-new-privileges=maybe busybox true
! docker: Error response from daemon: invalid --security-opt 2: "no-new-privileges=maybe"
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt nosuch=1 busybox true
! docker: Error response from daemon: invalid --security-opt 2: "nosuch=1"
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt nosuch busybox true
! docker: Invalid --security-opt: "nosuch"
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt apparmor=unconfined busybox true
$ docker run --rm --security-opt label=disable busybox true
$ docker run --rm --security-opt systempaths=unconfined busybox sh -c 'cut -d" " -f2 /proc/mounts | grep -c ^/proc/'
0
[1]
$ docker run --rm --security-opt writable-cgroups=true busybox sh -c 'grep " /sys/fs/cgroup/pids " /proc/mounts | cut -d" " -f4 | cut -c1-2'
rw
