// The streams of the container and of execs. What a process writes is read once, into one buffer that all share, then logged and
// handed to the clients before anything else is read.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "life.h"

// Room for an unfinished line of up to LINE_MAX_ in front of the chunk, for the log to see lines in one piece.
static uint8_t chunk[WHOLE_PAGES(LINE_MAX_ + CHUNK)] __attribute__((aligned(PAGE_MAX)));

void chunk_release(void) { madvise(chunk, sizeof chunk, MADV_DONTNEED); }

static void nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static enum kind kind_of(int which) { return which == 0 ? ON_STDOUT : ON_STDERR; }

static bool is_terminal(const struct process *process) { return process->io & WIRE_IO_TERMINAL; }

void streams_take(struct process *process) {
  struct machine *machine = process->machine;
  if (!machine) return;
  struct stdio *stdio = &machine->stdio;
  if (stdio->terminal >= 0) {
    nonblocking(stdio->terminal);
    process->out[0].fd = stdio->terminal;
    process->input = stdio->terminal;
  } else {
    if (stdio->stdout_ >= 0) nonblocking(process->out[0].fd = stdio->stdout_);
    if (stdio->stderr_ >= 0) nonblocking(process->out[1].fd = stdio->stderr_);
    if (stdio->stdin_ >= 0) nonblocking(process->input = stdio->stdin_);
  }
  stdio->terminal = stdio->stdin_ = stdio->stdout_ = stdio->stderr_ = -1;
}

void terminal_take(struct process *process, int fd) {
  nonblocking(fd);
  process->out[0].fd = process->input = fd;
  process->terminal_missing = false;
  if (process->phase != PROCESS_RUNNING) return;
  streams_arm(process);
  if (process->exited) streams_drain(process, false);
  process_maybe_finish(process);
}

static void disarm(struct process *process, int which) {
  struct output *out = &process->out[which];
  if (!out->armed) return;
  watch(EPOLL_CTL_DEL, out->fd, kind_of(which), 0, 0);
  out->armed = false;
}

// Watches what the process writes, or stops while a client holds it up. A terminal is also watched for room to write.
void streams_arm(struct process *process) {
  for (int which = 0; which < 2; which++) {
    struct output *out = &process->out[which];
    if (out->fd < 0) continue;
    bool wanted = process->blocked == 0 && process->retry_at == 0;
    if (wanted && !out->armed) {
      uint32_t events = EPOLLIN;
      if (which == 0 && is_terminal(process) && process->terminal_writable_wanted) events |= EPOLLOUT;
      out->armed = watch(EPOLL_CTL_ADD, out->fd, kind_of(which), process_index(process), events) == 0;
    } else if (!wanted) {
      disarm(process, which);
    }
  }
}

void stream_close(struct process *process, int which) {
  struct output *out = &process->out[which];
  if (out->fd < 0) return;
  disarm(process, which);
  close(out->fd);
  if (process->input == out->fd) process->input = -1; // a terminal
  out->fd = -1;
}

static void distribute(struct process *process, int which, uint8_t *bytes, uint32_t size) {
  uint32_t index = process_index(process);
  if (shim.clients > 0) {
    for (uint32_t i = 0; i < shim.client_top; i++) {
      struct client *client = &clients[i];
      if (client->fd >= 0 && client->process == index && !client->ending) client_output(client, which, bytes, size);
    }
  }
  if (index == 0 && log_wanted()) log_chunk(which, bytes, size);
}

// Reads one chunk. False when there was nothing (now, or for ever: then the stream is closed).
static bool read_chunk(struct process *process, int which) {
  struct output *out = &process->out[which];
  uint8_t *bytes = chunk + LINE_MAX_;
  ssize_t size = read(out->fd, bytes, CHUNK);
  if (size > 0) {
    buffers_used();
    distribute(process, which, bytes, (uint32_t)size);
    return true;
  }
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (size < 0 && errno == EIO && is_terminal(process) && !process->exited) {
    // No process has the terminal open at the moment. The container may open it again.
    disarm(process, which);
    process->retry_at = shim.now + TERMINAL_RETRY_NS;
    return false;
  }
  stream_close(process, which);
  return false;
}

void stream_readable(struct process *process, int which) {
  if (process->out[which].fd < 0) return;
  if (which == 0 && is_terminal(process) && process->terminal_writable_wanted) input_writable(process);
  if (process->out[which].fd < 0 || process->blocked > 0) return;
  read_chunk(process, which);
  process_maybe_finish(process);
}

// Reads what is there. `close_after`: the time is up, nobody may hold it up any more.
void streams_drain(struct process *process, bool close_after) {
  for (int which = 0; which < 2; which++) {
    // A pipe holds 1 MiB at most, so this ends even when a grandchild goes on writing.
    for (int chunks = 0; chunks < 64 && process->out[which].fd >= 0; chunks++) {
      if (process->blocked > 0 && !close_after) break;
      if (!read_chunk(process, which)) break;
    }
    if (close_after) stream_close(process, which);
  }
}

// ── input ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

static void input_drop(struct process *process) {
  if (process->input < 0) return;
  if (process->stdin_armed) watch(EPOLL_CTL_DEL, process->input, ON_STDIN, 0, 0);
  process->stdin_armed = false;
  if (!is_terminal(process)) close(process->input);
  process->input = -1;
}

void input_close(struct process *process) {
  if (is_terminal(process) && process->out[0].fd >= 0) return; // closes with the output
  input_drop(process);
}

// Asks to be told when the process takes input again.
void input_wait(struct process *process, bool wanted) {
  if (process->input < 0) return;
  if (is_terminal(process)) {
    if (process->terminal_writable_wanted == wanted) return;
    process->terminal_writable_wanted = wanted;
    if (process->out[0].armed) {
      watch(EPOLL_CTL_MOD, process->out[0].fd, ON_STDOUT, process_index(process), wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return;
  }
  if (process->stdin_armed == wanted) return;
  if (watch(wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, process->input, ON_STDIN, process_index(process), EPOLLOUT) == 0) {
    process->stdin_armed = wanted;
  }
}

void input_writable(struct process *process) {
  input_wait(process, false);
  for (uint32_t i = 0; i < shim.client_top; i++) {
    struct client *client = &clients[i];
    if (client->fd < 0 || client->process != process_index(process) || client->ending || !client->paused) continue;
    client->paused = false;
    client_input(client);
    client_arm(client);
    if (client->paused) break; // full again: the others wait their turn
  }
}
