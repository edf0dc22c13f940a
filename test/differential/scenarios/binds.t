$ mkdir -p $DIR/src/sub && echo hi > $DIR/src/f
# A missing source of -v becomes a folder
$ docker run --rm -v $DIR/made/here:/mnt busybox ls -A /mnt; stat -c '%F %U %a' $DIR/made/here
directory root 755
$ docker run --rm --mount type=bind,source=$DIR/made2,target=/mnt busybox true
! docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: <dir>/made2
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,source=$DIR/made2,target=/mnt,bind-create-src busybox true
! invalid argument "type=bind,source=<dir>/made2,target=/mnt,bind-create-src" for "--mount" flag: invalid field 'bind-create-src' must be a key=value pair
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker create --name audb -v $DIR/src:/a -v $DIR/src:/b:ro -v $DIR/src:/c:rslave,ro --mount type=bind,source=$DIR/src,target=/d --mount type=bind,source=$DIR/src/f,target=/e,readonly,bind-propagation=rshared --tmpfs /t --mount type=tmpfs,target=/u,tmpfs-size=1m,tmpfs-mode=700 busybox sh -c 'for p in a b c d e t u; do awk -v p=/$p "\$5 == p {print \$5, \$6, \$7}" /proc/self/mountinfo | sed "s/:[0-9]*/:N/"; done; stat -c "%a %n" /t /u; df -k /u | tail -n 1 | awk "{print \$2}"'
<id>
$ docker inspect audb --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Driver}} {{.RW}} <{{.Mode}}> <{{.Propagation}}>{{println}}{{end}}' | sort

bind  /a  true <> <rprivate>
bind  /b  false <ro> <rprivate>
bind  /c  false <rslave,ro> <rslave>
bind  /d  true <> <rprivate>
bind  /e  false <> <rshared>
tmpfs  /u  true <> <>
$ docker inspect audb --format '{{json .HostConfig.Tmpfs}}'
{"/t":""}
$ docker inspect audb --format '{{range .HostConfig.Binds}}{{println .}}{{end}}' | sort

<dir>/src:/a
<dir>/src:/b:ro
<dir>/src:/c:rslave,ro
$ docker inspect audb --format '{{json .HostConfig.Mounts}}'
[{"Type":"bind","Source":"<dir>/src","Target":"/d"},{"Type":"bind","Source":"<dir>/src/f","Target":"/e","ReadOnly":true,"BindOptions":{"Propagation":"rshared"}},{"Type":"tmpfs","Target":"/u","TmpfsOptions":{"SizeBytes":1048576,"Mode":448}}]
$ docker inspect audb --format '{{json .Mounts}}' | $KEYS
[].Destination: string
[].Mode: string
[].Propagation: string
[].RW: boolean
[].Source: string
[].Type: string
$! where the mounts of the machine are private, a slave has no master: docker start -a audb
/a rw,relatime -
/b ro,relatime -
/c ro,relatime master:N
/d rw,relatime -
/e ro,relatime shared:N
/t rw,nosuid,nodev,noexec,relatime -
/u rw,nosuid,nodev,noexec,relatime -
1777 /t
700 /u
1024
$ docker ps -a --filter volume=$DIR/src --format '{{.Names}}'
audb
$ docker rm audb
audb
$ docker run --rm --tmpfs /t:rw,exec,size=2m,mode=1770,uid=1000 busybox sh -c 'grep " /t " /proc/mounts | cut -d" " -f1-4; stat -c "%a %u" /t'
tmpfs /t tmpfs rw,nosuid,nodev,relatime,size=2048k,mode=1770,uid=1000
1770 1000
$ docker run --rm --tmpfs /t:nosuch busybox true
! docker: Error response from daemon: invalid tmpfs option "nosuch"
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --tmpfs relative busybox true
! docker: Error response from daemon: invalid mount path: 'relative' mount path must be absolute
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --tmpfs /home busybox ls -A /home
$ docker run --rm --mount type=bind,source=relative,target=/mnt busybox true
! docker: Error response from daemon: invalid mount config for type "bind": invalid mount path: 'relative' mount path must be absolute
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,target=/mnt busybox true
! docker: Error response from daemon: invalid mount config for type "bind": field Source must not be empty
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,source=$DIR/src,target=/mnt,bind-propagation=nosuch busybox true
! docker: Error response from daemon: invalid mount config for type "bind": invalid propagation mode: nosuch
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,source=$DIR/src busybox true
! invalid argument "type=bind,source=<dir>/src" for "--mount" flag: target is required
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --mount type=bind,source=$DIR/src,target=/mnt,nosuch=1 busybox true
! invalid argument "type=bind,source=<dir>/src,target=/mnt,nosuch=1" for "--mount" flag: unexpected key 'nosuch' in 'nosuch=1'
! 
! Usage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v $DIR/src/f:/mnt/file -v $DIR/src:/mnt busybox ls /mnt
f
file
sub
$ docker run --rm -v $DIR/src/f:/tmp busybox true 2>&1 | sed 's/: .*error mounting.*/: error mounting/'
docker: error mounting

Run 'docker run --help' for more information
$ docker run --rm -v $DIR/src:/a:z -v $DIR/src:/b:Z,ro busybox cat /a/f /b/f
hi
hi
$ docker run --rm -v $DIR/src:/a:nocopy busybox true
! docker: Error response from daemon: invalid volume specification: '<dir>/src:/a:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v $DIR/src:/a:cached busybox cat /a/f
hi
$ docker run --rm -v $DIR/src:/a:rw,ro busybox true
! docker: Error response from daemon: invalid mode: rw,ro
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v $DIR/src:/a -v $DIR/src/sub:/a busybox true
! docker: Error response from daemon: Duplicate mount point: /a
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm -v /nonexistent:/a:volume-nocopy busybox true
! docker: Error response from daemon: invalid mode: volume-nocopy
! 
! Run 'docker run --help' for more information
[125]
$ ln -s src $DIR/link && docker run --rm -v $DIR/link:/a busybox cat /a/f
hi
$ docker run --rm -v $DIR/src:/etc/../lnk busybox cat /lnk/f
hi
$ docker run --rm --mount type=bind,src=$DIR/src,dst=/a,ro,bind-recursive=writable busybox touch /a/x
! touch: /a/x: Read-only file system
[1]
$ docker run --rm --mount type=bind,src=$DIR/src,dst=/a,ro,bind-recursive=disabled busybox cat /a/f
hi
$ docker run --rm --mount type=bind,src=$DIR/src,dst=/a,ro,bind-recursive=readonly,bind-propagation=rprivate busybox cat /a/f
hi
$! images are not mounted by this engine: docker run --rm --mount type=image,src=busybox,dst=/img busybox ls -A /img/home
berth
! WARNING: Image mount is an experimental feature
$! images are not mounted by this engine: docker run --rm --mount type=image,src=busybox,dst=/img,image-subpath=etc busybox ls -A /img
group
passwd
! WARNING: Image mount is an experimental feature
