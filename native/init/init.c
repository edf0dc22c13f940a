// berth-init: process 1 of a container that was started with --init, as tini is. It starts the command in a process group of its
// own, passes signals on to it, reaps whatever is orphaned, and ends with the command's exit code.
//
//     /sbin/docker-init -- command arguments...
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void say(const char *text) {
  if (write(2, text, strlen(text)) < 0) return;
}

// As execvp, with the error codes of a shell.
__attribute__((noreturn)) static void execute(char **argv) {
  execvp(argv[0], argv);
  int error = errno;
  say("[berth-init] exec ");
  say(argv[0]);
  say(" failed: ");
  say(strerror(error));
  say("\n");
  _exit(error == ENOENT ? 127 : 126);
}

static pid_t start(char **argv, const sigset_t *before) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  setpgid(0, 0);
  // Where there is a terminal the command gets it, as from a shell; SIGTTOU, ignored still, would stop us for it.
  tcsetpgrp(0, getpid());
  signal(SIGTTOU, SIG_DFL);
  signal(SIGTTIN, SIG_DFL);
  sigprocmask(SIG_SETMASK, before, NULL);
  execute(argv);
}

static int reap(pid_t child, int *code) {
  int status, ended = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != child) continue;
    ended = 1;
    *code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended;
}

int main(int argc, char **argv) {
  int first = 1;
  if (argc > first && strcmp(argv[first], "--") == 0) first++;
  if (argc <= first) {
    say("usage: berth-init [--] command [argument...]\n");
    return 2;
  }
  // All signals wait in the queue but those that report our own mistakes.
  static const int own[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU};
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&all, own[i]);
  sigprocmask(SIG_SETMASK, &all, &before);
  signal(SIGTTIN, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);

  pid_t child = start(argv + first, &before);
  if (child < 0) return 126;
  for (;;) {
    int code = 0, number = sigwaitinfo(&all, NULL);
    if (number < 0) continue;
    if (number == SIGCHLD) {
      if (reap(child, &code)) return code;
    } else {
      kill(child, number);
    }
  }
}
