# Named volumes
$ docker volume create audv
audv
$ docker volume create audv
audv
$ docker volume create --label a=1 --label b=2 --opt type=tmpfs --opt device=tmpfs --opt o=size=1m,uid=1000 audt
audt
$ docker volume create --driver nosuch audx
! Error response from daemon: create audx: error looking up volume plugin nosuch: plugin "nosuch" not found
[1]
$ docker volume create 'bad/name'
! Error response from daemon: create bad/name: "bad/name" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
[1]
$ docker volume create x
! Error response from daemon: create x: volume name is too short, names should be at least two alphanumeric characters
[1]
$ docker volume create --opt nosuch=1 audx
! Error response from daemon: create audx: invalid option: "nosuch"
[1]
$ docker volume create --opt type=tmpfs audx
! Error response from daemon: create audx: missing required option: "device"
[1]
$ docker volume ls --filter name=aud --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Label "a"}}' | sort
audt local local 1
audv local local
$ docker volume ls --filter label=a=1 --format '{{.Name}}'
audt
$ docker volume ls --filter name=audt
DRIVER    VOLUME NAME
local     audt
$ docker volume ls --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker volume inspect audv | $KEYS --values 'Driver|Name|Scope|Labels'
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
$ docker volume inspect audv --format '{{.Mountpoint}}' | sed 's/.*volumes/volumes/'
volumes/audv/_data
$ docker volume inspect audt --format '{{json .Options}} {{json .Labels}}'
{"device":"tmpfs","o":"size=1m,uid=1000","type":"tmpfs"} {"a":"1","b":"2"}
$ docker volume inspect nosuch
[]
! Error response from daemon: get nosuch: no such volume
[1]
$ docker volume rm nosuch
! Error response from daemon: get nosuch: no such volume
[1]
$ docker volume rm -f nosuch
nosuch
# Data and mounts
$ docker run --rm -v audv:/data busybox sh -c 'echo kept > /data/f; ls -ld /data | cut -d" " -f1; ls -A /data'
drwxr-xr-x
f
$ docker run --rm -v audv:/data busybox cat /data/f
kept
$ docker run --rm -v audv:/data:ro busybox sh -c 'cat /data/f; touch /data/g'
kept
! touch: /data/g: Read-only file system
[1]
$ docker run --rm -v audt:/data busybox sh -c 'grep " /data " /proc/mounts | cut -d" " -f1-3; df -k /data | tail -n 1 | awk "{print \$2}"; stat -c %u /data'
tmpfs /data tmpfs
1024
1000
$ docker run --rm --mount type=volume,source=audv,target=/data,readonly busybox touch /data/x
! touch: /data/x: Read-only file system
[1]
$ docker run --rm --mount type=volume,src=audv,dst=/data,volume-nocopy busybox cat /data/f
kept
$ docker run --rm --mount type=volume,src=audv,dst=/data,volume-subpath=f busybox cat /data
kept
$ docker run --rm --mount type=volume,src=audv,dst=/data,volume-subpath=nosuch busybox cat /data 2>&1 | sed 's|/[^ ]*/volumes/|/volumes/|g'
docker: Error response from daemon: cannot access path /volumes/audv/_data/nosuch: lstat /volumes/audv/_data/nosuch: no such file or directory

Run 'docker run --help' for more information
$ docker run --rm --mount type=volume,src=audv,dst=/data,volume-subpath=../x busybox cat /data
! docker: Error response from daemon: invalid mount config for type "volume": subpath must be a relative path within the volume
! 
! Run 'docker run --help' for more information
[125]
# What the image holds is copied into an empty volume, with its owner
$ docker run --rm -v audhome:/home busybox sh -c 'stat -c "%U %n" /home/*'
root /home/berth
$ docker run --rm -v audhome:/mnt busybox sh -c 'stat -c "%u %n" /mnt/*'
0 /mnt/berth
$ docker run --rm -v audbare:/home:nocopy busybox ls -A /home
$ docker run --rm -v audowner:/home/berth busybox stat -c '%U %a' /home/berth
root 755
$ docker run --rm -v audv:/home busybox ls -A /home
f
$ docker run --rm -v audnew:/made/for/it busybox sh -c 'stat -c "%U %a" /made/for/it; ls -A /made/for/it'
root 755
# Anonymous volumes go with --rm and rm -v
$ docker run -d --name auda -v /anon busybox sleep 100
<id>
$ docker inspect auda --format '{{range .Mounts}}{{.Type}} {{len .Name}} {{.Destination}} {{.Driver}} {{.RW}} <{{.Mode}}> <{{.Propagation}}>{{end}} {{.Config.Volumes}}'
volume 64 /anon local true <> <> map[/anon:{}]
$ docker inspect auda --format '{{range .Mounts}}{{.Name}}{{end}}' > $DIR/name; docker volume inspect --format '{{json .Labels}} {{json .Options}}' $(cat $DIR/name)
{"com.docker.volume.anonymous":""} null
$ docker volume ls -q --filter dangling=true | grep -c $(cat $DIR/name)
0
[1]
$ docker ps --filter volume=$(cat $DIR/name) --format '{{.Names}} {{.LocalVolumes}}'
auda 1
$ docker ps --filter volume=/anon --format '{{.Names}}'
auda
$ docker volume rm $(cat $DIR/name) 2>&1 | sed 's/\[.*\]/[ID]/'
Error response from daemon: remove <id>: volume is in use - [ID]
$ docker rm -f auda
auda
$ docker volume inspect --format '{{.Driver}}' $(cat $DIR/name)
local
$ docker volume rm $(cat $DIR/name)
<id>
$ docker run -d --name auda -v /anon -v audv:/data busybox sleep 100
<id>
$ docker inspect auda --format '{{range .Mounts}}{{if ne .Name "audv"}}{{.Name}}{{end}}{{end}}' > $DIR/name; docker rm -fv auda
auda
$ docker volume inspect $(cat $DIR/name) 2>&1 | grep -c 'no such volume'
1
$ docker volume inspect --format '{{.Name}}' audv
audv
# In use
$ docker create --name auda -v audv:/data -v audhome:/h:ro busybox true
<id>
$ docker volume rm audv 2>&1 | sed 's/\[.*\]/[ID]/'
Error response from daemon: remove audv: volume is in use - [ID]
$ docker volume rm -f audv 2>&1 | sed 's/\[.*\]/[ID]/'
Error response from daemon: remove audv: volume is in use - [ID]
$ docker inspect auda --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Driver}} {{.RW}} <{{.Mode}}> <{{.Propagation}}>{{println}}{{end}}' | sort

volume audhome /h local false <ro> <>
volume audv /data local true <z> <>
$ docker run --rm --volumes-from auda busybox cat /data/f
kept
$ docker run --rm --volumes-from auda:ro busybox touch /data/f
! touch: /data/f: Read-only file system
[1]
$ docker run --rm --volumes-from auda busybox touch /h/f
! touch: /h/f: Read-only file system
[1]
$ docker run --rm --volumes-from nosuch busybox true
! docker: Error response from daemon: No such container: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --volumes-from auda:badmode busybox true
! docker: Error response from daemon: invalid mode: badmode
! 
! Run 'docker run --help' for more information
[125]
$ docker inspect auda --format '{{len .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .Config.Volumes}} {{json .HostConfig.VolumesFrom}}'
2 null null null
$ docker rm auda
auda
# What is refused
$ docker run --rm -v audv:/data -v audhome:/data busybox true
! docker: Error response from daemon: Duplicate mount point: /data
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v audv:/ busybox true
! docker: Error response from daemon: invalid volume specification: 'audv:/': invalid mount config for type "volume": invalid specification: destination can't be '/'
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v audv:/data:ro,rw busybox true
! docker: Error response from daemon: invalid mode: ro,rw
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v audv:/data:rslave busybox true
! docker: Error response from daemon: invalid volume specification: 'audv:/data:rslave': invalid mount config for type "volume": field BindOptions must not be specified
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v 'bad/name:/data' busybox true
! docker: Error response from daemon: create bad/name: "bad/name" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v relative/path:/data busybox true
! docker: Error response from daemon: create relative/path: "relative/path" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=volume,source=/abs,target=/data busybox true
! docker: Error response from daemon: create /abs: "/abs" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=volume,target=relative busybox true
! docker: Error response from daemon: invalid mount config for type "volume": invalid mount path: 'relative' mount path must be absolute
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=nosuch,target=/data busybox true
! docker: Error response from daemon: invalid mount config for type "nosuch": mount type unknown
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=tmpfs,source=x,target=/data busybox true
! docker: Error response from daemon: invalid mount config for type "tmpfs": field Source must not be specified
! 
! Run 'docker run --help' for more information
[125]
# Prune
$ docker volume create --label aud=1 audp1; docker volume create --label aud=2 audp2
audp1
audp2
$ docker volume prune -f --filter label=aud=1
Total reclaimed space: 0B
$ docker volume prune -f -a --filter label=aud=1
Deleted Volumes:
audp1

Total reclaimed space: 0B
$ docker volume prune -f -a --filter label=aud=1
Total reclaimed space: 0B
$ docker volume prune -f --filter nosuch=1
! Error response from daemon: invalid filter 'nosuch'
[1]
$ docker volume rm audp2 audv audt audhome audbare audowner audnew nosuch
audp2
audv
audt
audhome
audbare
audowner
audnew
! Error response from daemon: get nosuch: no such volume
[1]
