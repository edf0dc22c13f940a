$ docker run --name lg busybox sh -c 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three; printf unfinished'
one
three
unfinished
! two
$ docker logs lg
one
three
unfinished
! two
$ docker logs --tail 2 lg
three
unfinished
$ docker logs --tail 0 lg
$ docker logs -t lg | sed 's/^[^ ]*Z /T /'
T one
T three
T unfinished
! <time> two
$ docker logs --since 1h lg
one
three
unfinished
! two
$ docker logs --until 1h lg
$ docker logs --since nonsense lg
! invalid value for "since": failed to parse value as time or duration: "nonsense"
[1]
$ docker logs -f lg
one
three
unfinished
! two
$ docker logs nosuch
! Error response from daemon: No such container: nosuch
[1]
$ docker rm lg
lg
$ docker run -d --name lf busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done'
<id>
$ docker logs -f lf
1
2
3
$ docker rm lf
lf
$ docker run --name ln --log-driver none busybox echo unseen
unseen
$ docker logs ln
! Error response from daemon: configured logging driver does not support reading
[1]
$ docker rm ln
ln
$ docker run --name lx --log-driver nosuch busybox true
! docker: Error response from daemon: error looking up logging plugin nosuch: plugin "nosuch" not found
! 
! Run 'docker run --help' for more information
[125]
$ docker run --rm --log-opt nosuch=1 busybox true
! docker: Error response from daemon: unknown log opt 'nosuch' for json-file log driver
! 
! Run 'docker run --help' for more information
[125]
$ docker run --name lt -t busybox sh -c 'echo tty; echo err >&2'
tty
err
$ docker logs lt
tty
err
$ docker rm lt
lt
$ docker run --name long busybox sh -c 'head -c 40000 /dev/zero | tr "\0" x; echo' | wc -c
40001
$ docker logs long | wc -c
40001
$ docker rm long
long
