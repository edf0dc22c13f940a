// Clients of attach and exec. The daemon hands over their sockets; from then on they are served here, whether the daemon lives
// or not.
//
// A client that does not keep up holds the container up for a moment only (STALL_NS, SLOW_NS): what it has not taken goes on to a
// nameless file, from which it catches up at its own pace. With more than `spill_soft` in the file it holds the container up again,
// as long as it takes something; with more than `spill_hard` it is cut off.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "life.h"

#define HEADER 8
#define PENDING (CHUNK + HEADER)
#define HELD 4096
#define SEND_BUFFER (1024 * 1024)
#define HOLE (16ull << 20)

static uint32_t generations[CLIENTS];

static uint32_t index_of(const struct client *client) { return (uint32_t)(client - clients); }

static struct process *process_of(const struct client *client) { return &processes[client->process]; }

static void *map(size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static size_t held_size(const struct client *client) {
  return client->held_end > HELD ? (client->held_end + 4095u) & ~4095u : HELD;
}

static void release_throttle(struct client *client) {
  if (!client->throttled) return;
  client->throttled = false;
  struct process *process = process_of(client);
  if (--process->blocked == 0) streams_arm(process);
}

static void throttle(struct client *client) {
  client->blocked_at = client->progress_at = shim.now;
  if (client->throttled) return;
  client->throttled = true;
  struct process *process = process_of(client);
  if (process->blocked++ == 0) streams_arm(process);
}

static void drop_output(struct client *client) {
  release_throttle(client);
  if (client->pending) munmap(client->pending, PENDING);
  client->pending = NULL;
  client->pending_start = client->pending_end = 0;
  if (client->spill >= 0) close(client->spill);
  client->spill = -1;
  client->spill_start = client->spill_end = 0;
}

static void client_close(struct client *client, uint8_t why) {
  if (!client->lingering) control_client_event(client->id, client->number, why); // else the end has been told
  drop_output(client);
  if (client->held) munmap(client->held, held_size(client));
  client->held = NULL;
  if (client->registered) watch(EPOLL_CTL_DEL, client->fd, ON_CLIENT, 0, 0);
  client->registered = false;
  if (why == WIRE_CLIENT_DETACHED || why == WIRE_CLIENT_CUT_OFF) shutdown(client->fd, SHUT_RDWR);
  close(client->fd);
  client->fd = -1;
  shim.clients--;
  while (shim.client_top > 0 && clients[shim.client_top - 1].fd < 0) shim.client_top--;
}

static bool input_wanted(const struct client *client) {
  return (client->flags & WIRE_ATTACH_STDIN) && !client->input_ended && !client->ending;
}

static bool output_waiting(const struct client *client) {
  return client->pending_start < client->pending_end || client->spill >= 0;
}

void client_arm(struct client *client) {
  if (client->fd < 0) return;
  uint32_t events = 0;
  if (client->lingering) events |= EPOLLIN;
  if (input_wanted(client) && !client->paused && process_of(client)->phase >= PROCESS_CREATED) events |= EPOLLIN;
  if (!client->deaf && output_waiting(client)) events |= EPOLLOUT;
  // A client that hung up reports it for ever: not watched until it is wanted again.
  bool wanted = events != 0 || !client->deaf;
  if (!wanted) {
    if (client->registered) watch(EPOLL_CTL_DEL, client->fd, ON_CLIENT, 0, 0);
    client->registered = false;
    return;
  }
  if (client->registered && client->events == events) return;
  uint32_t tag = index_of(client) | generations[index_of(client)] << 10;
  int operation = client->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  client->registered = watch(operation, client->fd, ON_CLIENT, tag, events) == 0 || client->registered;
  client->events = events;
}

struct client *client_of_event(uint32_t tag) {
  uint32_t index = tag % CLIENTS;
  return generations[index] == tag >> 10 ? &clients[index] : NULL;
}

struct client *client_add(struct process *process, int fd, uint32_t id, uint8_t flags) {
  uint32_t index = 0;
  while (index < CLIENTS && index < shim.client_top && clients[index].fd >= 0) index++;
  if (index == CLIENTS) return NULL;
  struct client *client = &clients[index];
  memset(client, 0, sizeof *client);
  client->fd = fd;
  client->id = id;
  client->process = process_index(process);
  client->number = process->number;
  client->flags = flags;
  client->spill = -1;
  generations[index] = (generations[index] + 1) & 0x3fffff;
  if (index >= shim.client_top) shim.client_top = index + 1;
  shim.clients++;
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  int size = SEND_BUFFER, one = 1;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one); // a client that vanished from the network is found out
  return client;
}

// ── output ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

static void output_flushed(struct client *client) {
  if (!client->ending || client->lingering) return;
  control_client_event(client->id, client->number, WIRE_CLIENT_ENDED); // first: who sees the end may ask about it
  shutdown(client->fd, SHUT_WR);
  client->lingering = true;
  if (client->input_ended || client->deaf) {
    client_close(client, WIRE_CLIENT_ENDED);
    return;
  }
  // Closing with unread input would reset the connection, and the last output might be lost: wait for the other side's end.
  client->linger_until = shim.now + LINGER_NS;
  client_arm(client);
}

static bool spill_append(struct client *client, const uint8_t *bytes, uint32_t size) {
  while (size > 0) {
    ssize_t written = pwrite(client->spill, bytes, size, (off_t)client->spill_end);
    if (written <= 0) return false;
    bytes += written;
    size -= (uint32_t)written;
    client->spill_end += (uint64_t)written;
  }
  return true;
}

// From now on its output goes through a file. False when the client is no more.
static bool spill_begin(struct client *client) {
  client->spill = open(shim.spill_path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  bool kept = client->spill >= 0;
  kept = kept && spill_append(client, client->pending + client->pending_start, client->pending_end - client->pending_start);
  if (!kept) {
    client_close(client, WIRE_CLIENT_CUT_OFF);
    return false;
  }
  client->pending_start = client->pending_end = 0;
  release_throttle(client);
  return true;
}

static void put_header(uint8_t *header, int which, uint32_t size) {
  memset(header, 0, HEADER);
  header[0] = (uint8_t)(which + 1);
  for (int i = 0; i < 4; i++) header[4 + i] = (uint8_t)(size >> (24 - 8 * i));
}

void client_output(struct client *client, int which, const uint8_t *bytes, uint32_t size) {
  if (client->deaf || !(client->flags & (which == 0 ? WIRE_ATTACH_STDOUT : WIRE_ATTACH_STDERR))) return;
  uint8_t header[HEADER];
  uint32_t header_size = client->flags & WIRE_ATTACH_FRAMED ? HEADER : 0;
  put_header(header, which, size);

  if (client->spill < 0 && client->pending_start < client->pending_end && !spill_begin(client)) return;
  if (client->spill >= 0) {
    uint64_t backlog = client->spill_end - client->spill_start;
    bool room = backlog + size <= shim.spill_hard;
    if (!room || !spill_append(client, header, header_size) || !spill_append(client, bytes, size)) {
      client_close(client, WIRE_CLIENT_CUT_OFF);
      return;
    }
    if (backlog > shim.spill_soft && shim.now - client->progress_at < STALL_NS) throttle(client);
    return;
  }

  struct iovec parts[2] = {{header, header_size}, {(void *)bytes, size}};
  struct msghdr message = {.msg_iov = header_size ? parts : parts + 1, .msg_iovlen = header_size ? 2 : 1};
  ssize_t sent = sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      client_event(client, EPOLLERR);
      return;
    }
    sent = 0;
  }
  uint32_t total = header_size + size, done = (uint32_t)sent;
  if (done == total) return;
  if (!client->pending) client->pending = map(PENDING);
  if (!client->pending) {
    client_close(client, WIRE_CLIENT_CUT_OFF);
    return;
  }
  client->pending_start = client->pending_end = 0;
  if (done < header_size) {
    memcpy(client->pending, header + done, header_size - done);
    client->pending_end = header_size - done;
    done = header_size;
  }
  memcpy(client->pending + client->pending_end, bytes + (done - header_size), total - done);
  client->pending_end += total - done;
  throttle(client);
  client_arm(client);
}

static void flush_pending(struct client *client) {
  ssize_t sent = send(client->fd, client->pending + client->pending_start, client->pending_end - client->pending_start,
                      MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent <= 0) return; // an error comes back as an event
  client->pending_start += (uint32_t)sent;
  client->progress_at = shim.now;
  if (client->pending_start == client->pending_end) release_throttle(client);
}

static void flush_spill(struct client *client) {
  while (client->spill_start < client->spill_end) {
    off_t offset = (off_t)client->spill_start;
    ssize_t sent = sendfile(client->fd, client->spill, &offset, client->spill_end - client->spill_start);
    if (sent <= 0) break;
    uint64_t before = client->spill_start / HOLE;
    client->spill_start += (uint64_t)sent;
    client->progress_at = shim.now;
    if (client->spill_start / HOLE != before) {
      fallocate(client->spill, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)(client->spill_start / HOLE * HOLE));
    }
  }
  if (client->spill_start == client->spill_end) {
    close(client->spill);
    client->spill = -1;
    client->spill_start = client->spill_end = 0;
  }
  if (client->spill_end - client->spill_start <= shim.spill_soft) release_throttle(client);
}

void client_end(struct client *client) {
  if (client->ending) return;
  release_throttle(client); // before `ending`: the process may be gone afterwards
  client->ending = true;
  if (client->deaf) client_close(client, WIRE_CLIENT_GONE);
  else if (output_waiting(client)) client_arm(client);
  else output_flushed(client);
}

// ── input ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

static void input_end(struct client *client) {
  client->input_ended = true;
  struct process *process = process_of(client);
  if ((process->io & WIRE_IO_STDIN_ONCE) && !(process->io & WIRE_IO_TERMINAL)) input_close(process);
}

// Writes what is held. False when the process does not take it all now.
static bool held_write(struct client *client) {
  struct process *process = process_of(client);
  while (client->held_start < client->held_end) {
    ssize_t written = process->input < 0 ? -1 : write(process->input, client->held + client->held_start, client->held_end - client->held_start);
    if (written > 0) {
      client->held_start += (uint32_t)written;
      continue;
    }
    if (process->input >= 0 && errno == EINTR) continue;
    if (process->input >= 0 && errno == EAGAIN) {
      client->paused = true;
      input_wait(process, true);
      return false;
    }
    input_close(process); // nobody reads it any more
    client->held_start = client->held_end;
  }
  return true;
}

// Puts bytes behind what is held; there is room.
static void hold(struct client *client, const uint8_t *bytes, uint32_t size) {
  memcpy(client->held + client->held_end, bytes, size);
  client->held_end += size;
}

void client_feed(struct client *client, const uint8_t *bytes, uint32_t size) {
  if (size == 0 || !(client->flags & WIRE_ATTACH_STDIN)) return;
  client->held = map(size > HELD ? (size + 4095u) & ~4095u : HELD);
  if (!client->held) return;
  hold(client, bytes, size);
}

// Looks for the detach keys; what turns out not to be them is passed on. True when all of them came.
static bool pass_keys(struct client *client, const uint8_t *bytes, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) {
    if (client->key_count > 0 && bytes[i] == client->keys[client->matched]) {
      if (++client->matched == client->key_count) return true;
      continue;
    }
    if (client->matched > 0) {
      hold(client, client->keys, client->matched);
      client->matched = 0;
      if (bytes[i] == client->keys[0]) {
        client->matched = 1;
        continue;
      }
    }
    hold(client, &bytes[i], 1);
  }
  return false;
}

// One read from a client of a terminal. False when there is no more now, or no client.
static bool input_terminal(struct client *client) {
  uint8_t bytes[1024];
  ssize_t size = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (size == 0) input_end(client);
  if (size <= 0) return false;
  if (!client->held) client->held = map(HELD);
  if (!client->held) return false;
  client->held_start = client->held_end = 0;
  if (pass_keys(client, bytes, (uint32_t)size)) {
    held_write(client);
    client_close(client, WIRE_CLIENT_DETACHED);
    return false;
  }
  return held_write(client);
}

static bool input_pipe(struct client *client) {
  struct process *process = process_of(client);
  ssize_t size = splice(client->fd, NULL, process->input, NULL, 1 << 20, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (size > 0) return true;
  if (size == 0) {
    input_end(client);
    return false;
  }
  if (errno == EINTR) return true;
  if (errno == EPIPE) {
    input_close(process);
    return true;
  }
  if (errno != EAGAIN) {
    input_end(client);
    return false;
  }
  struct pollfd room = {.fd = process->input, .events = POLLOUT};
  if (poll(&room, 1, 0) == 1 && (room.revents & POLLERR)) {
    input_close(process);
    return true;
  }
  if (!(room.revents & POLLOUT)) {
    client->paused = true;
    input_wait(process, true);
  }
  return false;
}

static bool input_discard(struct client *client) {
  uint8_t bytes[4096];
  ssize_t size = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) client->input_ended = true;
  return size > 0;
}

void client_input(struct client *client) {
  if (!input_wanted(client) || process_of(client)->phase < PROCESS_CREATED) return;
  if (!held_write(client)) return;
  for (int rounds = 0; rounds < 32 && client->fd >= 0 && input_wanted(client) && !client->paused; rounds++) {
    struct process *process = process_of(client);
    bool more = process->input < 0                   ? input_discard(client)
                : (process->io & WIRE_IO_TERMINAL) ? input_terminal(client)
                                                   : input_pipe(client);
    if (!more) return;
  }
}

void clients_awake(const struct process *process) {
  for (uint32_t i = 0; i < shim.client_top; i++) {
    if (clients[i].fd < 0 || clients[i].process != process_index(process) || clients[i].ending) continue;
    client_input(&clients[i]);
    client_arm(&clients[i]);
  }
}

// ── events and time ────────────────────────────────────────────────────────────────────────────────────────────────────

void client_event(struct client *client, uint32_t events) {
  if (client->fd < 0) return;
  if (events & (EPOLLERR | EPOLLHUP)) {
    client->deaf = true;
    drop_output(client);
    if (client->ending || !input_wanted(client)) {
      client_close(client, WIRE_CLIENT_GONE);
      return;
    }
  }
  if ((events & EPOLLOUT) && client->pending_start < client->pending_end) flush_pending(client);
  else if ((events & EPOLLOUT) && client->spill >= 0) flush_spill(client);
  if (client->ending && !output_waiting(client)) output_flushed(client);
  if (client->fd < 0) return;
  if (client->lingering && (events & EPOLLIN)) {
    while (input_discard(client)) {
    }
    if (client->input_ended) {
      client_close(client, WIRE_CLIENT_ENDED);
      return;
    }
  }
  if (events & (EPOLLIN | EPOLLHUP)) client_input(client);
  if (client->fd < 0) return;
  if (client->deaf && !input_wanted(client)) {
    client_close(client, WIRE_CLIENT_GONE);
    return;
  }
  client_arm(client);
}

void clients_release(void) {
  for (uint32_t i = 0; i < shim.client_top; i++) {
    struct client *client = &clients[i];
    if (client->fd < 0 || !client->pending || client->pending_start < client->pending_end) continue;
    munmap(client->pending, PENDING);
    client->pending = NULL;
  }
}

static uint64_t deadline_of(const struct client *client) {
  if (client->lingering) return client->linger_until;
  if (!client->throttled) return UINT64_MAX;
  uint64_t stall = client->progress_at + STALL_NS, slow = client->blocked_at + SLOW_NS;
  return client->spill >= 0 || stall < slow ? stall : slow;
}

uint64_t clients_deadline(void) {
  uint64_t first = UINT64_MAX;
  for (uint32_t i = 0; i < shim.client_top; i++) {
    if (clients[i].fd < 0) continue;
    uint64_t deadline = deadline_of(&clients[i]);
    if (deadline < first) first = deadline;
  }
  return first;
}

void clients_timeout(void) {
  for (uint32_t i = 0; i < shim.client_top; i++) {
    struct client *client = &clients[i];
    if (client->fd < 0 || deadline_of(client) > shim.now) continue;
    if (client->lingering) client_close(client, WIRE_CLIENT_ENDED);
    else if (client->spill >= 0) release_throttle(client);
    else if (spill_begin(client)) client_arm(client);
  }
}
