$ mkdir -p $DIR/tree/sub && echo one > $DIR/tree/one && echo two > $DIR/tree/sub/two && ln -s one $DIR/tree/link && chmod 600 $DIR/tree/one && chmod 755 $DIR/tree $DIR/tree/sub
$ docker run -d --name audcp busybox sh -c 'mkdir -p /d/e; echo in > /d/in; ln -s /d/in /abs; ln -s d/e /rel; ln -s /nowhere /dang; sleep 100'
<id>
$ docker cp -q $DIR/tree/one audcp:/tmp/
$ docker exec audcp stat -c '%a %u %n' /tmp/one
600 0 /tmp/one
$ docker cp -q $DIR/tree/one audcp:/tmp/renamed && docker exec audcp cat /tmp/renamed
one
$ docker cp -q $DIR/tree audcp:/new && docker exec audcp find /new | sort
/new
/new/link
/new/one
/new/sub
/new/sub/two
$ docker cp -q $DIR/tree audcp:/new && docker exec audcp find /new | sort
/new
/new/link
/new/one
/new/sub
/new/sub/two
/new/tree
/new/tree/link
/new/tree/one
/new/tree/sub
/new/tree/sub/two
$ docker cp -q $DIR/tree/. audcp:/new2 && docker exec audcp find /new2 | sort
/new2
/new2/link
/new2/one
/new2/sub
/new2/sub/two
$ docker exec audcp mkdir /new3 && docker cp -q $DIR/tree/. audcp:/new3 && docker exec audcp find /new3 | sort
/new3
/new3/link
/new3/one
/new3/sub
/new3/sub/two
$ docker cp -q $DIR/tree/link audcp:/tmp/l && docker exec audcp sh -c 'test -L /tmp/l && readlink /tmp/l'
one
$ docker cp -q -L $DIR/tree/link audcp:/tmp/ll && docker exec audcp cat /tmp/ll
one
$ docker cp -q $DIR/tree/one audcp:/abs && docker exec audcp sh -c 'readlink /abs; cat /d/in'
/d/in
one
$ docker cp -q $DIR/tree/one audcp:/rel/ && docker exec audcp ls /d/e
one
$ docker cp -q $DIR/tree/one audcp:/dang
$ docker cp -q $DIR/tree/one audcp:/no/such/place
! Error response from daemon: Could not find the file /no/such in container audcp
[1]
$ docker cp -q $DIR/tree audcp:/d/in 2>&1 | grep -v level=
cannot copy directory
$ docker cp -q $DIR/tree/one audcp:/nodir/ 2>&1 | grep -v level=
no such directory
$ docker cp -q $DIR/nosuch audcp:/tmp
! lstat <dir>/nosuch: no such file or directory
[1]
$ docker cp -q $DIR/tree/one nosuch:/tmp
! Error response from daemon: No such container: nosuch
[1]
$ docker cp -q -a $DIR/tree/one audcp:/tmp/a && docker exec audcp stat -c '%a %u' /tmp/a
600 0
# Out
$ docker cp -q audcp:/d $DIR/out && find $DIR/out | sed "s|$DIR||" | sort
/out
/out/e
/out/e/one
/out/in
$ docker cp -q audcp:/d $DIR/out && find $DIR/out | sed "s|$DIR||" | sort
/out
/out/d
/out/d/e
/out/d/e/one
/out/d/in
/out/e
/out/e/one
/out/in
$ docker cp -q audcp:/d/. $DIR/out2 && find $DIR/out2 | sed "s|$DIR||" | sort
/out2
/out2/e
/out2/e/one
/out2/in
$ docker cp -q audcp:/abs $DIR/l && readlink $DIR/l
/d/in
$ docker cp -q -L audcp:/abs $DIR/ll && cat $DIR/ll
one
$ docker cp -q -L audcp:/rel $DIR/lr && ls $DIR/lr
one
$ docker cp -q -L audcp:/dang $DIR/x
$ docker cp -q audcp:/nosuch $DIR/x
! Error response from daemon: Could not find the file /nosuch in container audcp
[1]
$ docker cp -q audcp:/d/in/x $DIR/x
! Error response from daemon: lstat /d/in/x: not a directory
[1]
$ docker cp -q audcp:/d/in $DIR/no/such/place
! invalid output path: directory "<dir>/no/such" does not exist
[1]
$ docker cp -q audcp:/d $DIR/ll
! cannot copy directory
[1]
$ docker cp -q audcp:/d/in - | tar -tvf - | awk '{print $1, $2, $3, $NF}'
-rw------- 0/0 4 in
$ docker cp -q audcp:/d - | tar -tf -
d/
d/e/
d/e/one
d/in
$ docker cp -q audcp:/d/ - | tar -tf -
d/
d/e/
d/e/one
d/in
$ docker cp -q audcp:/d/. - | tar -tf -
./
./e/
./e/one
./in
$ docker cp -q audcp:/rel - | tar -tvf - | awk '{print $1, $2, $3, $6, $7, $8}'
lrwxrwxrwx 0/0 0 rel -> d/e
$ tar -C $DIR -cf - tree | docker cp -q - audcp:/tmp && docker exec audcp ls /tmp/tree
link
one
sub
$ tar -C $DIR -cf - tree | docker cp -q - audcp:/nosuch
! destination "audcp:/nosuch" must be a directory
[1]
$ tar -C $DIR -cf - tree | docker cp -q - audcp:/d/in
! destination "audcp:/d/in" must be a directory
[1]
$! our reader says what it reads: echo nonsense | docker cp -q - audcp:/tmp
! Error response from daemon: unexpected EOF
[1]
$ docker cp -q audcp:/d/in audcp:/d/out
! copying between containers is not supported
[1]
$ docker cp -q - -
! must specify at least one container source
[1]
$ docker cp -q $DIR/tree/one $DIR/two
! must specify at least one container source
[1]
$ docker cp audcp:/d/in $DIR/said 2>&1 | sed 's/.*Successfully/Successfully/'
# The stat header
$ for p in / /d /d/in /abs /rel /dang /bin/sh /tmp; do $CALL HEAD "/containers/audcp/archive?path=$p"; done
200
{"name":"/","size":4096,"mode":2147484141,"mtime":"<time>","linkTarget":""}
200
{"name":"d","size":4096,"mode":2147484141,"mtime":"<time>","linkTarget":""}
200
{"name":"in","size":4,"mode":384,"mtime":"<time>","linkTarget":""}
200
{"name":"abs","size":5,"mode":134218239,"mtime":"<time>","linkTarget":"/d/in"}
200
{"name":"rel","size":3,"mode":134218239,"mtime":"<time>","linkTarget":"/d/e"}
200
{"name":"dang","size":8,"mode":134218239,"mtime":"<time>","linkTarget":"/nowhere"}
200
{"name":"sh","size":7,"mode":134218239,"mtime":"<time>","linkTarget":"/bin/busybox"}
200
{"name":"tmp","size":4096,"mode":2148532735,"mtime":"<time>","linkTarget":""}
$ $CALL HEAD '/containers/audcp/archive?path=/nosuch'
404 application/json
$ $CALL GET '/containers/audcp/archive'
400 application/json
{"message":"bad parameter: pathcannot be empty"}
$ $CALL GET '/containers/audcp/archive?path='
400 application/json
{"message":"bad parameter: pathcannot be empty"}
$ $CALL GET '/containers/audcp/archive?path=/nosuch'
404 application/json
{"message":"Could not find the file /nosuch in container audcp"}
$ $CALL PUT '/containers/audcp/archive?path=/nosuch' x
404 application/json
{"message":"Could not find the file /nosuch in container audcp"}
$ $CALL PUT '/containers/audcp/archive?path=/d/in' x
400 application/json
{"message":"extraction point is not a directory"}
# Special places
$ docker cp -q audcp:/etc/hostname - | tar -tf -
hostname
$! of a running container what it sees is seen, its own mounts too: docker cp -q audcp:/proc/version $DIR/x
! Error response from daemon: Could not find the file /proc/version in container audcp
[1]
$ docker cp -q audcp:/../../etc/passwd $DIR/pw && head -n 1 $DIR/pw
root:x:0:0:root:/root:/bin/sh
$ docker exec audcp sh -c 'ln -s / /root/up; ln -s ../../../../etc /root/etc' && docker cp -q audcp:/root/etc/passwd $DIR/pw2 && head -n 1 $DIR/pw2
root:x:0:0:root:/root:/bin/sh
# Changes
$ docker exec audcp sh -c 'rm /bin/yes; rm -r /var/www; chmod 700 /home/berth; echo x >> /etc/passwd; mkfifo /fifo; mkdir -p /var/www/again' && docker diff audcp | sort
A /abs
A /d
A /d/e
A /d/e/one
A /d/in
A /dang
A /fifo
A /new
A /new/link
A /new/one
A /new/sub
A /new/sub/two
A /new/tree
A /new/tree/link
A /new/tree/one
A /new/tree/sub
A /new/tree/sub/two
A /new2
A /new2/link
A /new2/one
A /new2/sub
A /new2/sub/two
A /new3
A /new3/link
A /new3/one
A /new3/sub
A /new3/sub/two
A /nowhere
A /rel
A /root/etc
A /root/up
A /tmp/a
A /tmp/l
A /tmp/ll
A /tmp/one
A /tmp/renamed
A /tmp/tree
A /tmp/tree/link
A /tmp/tree/one
A /tmp/tree/sub
A /tmp/tree/sub/two
A /var/www/again
C /bin
C /etc
C /etc/passwd
C /home
C /home/berth
C /root
C /tmp
C /var
C /var/www
D /bin/yes
# Read-only and volumes
$ docker create --name audro --read-only -v audcpv:/vol -v audcpr:/ro:ro --tmpfs /scratch busybox true
<id>
$ docker cp -q $DIR/tree/one audro:/tmp
! Error response from daemon: container rootfs is marked read-only
[1]
$ docker cp -q $DIR/tree/one audro:/vol/
$ docker cp -q $DIR/tree/one audro:/ro/
! Error response from daemon: mounted volume is marked read-only
[1]
$ docker cp -q audro:/vol - | tar -tf -
vol/
vol/one
$ docker run --rm -v audcpv:/v busybox ls /v
one
# Stopped
$ docker stop -t 0 audcp
audcp
$ docker cp -q audcp:/d/in - | tar -tf -
in
$ docker cp -q $DIR/tree/one audcp:/d/after && docker cp -q audcp:/d - | tar -tf - | sort
d/
d/after
d/e/
d/e/one
d/in
$ docker diff audcp | sort | head -n 5
A /abs
A /d
A /d/after
A /d/e
A /d/e/one
$ docker diff nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker export audcp | tar -tf - | grep -E '^(d|abs|rel|fifo|etc|dev|proc|sys|\.dockerenv)(/|$)' | sort
.dockerenv
abs
d/
d/after
d/e/
d/e/one
d/in
dev/
dev/console
dev/pts/
dev/shm/
etc/
etc/group
etc/hostname
etc/hosts
etc/mtab
etc/passwd
etc/resolv.conf
fifo
proc/
rel
sys/
$ docker export -o $DIR/x.tar audcp && tar -tvf $DIR/x.tar | grep -E ' (abs|d/in|fifo|home/berth/)( |$)' | awk '{print $1, $2, $3, $6, $7, $8}' | sort
-rw------- 0/0 4 d/in
drwx------ 0/0 0 home/berth/
lrwxrwxrwx 0/0 0 abs -> /d/in
prw-r--r-- 0/0 0 fifo
$ docker export nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker rm audcp audro
audcp
audro
$ docker volume rm audcpv audcpr
audcpv
audcpr
