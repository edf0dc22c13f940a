# The process, its streams and its exit code
$ docker run --rm busybox echo hi
hi
$ docker run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
out
! err
[3]
$ echo in | docker run --rm -i busybox cat
in
$ docker run --rm busybox nosuchcommand
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "nosuchcommand": executable file not found in $PATH
! 
! Run 'docker run --help' for more information
[127]
$ docker run --rm busybox /nosuch/command
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/nosuch/command": stat /nosuch/command: no such file or directory
! 
! Run 'docker run --help' for more information
[127]
$ docker run --rm busybox /etc
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/etc": is a directory: permission denied
! 
! Run 'docker run --help' for more information
[126]
$ docker run --rm busybox /etc/passwd
! docker: Error response from daemon: failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "/etc/passwd": permission denied
! 
! Run 'docker run --help' for more information
[126]
$ docker run --rm busybox sh -c 'kill -9 $$'
$ docker run --rm --entrypoint '' busybox echo cleared
cleared
$ docker run --rm --entrypoint echo busybox a b
a b
$ docker run --rm -w /made/for/it busybox pwd
/made/for/it
$ docker run --rm -w relative busybox pwd
! docker: Error response from daemon: the working directory 'relative' is invalid, it needs to be an absolute path
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm busybox sh -c 'echo $PATH; echo $HOME'
/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
/root
$ docker run --rm -e A=1 -e B busybox env | grep -v HOSTNAME
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
A=1
HOME=/root
$ docker run --rm --hostname box busybox hostname
box
$ docker run --rm --hostname box busybox cat /etc/hostname
box
$ docker run --rm -u berth busybox id
uid=1000(berth) gid=1000(berth) groups=10(wheel),1000(berth)
$ docker run --rm -u 1000:10 busybox id
uid=1000(berth) gid=10(wheel) groups=10(wheel)
$ docker run --rm -u 4242 busybox id
uid=4242 gid=0(root) groups=0(root)
$ docker run --rm -u nosuch busybox id
! docker: Error response from daemon: unable to find user nosuch: no matching entries in passwd file
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -u root:nosuch busybox id
! docker: Error response from daemon: unable to find group nosuch: no matching entries in group file
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --group-add wheel --group-add 77 busybox id
uid=0(root) gid=0(root) groups=0(root),10(wheel),77
$ docker run --rm -t busybox tty
/dev/pts/0
$ docker run --rm -t busybox stty size
stty: standard input
# The default container
$ docker run --rm busybox grep -E '^Cap|^NoNewPrivs|^Seccomp:' /proc/self/status
CapInh:	0000000000000000
CapPrm:	00000000a80425fb
CapEff:	00000000a80425fb
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2
$ docker run --rm -u berth busybox grep -E '^Cap' /proc/self/status
CapInh:	0000000000000000
CapPrm:	0000000000000000
CapEff:	0000000000000000
CapBnd:	00000000a80425fb
CapAmb:	0000000000000000
$ docker run --rm --cap-drop ALL --cap-add CHOWN busybox grep CapEff /proc/self/status
CapEff:	0000000000000001
$ docker run --rm --cap-add SYS_ADMIN busybox grep CapEff /proc/self/status
CapEff:	00000000a82425fb
$ docker run --rm --cap-add nosuch busybox true
! docker: Error response from daemon: invalid CapAdd: unknown capability: "CAP_NOSUCH"
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
NoNewPrivs:	1
$ docker run --rm busybox ls -l /dev | awk '{print $1, $3, $4, $5, $6, $NF}' | sed 's/ [A-Z][a-z][a-z] / /'
total     0
lrwxrwxrwx root root 13 /proc/self/fd
crw-rw-rw- root root 1, 7 full
drwxrwxrwt root root 40 mqueue
crw-rw-rw- root root 1, 3 null
lrwxrwxrwx root root 8 pts/ptmx
drwxr-xr-x root root 0 pts
crw-rw-rw- root root 1, 8 random
drwxrwxrwt root root 40 shm
lrwxrwxrwx root root 15 /proc/self/fd/2
lrwxrwxrwx root root 15 /proc/self/fd/0
lrwxrwxrwx root root 15 /proc/self/fd/1
crw-rw-rw- root root 5, 0 tty
crw-rw-rw- root root 1, 9 urandom
crw-rw-rw- root root 1, 5 zero
$ docker run --rm -t busybox ls -l /dev/console | cut -c1-20
crw--w----    1 root
$ docker run --rm busybox sh -c "cut -d' ' -f2 /proc/mounts | grep -v ^/sys/fs/cgroup | sort"
/
/dev
/dev/mqueue
/dev/pts
/dev/shm
/etc/hostname
/etc/hosts
/etc/resolv.conf
/proc
/proc/acpi
/proc/bus
/proc/fs
/proc/interrupts
/proc/irq
/proc/keys
/proc/sys
/proc/timer_list
/sys
/sys/firmware
$ docker run --rm busybox sh -c "grep -E ' (/proc|/dev|/sys|/dev/shm|/dev/pts|/dev/mqueue) ' /proc/mounts | cut -d' ' -f2-4 | sed 's/,size.*//;s/,inode.*//'"
/proc proc rw,nosuid,nodev,noexec,relatime
/dev tmpfs rw,nosuid
/dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666
/sys sysfs ro,nosuid,nodev,noexec,relatime
/dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime
/dev/shm tmpfs rw,nosuid,nodev,noexec,relatime
$ docker run --rm busybox cat /proc/kcore
! cat: can't open '/proc/kcore': No such file or directory
[1]
$ docker run --rm busybox sh -c 'echo 1 > /proc/sys/kernel/core_pattern'
! sh: can't create /proc/sys/kernel/core_pattern: Read-only file system
[1]
$ docker run --rm busybox cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range
0
0	2147483647
$ docker run --rm busybox ls -A /
.dockerenv
bin
dev
etc
home
proc
root
sys
tmp
usr
var
$ docker run --rm busybox sh -c 'cat /etc/hosts | sed "s/	.*//"'
127.0.0.1
::1
fe00::
ff00::
ff02::1
ff02::2
<ip>
$ docker run --rm busybox sh -c 'ulimit -c; cat /proc/self/oom_score_adj; umask'
0
0
0022
$ docker run --rm busybox unshare -m true
! unshare: unshare(0x20000): Operation not permitted
[1]
$ docker run --rm busybox mount -t tmpfs none /tmp
! mount: permission denied (are you root?)
[1]
$ docker run --rm busybox ip -o link | awk '{print $2}'
lo:
eth0@if<n>:
$ docker run --rm busybox sh -c 'ip -4 -o addr show dev eth0 | grep -c 172 ; ip route | grep -c default' >/dev/null
# Options
$ docker run --rm --read-only busybox touch /x
! touch: /x: Read-only file system
[1]
$ docker run --rm --read-only busybox sh -c 'touch /dev/shm/x && echo shm is writable'
shm is writable
$ docker run --rm --tmpfs /scratch:size=1m busybox sh -c "grep scratch /proc/mounts | cut -d' ' -f1-4"
tmpfs /scratch tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k
$ docker run --rm --privileged busybox sh -c 'grep CapBnd /proc/self/status >/dev/null && mount -t tmpfs none /tmp && echo mounted'
mounted
$ docker run --rm --network none busybox ip -o link | awk '{print $2}'
lo:
$ docker run --rm --network host busybox sh -c 'test -d /sys/class/net/lo && echo host'
host
$ docker run --rm --network nosuch busybox true
! docker: Error response from daemon: failed to set up container networking: network nosuch not found
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory 64m busybox sh -c 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
67108864
$ docker run --rm --memory 1m busybox true
! docker: Error response from daemon: Minimum memory limit allowed is 6MB
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --memory nonsense busybox true
! invalid argument "nonsense" for "-m, --memory" flag: invalid size: 'nonsense'
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --cpus 0.5 busybox sh -c 'cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us'
50000
100000
$ docker run --rm --cpus 1000 busybox true
! docker: Error response from daemon: range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pids-limit 17 busybox cat /sys/fs/cgroup/pids/pids.max
17
$ docker run --rm --init busybox sh -c 'cat /proc/1/comm'
docker-init
$ docker run --rm --shm-size 8m busybox sh -c "df -k /dev/shm | tail -n 1 | awk '{print \$2}'"
8192
$ docker run --rm --sysctl net.ipv4.ip_forward=0 busybox cat /proc/sys/net/ipv4/ip_forward
0
$ docker run --rm --ulimit nofile=99:100 busybox sh -c 'ulimit -n; ulimit -Hn'
99
100
$ mkdir $DIR/bound && echo hello > $DIR/bound/file && docker run --rm -v $DIR/bound:/mnt busybox cat /mnt/file
hello
$ docker run --rm -v $DIR/bound:/mnt:ro busybox touch /mnt/x
! touch: /mnt/x: Read-only file system
[1]
$ docker run --rm -v $DIR/bound/file:/etc/one busybox cat /etc/one
hello
$ docker run --rm -v $DIR/bound:relative busybox true
! docker: Error response from daemon: invalid volume specification: '<dir>/bound:relative': invalid mount config for type "bind": invalid mount path: 'relative' mount path must be absolute
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,source=$DIR/missing,target=/mnt busybox true
! docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: <dir>/missing
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v $DIR/bound:/mnt:badopt busybox true
! docker: Error response from daemon: invalid mode: badopt
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --pid host busybox sh -c 'test $$ -ne 1 && echo host pids'
host pids
$ docker run --rm --ipc host busybox true
$ docker run --rm --uts host busybox true
# What is refused
$ docker run --rm --pull never nosuchimage:tag true
! docker: Error response from daemon: No such image: nosuchimage:tag
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm UPPER true
! docker: invalid reference format: repository name (library/UPPER) must be lowercase
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --name '-bad' busybox true
! docker: Error response from daemon: Invalid container name (-bad), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --restart always busybox true
! docker: conflicting options: cannot specify both --restart and --rm
! 
! Run 'docker run --help' for more information
[125]
$ docker run -d --name run-one busybox sleep 100
<id>
$ docker run -d --name run-one busybox sleep 100
! docker: Error response from daemon: Conflict. The container name "/run-one" is already in use by container "<id>". You have to remove (or rename) that container to be able to reuse that name.
! 
! Run 'docker run --help' for more information
[125]
$ docker rm -f run-one
run-one
