// Programs: decoding, checking and running them. The words are documented in src/launcher/op.ts, the binary layout in
// src/launcher/layouts.ts; opcodes.h is generated from there.
//
// Everything here is single-threaded and allocates nothing: the program stays where it is mapped, its strings are used in place.
// Functions that can fail return 0 or a negative errno unless they say otherwise.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "opcodes.h"

#define PROGRAM_MAGIC 0x48545242u // "BRTH"
#define PROGRAM_MAX_BYTES (16u << 20)
#define PROGRAM_MAX_DEPTH 8
#define SLOTS 255
#define ABSENT 0xffffffffu // an optional argument that is not there
#define DETAIL_MAX 4096

// Where and why a program stopped (ProgramFailure in op.ts).
struct failure {
  uint32_t error; // errno, positive
  uint32_t depth;
  uint32_t path[PROGRAM_MAX_DEPTH]; // outermost first
  uint32_t detail_size;
  char detail[DETAIL_MAX];
};

// The latest process that a `clone` started.
struct child {
  pid_t pid;    // after CLONE_PARENT further down: the process that took its place. 0 when there is none
  int socket;   // our end of the sync socket, -1 when closed
  uint32_t op;  // index of the clone, to prefix the child's failure path
  bool told;    // its notify came in while something else was awaited
};

// What the `stdio` op handed over: descriptors that belong to the caller of program_run from then on; -1 where not given.
struct stdio {
  int terminal; // pty master
  int stdin_;   // write end
  int stdout_;  // read end
  int stderr_;  // read end
};

// A running program: one process's list, and what it holds. Zeroed memory is not a valid machine: use machine_init.
struct machine {
  const uint32_t *next; // the op to run now
  uint32_t index;
  uint32_t count;
  int slots[SLOTS];
  int parent;         // sync socket to the parent, -1 in the first process
  bool parent_told;
  bool has_shim;      // `ready` and `stdio` are allowed
  int wait_fd;        // set with PROGRAM_WAIT
  struct child child;
  struct stdio stdio;
  struct failure failure;
};

enum outcome {
  PROGRAM_DONE,   // ran to its end
  PROGRAM_READY,  // at `ready`: call program_run again when the client says start
  PROGRAM_WAIT,   // at `await` or `receiveFd`: call program_run again when wait_fd is readable (or hung up)
  PROGRAM_FAILED, // machine.failure says why
};

// Checks a whole program, nested lists included, before anything of it runs: every length, slot, string end and patch offset.
// Nothing after it needs a check. `failure` (may be NULL) gets the path of the bad op with EINVAL.
int program_check(const void *bytes, size_t size, struct failure *failure);

// Maps the program in `fd` (a memfd or file), privately and writable, since pids are patched in place. Does not close `fd`.
// Unmap with munmap(*bytes, *size) when the program has ended, so that a waiting shim keeps no page of it.
int program_map(int fd, void **bytes, size_t *size);

// Sets the machine up to run a program that passed program_check.
void machine_init(struct machine *machine, const void *bytes);

// Runs ops until the end, a failure, or a point where the caller must do something. Never blocks in `await` or `receiveFd`; may
// block in system calls and `run` (hooks). After DONE or FAILED call machine_close.
enum outcome program_run(struct machine *machine);

// As program_run, but waits itself where that returns PROGRAM_WAIT.
enum outcome program_run_blocking(struct machine *machine);

// Closes all slots and the sync sockets (not machine.stdio). The child that failed is reaped by whoever reaps (SIGCHLD).
void machine_close(struct machine *machine);

// A failure as bytes: u32 errno, u32 depth, u32 path[depth], u32 detail size, detail. `out` holds FAILURE_BYTES_MAX.
#define FAILURE_BYTES_MAX (12 + 4 * PROGRAM_MAX_DEPTH + DETAIL_MAX)
size_t failure_encode(const struct failure *failure, void *out);
