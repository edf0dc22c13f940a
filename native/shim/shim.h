// The border between the two halves of berth-shim: main.c starts it and runs programs (program.h); loop.c, stdio.c, log.c,
// attach.c, control.c and exec.c are the life of a shim.
//
//     berth-shim run N [wait]   program on fd N, report on fd N + 1 (see main.c)
//     berth-shim check          program on fd 3: only checks it
//     berth-shim shim ...       shim_main, below
#pragma once

#include "program.h"

// The `shim` mode, entered with all signals at their defaults, none blocked, and argv from "shim" on. It maps and checks the
// program, runs it with has_shim set:
//
//     machine_init(&machine, bytes); machine.has_shim = true;
//     program_run: WAIT  → poll machine.wait_fd beside everything else, run again
//                  READY → tell the client "created, machine.child.pid"; serve attach, resize, kill; on `start` run again
//                  DONE  → tell "started"; munmap the program; machine_close
//                  FAILED→ tell failure_encode's bytes, leave
//
// machine.stdio holds the container's streams from the `stdio` op on. An exec is the same with a second machine: its program runs
// in the shim (pipes, a clone, an await that does not block), machine.child.pid is the exec's process when it is DONE (a process
// cloned with CLONE_PARENT is the shim's own child and takes the place of its intermediate, which must be reaped too).
// Returns the exit code of the shim.
int shim_main(int argc, char **argv);
