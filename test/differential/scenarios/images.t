$ docker images --format '{{.Repository}}:{{.Tag}}' busybox
busybox:latest
$ docker tag busybox other/name:v1
$ docker images --format '{{.Repository}}:{{.Tag}}' | grep -E '^(busybox|other)' | sort
busybox:latest
other/name:v1
$ docker tag busybox UPPER
! Error parsing reference: "UPPER" is not a valid repository/tag: invalid reference format: repository name (library/UPPER) must be lowercase
[1]
$ docker tag nosuch x
! Error response from daemon: No such image: nosuch:latest
[1]
$ docker inspect -f '{{.Os}} {{.Architecture}} {{.Config.Cmd}} {{len .RootFS.Layers}} {{.RepoTags}}' busybox
linux amd64 [sh] 1 [busybox:latest other/name:v1]
$ docker history --format '{{.CreatedBy}} {{.Comment}}' busybox
COPY rootfs / # buildkit
$ docker rmi other/name:v1
Untagged: other/name:v1
$ docker rmi other/name:v1
! Error response from daemon: No such image: other/name:v1
[1]
$ docker rmi nosuch
! Error response from daemon: No such image: nosuch:latest
[1]
$ docker run --name uses busybox true
$! the words of the containerd image store, whose semantics we have: docker rmi busybox 2>&1 | sed 's/container .*//'
Error response from daemon: conflict: unable to remove repository reference "busybox" (must force) -
$ docker rm uses
uses
$ docker image inspect nosuch
[]
! Error response from daemon: No such image: nosuch:latest
[1]
$ docker pull 127.0.0.1:1/nosuch
Using default tag: latest
! Error response from daemon: Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused
[1]
$ docker pull in/valid/@
! invalid reference format
[1]
$ docker images -q nosuch
$ docker save busybox | tar -tf - | grep -c .  >/dev/null
$ docker create --name exp busybox
<id>
$ docker export exp | docker import -c 'CMD ["echo","imported"]' - imp:1 | cut -c1-7
sha256:
$ docker run --rm imp:1
imported
$ docker rm exp
exp
$! the containerd image store deletes one image, not its layers by name: docker rmi imp:1 | wc -l
3
$ docker rmi busybox | head -n 1
Untagged: busybox:latest
$ docker run --rm --pull never busybox true
! docker: Error response from daemon: No such image: busybox:latest
! 
! Run 'docker run --help' for more information
[125]
