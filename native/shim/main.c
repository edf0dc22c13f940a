// berth-shim: runs a program that TypeScript compiled (src/launcher), or lives as a container's shim.
//
//     berth-shim run N [wait]   program on descriptor N, report on N + 1; all below N are the container's
//     berth-shim check          program on descriptor 3: exits 0 when it is well formed
//     berth-shim shim ...       see shim.h
//
// A report is u32 size of what follows, u32 kind, then
//
//     1 done     i32 pid of the latest child (0: none)
//     2 failed   failure_encode's bytes
//     3 exited   i32 code, i32 signal: with `wait`, when the latest child has ended
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

enum { CHECKED_FD = 3 };
enum report { DONE = 1, FAILED = 2, EXITED = 3 };

static struct machine machine;
static int report_fd = -1;

static void report(enum report kind, int32_t first, int32_t second) {
  static uint32_t bytes[2 + FAILURE_BYTES_MAX / 4];
  size_t size = 12;
  bytes[1] = kind;
  bytes[2] = (uint32_t)first;
  if (kind == EXITED) bytes[3] = (uint32_t)second, size = 16;
  if (kind == FAILED) size = 8 + failure_encode(&machine.failure, bytes + 2);
  bytes[0] = (uint32_t)size - 4;
  if (write(report_fd, bytes, size) < 0) return; // nobody listens
}

static int fail(int error) {
  machine.failure.error = (uint32_t)error;
  report(FAILED, 0, 0);
  return 1;
}

// Reaps until `pid` has ended; as a subreaper we get its orphans too.
static int wait_for(pid_t pid) {
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, __WALL);
    if (ended < 0 && errno != EINTR) return 1;
    if (ended != pid) continue;
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    int code = signal ? 128 + signal : WEXITSTATUS(status);
    report(EXITED, code, signal);
    return code;
  }
}

// The latest child of a program that failed: it told a failure of its own and ends, or was killed, unless it executes already.
static void reap_failed(void) {
  bool executes = machine.child.socket < 0 && machine.failure.depth == 1;
  machine_close(&machine);
  if (machine.child.pid > 0) waitpid(machine.child.pid, NULL, __WALL | (executes ? WNOHANG : 0));
}

static int run(int program_fd, bool wait) {
  void *bytes;
  size_t size;
  report_fd = program_fd + 1;
  fcntl(report_fd, F_SETFD, FD_CLOEXEC);
  int error = program_map(program_fd, &bytes, &size);
  close(program_fd);
  if (error == 0) error = program_check(bytes, size, &machine.failure);
  if (error < 0) return fail(-error);
  if (wait) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  machine_init(&machine, bytes);
  enum outcome outcome = program_run_blocking(&machine);
  if (outcome == PROGRAM_FAILED) return report(FAILED, 0, 0), reap_failed(), 1;
  pid_t pid = machine.child.pid;
  machine_close(&machine);
  munmap(bytes, size);
  report(DONE, pid, 0);
  return wait && pid > 0 ? wait_for(pid) : 0;
}

static int check(void) {
  void *bytes;
  size_t size;
  int error = program_map(CHECKED_FD, &bytes, &size);
  return error < 0 || program_check(bytes, size, NULL) < 0;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN); // until the exec; a hook need not read what it is given
  if (argc > 2 && strcmp(argv[1], "run") == 0) return run(atoi(argv[2]), argc > 3 && strcmp(argv[3], "wait") == 0);
  if (argc > 1 && strcmp(argv[1], "check") == 0) return check();
  if (argc > 1 && strcmp(argv[1], "shim") == 0) return shim_main(argc - 1, argv + 1);
  static const char usage[] = "usage: berth-shim run FD [wait] | check | shim ...\n";
  return write(2, usage, sizeof usage - 1) < 0 ? 3 : 2;
}
