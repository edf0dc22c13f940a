$ docker run --rm --name evt busybox true
$ docker run -d --name evt2 busybox sleep 100
<id>
$ docker exec evt2 true
$ docker kill evt2
evt2
$ sleep 0.2; docker rm evt2
evt2
$ sleep 1; docker events --since 10s --until 0s --filter type=container --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}} {{.Actor.Attributes.signal}}' | grep evt
container create evt <no value> <no value>
container attach evt <no value> <no value>
container start evt <no value> <no value>
container die evt 0 <no value>
container destroy evt <no value> <no value>
container create evt2 <no value> <no value>
container start evt2 <no value> <no value>
container exec_create: true  evt2 <no value> <no value>
container exec_start: true  evt2 <no value> <no value>
container exec_die evt2 0 <no value>
container kill evt2 <no value> 9
container die evt2 137 <no value>
container destroy evt2 <no value> <no value>
$ docker events --since 10s --until 0s --filter event=die --format '{{.Actor.Attributes.name}} {{.Action}} {{.Actor.Attributes.exitCode}}' | grep evt
evt die 0
evt2 die 137
$ docker events --since 10s --until 0s --filter type=network --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' | sort -u
network connect bridge
network disconnect bridge
$! an unknown filter is refused, as engines after 28 do: docker events --since 10s --until 0s --filter nosuch=1
<time> image load <id> (name=<id>)
<time> container create <id> (image=busybox, name=evt)
<time> container attach <id> (image=busybox, name=evt)
<time> network connect <id> (container=<id>, name=bridge, type=bridge)
<time> container start <id> (image=busybox, name=evt)
<time> network disconnect <id> (container=<id>, name=bridge, type=bridge)
<time> container die <id> (execDuration=0, exitCode=0, image=busybox, name=evt)
<time> container destroy <id> (image=busybox, name=evt)
<time> container create <id> (image=busybox, name=evt2)
<time> network connect <id> (container=<id>, name=bridge, type=bridge)
<time> container start <id> (image=busybox, name=evt2)
<time> container exec_create: true  <id> (execID=<id>, image=busybox, name=evt2)
<time> container exec_start: true  <id> (execID=<id>, image=busybox, name=evt2)
<time> container exec_die <id> (execID=<id>, exitCode=0, image=busybox, name=evt2)
<time> container kill <id> (image=busybox, name=evt2, signal=9)
<time> network disconnect <id> (container=<id>, name=bridge, type=bridge)
<time> container die <id> (execDuration=0, exitCode=137, image=busybox, name=evt2)
<time> container destroy <id> (image=busybox, name=evt2)
