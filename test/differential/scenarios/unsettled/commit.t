$ docker run --name audcm -e A=1 -l la=1 --expose 80 -w /tmp -u berth busybox sh -c 'echo x > /tmp/x'
$ docker commit audcm audci
<id>
$ docker inspect audci --format '{{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{.Config.User}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Author}} {{.Comment}} {{len .RootFS.Layers}} {{.Architecture}} {{.Os}}'
["A=1","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] ["sh","-c","echo x > /tmp/x"] null {"80/tcp":{}} /tmp berth {"la":"1"} null   2 amd64 linux
$ docker inspect audci | $KEYS
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
$ docker history --format '{{.CreatedBy}}|{{.Comment}}' audci
sh -c echo x > /tmp/x|
COPY rootfs / # buildkit|
$ docker run --rm audci sh -c 'cat /tmp/x; pwd; id -un; echo $A'
x
/tmp
berth
1
$ docker commit -a 'An Author <a@b>' -m 'a message' -c 'CMD ["echo","hi"]' -c 'ENV B=2 C=3' -c 'ENV D 4' -c 'EXPOSE 81/udp' -c 'LABEL x=y "z w"=v' -c 'USER root' -c 'VOLUME /vol' -c 'WORKDIR sub' -c 'STOPSIGNAL SIGUSR1' -c 'ONBUILD RUN true' -c 'HEALTHCHECK --interval=5s CMD true' audcm audci:two
<id>
$ docker inspect audci:two --format '{{json .Config.Env}} {{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{.Config.User}} {{json .Config.Labels}} {{json .Config.Volumes}} {{.Author}} {{.Comment}} {{.Config.StopSignal}} {{json .Config.OnBuild}} {{json .Config.Healthcheck}}'
["A=1","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","B=2","C=3","D=4"] ["echo","hi"] null {"80/tcp":{},"81/udp":{}} /tmp/sub root {"la":"1","x":"y","z w":"v"} {"/vol":{}} An Author <a@b> a message SIGUSR1 ["RUN true"] {"Test":["CMD-SHELL","true"],"Interval":5000000000}
$ docker commit -c 'ENTRYPOINT ["/bin/echo","e"]' audcm audci:three >/dev/null; docker inspect audci:three --format '{{json .Config.Cmd}} {{json .Config.Entrypoint}}'
null ["/bin/echo","e"]
$ docker commit -c 'ENTRYPOINT echo shell' audcm audci:three >/dev/null; docker inspect audci:three --format '{{json .Config.Cmd}} {{json .Config.Entrypoint}}'
null ["/bin/sh","-c","echo shell"]
$ docker commit -c 'CMD echo $HOME' audcm audci:three >/dev/null; docker inspect audci:three --format '{{json .Config.Cmd}} {{json .Config.Entrypoint}}'
["/bin/sh","-c","echo $HOME"] null
$ docker commit -c 'RUN true' audcm audci:bad
! Error response from daemon: RUN is not a valid change command
[1]
$ docker commit -c 'NOSUCH x' audcm audci:bad
! Error response from daemon: NOSUCH is not a valid change command
[1]
$ docker commit -c 'ENV' audcm audci:bad
! Error response from daemon: ENV requires at least one argument
[1]
$ docker commit -c 'EXPOSE x' audcm audci:bad
! Error response from daemon: Invalid containerPort: x
[1]
$ docker commit audcm UPPER
! invalid reference format: repository name (library/UPPER) must be lowercase
[1]
$ docker commit nosuch audci
! Error response from daemon: No such container: nosuch
[1]
$ docker commit audcm | sed 's/sha256:.*/ID/'
ID
$ docker create --name audcv -v /v busybox true && docker commit audcv audci:vol > /dev/null && docker inspect audci:vol --format '{{json .Config.Volumes}}'
<id>
{"/v":{}}
$ docker rmi -f audci audci:two audci:three audci:vol | grep Untagged
Untagged: audci:latest
Untagged: audci:two
Untagged: audci:three
Untagged: audci:vol
# A paused one, and a running one that is not paused for it
$ docker run -d --name audcr busybox sleep 100
<id>
$ docker commit -p=false audcr audci:r >/dev/null && docker inspect audcr --format '{{.State.Paused}}'
false
$ docker pause audcr && docker commit audcr audci:r >/dev/null; docker inspect audcr --format '{{.State.Paused}}'
audcr
true
$ docker rm -fv audcr audcm audcv; docker rmi -f audci:r | grep Untagged
audcr
audcm
audcv
Untagged: audci:r
# Import
$ docker create --name audex busybox true && docker export -o $DIR/x.tar audex
<id>
$ docker import -c 'CMD ["sh"]' -c 'ENV X=1' -m 'imported' $DIR/x.tar audim:one
<id>
$ docker inspect audim:one --format '{{json .Config.Env}} {{json .Config.Cmd}} {{.Comment}} {{len .RootFS.Layers}}'
["X=1"] ["sh"] imported 1
$ docker history --format '{{.CreatedBy}}|{{.Comment}}' audim:one
|imported
$ docker run --rm audim:one echo runs
runs
$ docker import --platform linux/arm64 - audim:arm < $DIR/x.tar
<id>
$ docker inspect audim:arm --format '{{.Architecture}}'
arm64
$ docker import -c 'NOSUCH' $DIR/x.tar audim:bad
! Error response from daemon: NOSUCH is not a valid change command
[1]
$ docker import $DIR/nosuch.tar audim:bad
! open <dir>/nosuch.tar: no such file or directory
[1]
$! our reader says what it reads: echo nonsense | docker import - audim:bad
! Error response from daemon: unexpected EOF
[1]
$ docker rm audex; docker rmi audim:one audim:arm | grep Untagged
audex
Untagged: audim:one
Untagged: audim:arm
