// The last op of a process.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kernel.h"
#include "ops.h"

void reset_signals(void) {
  uint64_t none = 0;
  struct sigaction action = {.sa_handler = SIG_DFL};
  for (int number = 1; number < _NSIG; number++) sigaction(number, &action, NULL);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
}

static bool is_directory(const char *path) {
  struct stat stat;
  return fstatat(AT_FDCWD, path, &stat, 0) == 0 && S_ISDIR(stat.st_mode);
}

// execvp(3)'s rule: a missing candidate is passed over, a forbidden one too but remembered; anything else is the answer.
static bool goes_on(int error, int *answer) {
  if (error == EACCES) *answer = EACCES;
  return error == EACCES || error == ENOENT || error == ENOTDIR || error == ENODEV || error == ESTALE;
}

int op_exec(struct machine *machine, struct args *args) {
  const char **candidates = map_strings(args), **argv = map_strings(args), **env = map_strings(args);
  if (!candidates || !argv || !env) return -ENOMEM;
  if (!candidates[0] || !argv[0]) return -EINVAL;
  reset_signals();
  bool several = candidates[1] != NULL;
  int answer = ENOENT;
  for (const char **at = candidates; *at; at++) {
    execve(*at, (char **)argv, (char **)env);
    int error = errno;
    if (error == EACCES && is_directory(*at)) set_detail(machine, "is a directory", 14);
    if (!several) return -error;
    if (!goes_on(error, &answer)) return -error;
  }
  if (answer == ENOENT) machine->failure.detail_size = 0;
  return -answer;
}

static int check(const char *path) {
  struct stat stat;
  if (fstatat(AT_FDCWD, path, &stat, 0) < 0) return errno;
  if (!S_ISREG(stat.st_mode)) return EACCES;
  return syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

int op_check_exec(struct machine *machine, struct args *args) {
  int answer = ENOENT;
  uint32_t count = arg_u32(args);
  for (uint32_t i = 0; i < count; i++) {
    const char *path = arg_string(args);
    int error = check(path);
    if (error == 0) {
      machine->failure.detail_size = 0;
      return 0;
    }
    if (error == EACCES && is_directory(path)) set_detail(machine, "is a directory", 14);
    if (count == 1 || !goes_on(error, &answer)) return -error;
  }
  return -answer;
}
