// A shim from its first instruction to its last: one thread, one epoll set, no allocation but a few mappings that come and go.
//
// Signals are caught by handlers that only wake the loop, never blocked or ignored: handlers go away with execve, so nothing has
// to be put right in the children that programs start.
#define _GNU_SOURCE
#include "life.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h> // rename
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "shim.h"

#define PROGRAM_FD 3
#define CONTROL_FD 4
#define BATCH 64

struct shim shim;
struct process processes[PROCESSES];
struct client clients[CLIENTS];

static bool buffers_dirty;

uint64_t monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t wall_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int watch(int operation, int fd, enum kind kind, uint32_t index, uint32_t events) {
  struct epoll_event event = {.events = events, .data.u64 = (uint64_t)kind << 32 | index};
  return epoll_ctl(shim.epoll, operation, fd, &event) < 0 ? -errno : 0;
}

// Aborts here when a test asked for it: BERTH_CRASH=<name>.
void crash_point(const char *name) {
  const char *wanted = getenv("BERTH_CRASH");
  if (wanted && strcmp(wanted, name) == 0) abort();
}

static void on_child(int signal) {
  (void)signal;
  int saved = errno;
  uint64_t one = 1;
  if (write(shim.child_event, &one, sizeof one) < 0) {
    // The counter is at its maximum only if it is readable anyway.
  }
  errno = saved;
}

static void on_nothing(int signal) { (void)signal; }

static void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  // A broken pipe is an error of write; the rest are for the container, not for who guards it.
  action.sa_handler = on_nothing;
  const int others[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGXFSZ};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) sigaction(others[i], &action, NULL);
}

static char *append(char *at, const char *text) {
  size_t size = strlen(text);
  memcpy(at, text, size);
  return at + size;
}

static char *append_number(char *at, uint64_t value) {
  char digits[20];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  while (count > 0) *at++ = digits[--count];
  return at;
}

// The truth about the exit, whoever is there to hear of it: complete or absent.
void write_exit_file(const struct exit_status *status) {
  char text[160], *at = text;
  at = append(at, "{\"code\":");
  at = append_number(at, (uint64_t)status->code);
  at = append(at, ",\"signal\":");
  at = append_number(at, (uint64_t)status->signal);
  at = append(at, ",\"time\":\"");
  at = append_number(at, status->time_ns);
  at = append(at, status->oom ? "\",\"oom\":true}\n" : "\",\"oom\":false}\n");
  int fd = openat(shim.directory, "exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return;
  ssize_t written = write(fd, text, (size_t)(at - text));
  close(fd);
  crash_point("shim-exit-file");
  if (written == at - text) renameat(shim.directory, "exit.new", shim.directory, "exit");
}

void buffers_used(void) { buffers_dirty = true; }

static int timeout_ms(void) {
  uint64_t deadline = clients_deadline();
  for (uint32_t i = 0; i < shim.process_top; i++) {
    const struct process *process = &processes[i];
    if (process->drain_until && process->drain_until < deadline) deadline = process->drain_until;
    if (process->retry_at && process->retry_at < deadline) deadline = process->retry_at;
  }
  int idle = buffers_dirty ? IDLE_MS : -1;
  if (deadline == UINT64_MAX) return idle;
  uint64_t now = monotonic_ns();
  if (deadline <= now) return 0;
  uint64_t ms = (deadline - now + MS - 1) / MS;
  if (idle >= 0 && (uint64_t)idle < ms) return idle;
  return ms > 60000 ? 60000 : (int)ms;
}

static void run_timeouts(void) {
  clients_timeout();
  for (uint32_t i = 0; i < shim.process_top; i++) {
    struct process *process = &processes[i];
    if (process->retry_at && process->retry_at <= shim.now) {
      process->retry_at = 0;
      streams_arm(process);
    }
    if (process->drain_until && process->drain_until <= shim.now) {
      process->drain_until = 0;
      process->terminal_missing = false;
      streams_drain(process, true);
      process_maybe_finish(process);
    }
  }
}

static void dispatch(const struct epoll_event *event) {
  uint32_t index = (uint32_t)event->data.u64;
  switch ((enum kind)(event->data.u64 >> 32)) {
    case ON_CHILD: {
      uint64_t count;
      if (read(shim.child_event, &count, sizeof count) > 0) processes_reap();
      break;
    }
    case ON_LISTEN: control_accept(); break;
    case ON_CONNECTION: control_readable(index); break;
    case ON_STDOUT: stream_readable(&processes[index], 0); break;
    case ON_STDERR: stream_readable(&processes[index], 1); break;
    case ON_STDIN: input_writable(&processes[index]); break;
    case ON_CLIENT: {
      struct client *client = client_of_event(index);
      if (client) client_event(client, event->events);
      break;
    }
    case ON_MACHINE: process_advance(&processes[index]); break;
    case ON_OOM: oom_event(); break;
  }
}

// Nothing to stay for: told to leave or forgotten by every daemon, and nobody is owed a byte.
static bool finished(void) {
  if (shim.clients > 0) return false;
  if (shim.leaving) return true;
  return shim.connections == 0 && shim.phase != WIRE_PHASE_RUNNING; // never started: the next daemon would not want it
}

int shim_main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  shim.listener = shim.directory = shim.oom_event = shim.oom_directory = -1;
  shim.epoll = epoll_create1(EPOLL_CLOEXEC);
  shim.child_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (shim.epoll < 0 || shim.child_event < 0) return 125;
  fcntl(PROGRAM_FD, F_SETFD, FD_CLOEXEC);
  fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
  catch_signals();
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  watch(EPOLL_CTL_ADD, shim.child_event, ON_CHILD, 0, EPOLLIN);

  shim.now = monotonic_ns();
  control_first(CONTROL_FD);
  if (shim.phase == WIRE_PHASE_CREATING && processes[0].phase == PROCESS_FREE) return 125;
  process_launch(&processes[0], PROGRAM_FD);

  struct epoll_event events[BATCH];
  while (!finished()) {
    int count = epoll_wait(shim.epoll, events, BATCH, timeout_ms());
    shim.now = monotonic_ns();
    if (count < 0 && errno != EINTR) return 125;
    if (count == 0 && buffers_dirty) {
      buffers_dirty = false;
      chunk_release();
      log_release();
      clients_release();
    }
    for (int i = 0; i < count; i++) dispatch(&events[i]);
    run_timeouts();
  }
  // Created and never started, or refused: its init must not outlive us.
  if (processes[0].pid > 0 && !processes[0].exited) kill(processes[0].pid, SIGKILL);
  if (shim.phase < WIRE_PHASE_RUNNING && shim.directory >= 0) {
    // For a daemon that comes later: there was no run of which an exit could be missing.
    int unstarted = openat(shim.directory, "unstarted", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (unstarted >= 0) close(unstarted);
  }
  log_finish();
  unlinkat(shim.directory, "shim.sock", 0);
  return 0;
}
