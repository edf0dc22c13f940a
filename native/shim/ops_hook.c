// `run`: a program of the host from start to end, as OCI hooks are.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "kernel.h"
#include "ops.h"

struct hook {
  pid_t pid;
  int pidfd;
  int input;  // write end of its stdin
  int output; // read end of its stdout and stderr
  int status; // read end: the errno of an execve that failed
  const char *parts[3]; // of its stdin: before the token, the pid, after it
  size_t sizes[3];
  int part;
};

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void forget(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

__attribute__((noreturn)) static void run(const char *path, const char **argv, const char **env, int input, int output, int status) {
  if (dup2(input, 0) >= 0 && dup2(output, 1) >= 0 && dup2(output, 2) >= 0) {
    reset_signals();
    execve(path, (char **)argv, (char **)env);
  }
  int error = errno;
  if (write(status, &error, sizeof error) < 0) _exit(126);
  _exit(127);
}

static int start(struct hook *hook, const char *path, const char **argv, const char **env) {
  int input[2], output[2], status[2];
  if (pipe2(input, O_CLOEXEC) < 0) return -errno;
  if (pipe2(output, O_CLOEXEC) < 0) return close(input[0]), close(input[1]), -errno;
  if (pipe2(status, O_CLOEXEC) < 0) return close(input[0]), close(input[1]), close(output[0]), close(output[1]), -errno;
  hook->pid = fork_plain();
  if (hook->pid == 0) run(path, argv, env, input[0], output[1], status[1]);
  close(input[0]);
  close(output[1]);
  close(status[1]);
  hook->input = input[1];
  hook->output = output[0];
  hook->status = status[0];
  fcntl(hook->input, F_SETFL, O_NONBLOCK);
  fcntl(hook->output, F_SETFL, O_NONBLOCK);
  if (hook->pid < 0) return hook->pid;
  hook->pidfd = (int)result(syscall(SYS_pidfd_open, hook->pid, 0));
  return hook->pidfd < 0 ? hook->pidfd : 0;
}

static void feed(struct hook *hook) {
  while (hook->part < 3) {
    if (hook->sizes[hook->part] == 0) {
      hook->part++;
      continue;
    }
    ssize_t size = write(hook->input, hook->parts[hook->part], hook->sizes[hook->part]);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) break; // it does not read: no matter
    hook->parts[hook->part] += size;
    hook->sizes[hook->part] -= (size_t)size;
  }
  forget(&hook->input);
}

// Keeps the last of what it says.
static void listen_to(struct machine *machine, struct hook *hook) {
  struct failure *failure = &machine->failure;
  char chunk[1024];
  ssize_t size;
  while ((size = read(hook->output, chunk, sizeof chunk)) > 0) {
    size_t room = DETAIL_MAX - 128, over = failure->detail_size + (size_t)size > room ? failure->detail_size + (size_t)size - room : 0;
    memmove(failure->detail, failure->detail + over, failure->detail_size - over);
    memcpy(failure->detail + failure->detail_size - over, chunk, (size_t)size);
    failure->detail_size += (uint32_t)((size_t)size - over);
  }
  if (size == 0) forget(&hook->output);
}

static bool serve(struct machine *machine, struct hook *hook, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - now_ms();
    if (left <= 0) return false;
    struct pollfd pollers[3] = {
        {.fd = hook->pidfd, .events = POLLIN}, {.fd = hook->output, .events = POLLIN}, {.fd = hook->input, .events = POLLOUT}};
    if (poll(pollers, 3, left > 1000000 ? 1000000 : (int)left) < 0 && errno != EINTR) return false;
    if (pollers[2].revents) feed(hook);
    if (pollers[1].revents) listen_to(machine, hook);
    if (pollers[0].revents) return true;
  }
}

// Puts "exit status 1, stdout: , stderr: " before what it said, which is how runc reports a hook.
static void explain(struct machine *machine, const char *how) {
  struct failure *failure = &machine->failure;
  char text[128];
  int size = snprintf(text, sizeof text, "%s, stdout: , stderr: ", how);
  memmove(failure->detail + size, failure->detail, failure->detail_size);
  memcpy(failure->detail, text, (size_t)size);
  failure->detail_size += (uint32_t)size;
}

static int finish(struct machine *machine, struct hook *hook, bool in_time) {
  int status = 0, error = 0;
  char how[64];
  if (!in_time) kill(hook->pid, SIGKILL);
  while (waitpid(hook->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (hook->output >= 0) listen_to(machine, hook);
  if (read(hook->status, &error, sizeof error) == sizeof error) return machine->failure.detail_size = 0, -error;
  if (in_time && status == 0) return machine->failure.detail_size = 0;
  if (!in_time)
    snprintf(how, sizeof how, "timed out");
  else if (WIFSIGNALED(status))
    snprintf(how, sizeof how, "signal: %s", strsignal(WTERMSIG(status)));
  else
    snprintf(how, sizeof how, "exit status %d", WEXITSTATUS(status));
  explain(machine, how);
  return -EIO;
}

int op_run(struct machine *machine, struct args *args) {
  struct hook hook = {.pid = -1, .pidfd = -1, .input = -1, .output = -1, .status = -1};
  const char *path = arg_string(args);
  const char **argv = map_strings(args), **env = map_strings(args);
  const char *input = arg_string(args), *token = arg_string(args);
  int64_t timeout = arg_u32(args);
  if (!argv || !env) return -ENOMEM;
  char pid[16];
  const char *at = *token ? strstr(input, token) : NULL;
  hook.parts[0] = input;
  hook.sizes[0] = at ? (size_t)(at - input) : strlen(input);
  if (at) {
    hook.parts[1] = pid;
    hook.sizes[1] = (size_t)snprintf(pid, sizeof pid, "%d", machine->child.pid > 0 ? machine->child.pid : getpid());
    hook.parts[2] = at + strlen(token);
    hook.sizes[2] = strlen(hook.parts[2]);
  }
  machine->failure.detail_size = 0;
  int got = start(&hook, path, argv, env);
  if (got == 0) got = finish(machine, &hook, serve(machine, &hook, now_ms() + timeout));
  forget(&hook.input);
  forget(&hook.output);
  forget(&hook.status);
  forget(&hook.pidfd);
  return got;
}
