// The daemons' connections: the socket pair that came with the start, and whoever connects to shim.sock later. Whatever arrives is
// checked before it is used; a peer that breaks the rules, or does not read, is hung up on and may connect again.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "life.h"

#define FDS 8

static struct connection {
  int fd; // -1: free
  uint32_t serial, used;
  int fds[FDS];
  uint32_t fd_count;
  uint8_t buffer[WIRE_FRAME_MAX];
} connections[CONNECTIONS];
static uint32_t serials;

// ── reading and writing values ─────────────────────────────────────────────────────────────────────────────────────────

struct reader {
  const uint8_t *at, *end;
  bool bad;
};

static const uint8_t *take(struct reader *reader, size_t size) {
  if ((size_t)(reader->end - reader->at) < size) {
    reader->bad = true;
    reader->at = reader->end;
    return NULL;
  }
  const uint8_t *bytes = reader->at;
  reader->at += size;
  return bytes;
}

static uint64_t take_uint(struct reader *reader, size_t size) {
  const uint8_t *bytes = take(reader, size);
  uint64_t value = 0;
  if (bytes) memcpy(&value, bytes, size);
  return value;
}
#define U8(r) ((uint8_t)take_uint(r, 1))
#define U16(r) ((uint16_t)take_uint(r, 2))
#define U32(r) ((uint32_t)take_uint(r, 4))
#define U64(r) take_uint(r, 8)

// Into `to` of `room` bytes, with an end.
static void take_string(struct reader *reader, char *to, size_t room) {
  size_t size = U16(reader);
  const uint8_t *bytes = take(reader, size);
  if (!bytes || size >= room) {
    reader->bad = true;
    to[0] = 0;
    return;
  }
  memcpy(to, bytes, size);
  to[size] = 0;
}

static uint8_t *put_u32(uint8_t *to, uint32_t value) {
  memcpy(to, &value, 4);
  return to + 4;
}

static uint8_t *put_string(uint8_t *to, const char *text) {
  uint16_t size = (uint16_t)strlen(text);
  memcpy(to, &size, 2);
  memcpy(to + 2, text, size);
  return to + 2 + size;
}

static uint8_t *put_exit(uint8_t *to, const struct exit_status *status) {
  memcpy(to, &status->code, 4);
  memcpy(to + 4, &status->signal, 4);
  memcpy(to + 8, &status->time_ns, 8);
  to[16] = status->oom;
  return to + 17;
}

// ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────────

static void hang_up(struct connection *connection) {
  if (connection->fd < 0) return;
  close(connection->fd);
  connection->fd = -1;
  for (uint32_t i = 0; i < connection->fd_count; i++) close(connection->fds[i]);
  connection->fd_count = 0;
  shim.connections--;
}

static void send_frame(struct connection *connection, uint16_t type, uint32_t sequence, const int32_t *result, const void *data, size_t size) {
  if (connection->fd < 0) return;
  uint8_t header[WIRE_HEADER + 4] = {0};
  size_t header_size = result ? WIRE_HEADER + 4 : WIRE_HEADER;
  put_u32(header, (uint32_t)(header_size + size));
  memcpy(header + 4, &type, 2);
  put_u32(header + 8, sequence);
  if (result) memcpy(header + WIRE_HEADER, result, 4);
  struct iovec parts[2] = {{header, header_size}, {(void *)data, size}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  ssize_t sent = sendmsg(connection->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent != (ssize_t)(header_size + size)) hang_up(connection);
}

void control_reply(int connection, uint32_t serial, uint16_t request, uint32_t sequence, int32_t result, const void *data, size_t size) {
  if (connection < 0 || connections[connection].serial != serial) return;
  send_frame(&connections[connection], (uint16_t)(request | WIRE_REPLY), sequence, &result, data, size);
}

void control_event(uint16_t type, const void *data, size_t size) {
  for (int i = 0; i < CONNECTIONS; i++) send_frame(&connections[i], type, 0, NULL, data, size);
}

void control_exit_event(const struct process *process) {
  uint8_t bytes[32 + EXEC_ID_MAX];
  uint8_t *at = put_string(put_exit(put_u32(bytes, process->number), &process->exit), process->exec_id);
  control_event(WIRE_EVENT_EXIT, bytes, (size_t)(at - bytes));
}

void control_client_event(uint32_t id, uint32_t number, uint8_t why) {
  uint8_t bytes[9];
  *put_u32(put_u32(bytes, id), number) = why;
  control_event(WIRE_EVENT_CLIENT, bytes, sizeof bytes);
}

static uint8_t state_bytes[WIRE_FRAME_MAX];

static size_t put_state(void) {
  uint8_t *at = state_bytes;
  uint16_t version = WIRE_VERSION;
  memcpy(at, &version, 2);
  at = put_u32(at + 2, (uint32_t)getpid());
  at = put_u32(at, (uint32_t)processes[0].pid);
  *at++ = shim.phase;
  at = put_exit(at, &processes[0].exit);
  *at++ = processes[0].io;
  uint8_t *count_at = at;
  uint32_t count = 0;
  at += 4;
  for (uint32_t i = 1; i < shim.process_top; i++) {
    const struct process *process = &processes[i];
    if (process->phase != PROCESS_RUNNING && process->phase != PROCESS_STOPPED) continue;
    if (at + 32 + EXEC_ID_MAX + WIRE_HEADER + 4 > state_bytes + sizeof state_bytes) break;
    at = put_u32(put_u32(at, process->number), (uint32_t)process->pid);
    *at++ = process->phase == PROCESS_STOPPED;
    at = put_string(put_exit(at, &process->exit), process->exec_id);
    count++;
  }
  put_u32(count_at, count);
  return (size_t)(at - state_bytes);
}

// ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────

struct request {
  struct connection *connection;
  uint16_t type;
  uint32_t sequence;
  struct reader payload;
};

static void reply(const struct request *request, int32_t result, const void *data, size_t size) {
  send_frame(request->connection, (uint16_t)(request->type | WIRE_REPLY), request->sequence, &result, data, size);
}

static int take_fd(struct connection *connection) {
  if (connection->fd_count == 0) return -1;
  int fd = connection->fds[0];
  connection->fd_count--;
  memmove(connection->fds, connection->fds + 1, connection->fd_count * sizeof fd);
  return fd;
}

static void answer_later(struct process *process, const struct request *request) {
  process->connection = (int)(request->connection - connections);
  process->connection_serial = request->connection->serial;
  process->request = request->type;
  process->sequence = request->sequence;
}

static struct process *new_process(uint32_t number, uint8_t io) {
  uint32_t index = 0;
  while (index < shim.process_top && processes[index].phase != PROCESS_FREE) index++;
  for (uint32_t i = 1; index == PROCESSES && i < PROCESSES; i++) {
    if (processes[i].phase != PROCESS_STOPPED) continue; // an exit that no daemon has asked for
    process_release(&processes[i]);
    index = i;
  }
  if (index == PROCESSES) return NULL;
  struct process *process = &processes[index];
  memset(process, 0, sizeof *process);
  process->phase = PROCESS_STARTING;
  process->number = number;
  process->io = io;
  process->terminal_missing = (io & WIRE_IO_EXTERNAL) && (io & WIRE_IO_TERMINAL);
  process->wait_fd = process->input = process->out[0].fd = process->out[1].fd = process->connection = -1;
  if (index >= shim.process_top) shim.process_top = index + 1;
  return process;
}

// create: u16 version, u8 WIRE_IO_*, i32 oom score of the shim, i32 of the container, u64 spill soft, u64 spill hard,
//         u8 WIRE_OOM_*, string memory cgroup, string state directory, string directory for spill files,
//         u8 WIRE_LOG_*, string path, string attributes (syslog: see syslog_configure), u64 maximum size, u32 maximum files
static int32_t create(struct request *request) {
  struct reader *from = &request->payload;
  if (shim.process_top > 0) return -EEXIST;
  if (U16(from) != WIRE_VERSION) return -EPROTO;
  uint8_t io = U8(from);
  shim.oom_score = (int32_t)U32(from);
  shim.container_oom_score = (int32_t)U32(from);
  shim.spill_soft = U64(from);
  shim.spill_hard = U64(from);
  shim.oom_mode = U8(from);
  take_string(from, shim.oom_path, sizeof shim.oom_path);
  take_string(from, shim.directory_path, sizeof shim.directory_path);
  take_string(from, shim.spill_path, sizeof shim.spill_path);
  uint8_t log_type = U8(from);
  char path[PATH_MAX_ - 32];
  take_string(from, path, sizeof path);
  uint16_t attributes_size = U16(from);
  const uint8_t *attributes = take(from, attributes_size);
  uint64_t max_size = U64(from);
  uint32_t max_files = U32(from);
  if (from->bad || log_type > WIRE_LOG_SYSLOG) return -EINVAL;
  shim.directory = open(shim.directory_path, O_DIRECTORY | O_CLOEXEC);
  if (shim.directory < 0) return -errno;
  if (!log_configure(log_type, path, (const char *)attributes, attributes_size, max_size, max_files)) return -EINVAL;
  int listening = control_listen();
  if (listening < 0) return listening;
  struct process *process = new_process(0, io);
  answer_later(process, request);
  return 0;
}

static void start(struct request *request) {
  struct process *process = &processes[0];
  if (process->phase != PROCESS_CREATED) {
    reply(request, process->phase == PROCESS_RUNNING ? -EALREADY : -ESRCH, NULL, 0);
    return;
  }
  answer_later(process, request);
  if (process->io & WIRE_IO_EXTERNAL) process_started_outside(process);
  else process_advance(process);
}

static int32_t signal_process(struct request *request) {
  struct process *process = process_by_number(U32(&request->payload));
  int number = (int)U32(&request->payload);
  if (request->payload.bad) return -EINVAL;
  // Our child, and not yet reaped: the number cannot have gone to another process.
  if (!process || process->pid <= 0 || process->exited) return -ESRCH;
  return kill(process->pid, number) < 0 ? -errno : 0;
}

static int32_t resize(struct request *request) {
  struct process *process = process_by_number(U32(&request->payload));
  struct winsize size = {0};
  size.ws_row = U16(&request->payload);
  size.ws_col = U16(&request->payload);
  if (request->payload.bad) return -EINVAL;
  if (!process || process->out[0].fd < 0) return -ESRCH;
  if (!(process->io & WIRE_IO_TERMINAL)) return -ENOTTY;
  return ioctl(process->out[0].fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

static int32_t close_stdin(struct request *request) {
  struct process *process = process_by_number(U32(&request->payload));
  if (request->payload.bad) return -EINVAL;
  if (!process) return -ESRCH;
  input_close(process);
  return 0;
}

static int32_t terminal(struct request *request) {
  struct process *process = process_by_number(U32(&request->payload));
  int fd = take_fd(request->connection);
  if (fd < 0) return -EBADF;
  int32_t error = request->payload.bad ? -EINVAL : !process ? -ESRCH : process->out[0].fd >= 0 ? -EEXIST : 0;
  if (error == 0 && !(process->io & WIRE_IO_TERMINAL)) error = -ENOTTY;
  if (error == 0) terminal_take(process, fd);
  else close(fd);
  return error;
}

// Takes the client out of the request. Does not watch it yet.
static int32_t add_client(struct request *request, struct process *process, struct client **added) {
  struct reader *from = &request->payload;
  uint32_t id = U32(from);
  uint8_t flags = U8(from), key_count = U8(from);
  const uint8_t *keys = take(from, key_count);
  uint32_t early_size = U32(from);
  const uint8_t *early = take(from, early_size);
  int fd = take_fd(request->connection);
  if (fd < 0) return -EBADF;
  if (from->bad || key_count > sizeof ((struct client *)0)->keys) {
    close(fd);
    return -EINVAL;
  }
  struct client *client = client_add(process, fd, id, flags);
  if (!client) {
    close(fd);
    return -EMFILE;
  }
  if (key_count > 0) memcpy(client->keys, keys, key_count);
  client->key_count = key_count;
  client_feed(client, early, early_size);
  *added = client;
  return 0;
}

static int32_t attach(struct request *request) {
  struct process *process = process_by_number(U32(&request->payload));
  struct client *client;
  if (!process || process->phase == PROCESS_STOPPED) {
    int fd = take_fd(request->connection);
    if (fd >= 0) close(fd);
    return -ESRCH;
  }
  int32_t result = add_client(request, process, &client);
  if (result < 0) return result;
  client_input(client);
  client_arm(client);
  return 0;
}

static int32_t exec(struct request *request) {
  struct reader *from = &request->payload;
  uint32_t number = U32(from);
  uint8_t io = U8(from);
  char exec_id[EXEC_ID_MAX];
  take_string(from, exec_id, sizeof exec_id);
  bool has_client = U8(from);
  int program = take_fd(request->connection);
  int32_t result = from->bad ? -EINVAL : program < 0 ? -EBADF : 0;
  if (result == 0 && shim.phase != WIRE_PHASE_RUNNING) result = -ESRCH;
  if (result == 0 && process_by_number(number)) result = -EEXIST;
  struct process *process = result == 0 ? new_process(number, io) : NULL;
  if (result == 0 && !process) result = -EMFILE;
  struct client *client;
  if (result == 0 && has_client) result = add_client(request, process, &client);
  if (result < 0) {
    if (process) process->phase = PROCESS_FREE;
    if (program >= 0) close(program);
    return result;
  }
  memcpy(process->exec_id, exec_id, sizeof exec_id);
  answer_later(process, request);
  process_launch(process, program);
  return 0;
}

static int32_t shut_down(void) {
  if (shim.phase == WIRE_PHASE_RUNNING) return -EBUSY;
  shim.leaving = true;
  return 0;
}

static int32_t compressed(struct request *request) {
  char path[PATH_MAX_];
  take_string(&request->payload, path, sizeof path);
  uint64_t inode = U64(&request->payload);
  if (request->payload.bad) return -EINVAL;
  log_replace(path, inode);
  return 0;
}

static void handle(struct request *request) {
  if (shim.process_top == 0 && request->type != WIRE_CREATE) {
    hang_up(request->connection);
    return;
  }
  int32_t result;
  switch (request->type) {
    case WIRE_CREATE:
      result = create(request);
      if (result == 0) return; // answered when its program is at `ready`
      break;
    case WIRE_START: start(request); return;
    case WIRE_KILL: result = signal_process(request); break;
    case WIRE_RESIZE: result = resize(request); break;
    case WIRE_CLOSE_STDIN: result = close_stdin(request); break;
    case WIRE_ATTACH: result = attach(request); break;
    case WIRE_EXEC:
      result = exec(request);
      if (result == 0) return;
      break;
    case WIRE_STATE: reply(request, 0, state_bytes, put_state()); return;
    case WIRE_SHUTDOWN: result = shut_down(); break;
    case WIRE_TERMINAL: result = terminal(request); break;
    case WIRE_COMPRESSED: result = compressed(request); break;
    default: result = -ENOSYS;
  }
  reply(request, result, NULL, 0);
}

// ── connections ────────────────────────────────────────────────────────────────────────────────────────────────────────

static bool handle_frames(struct connection *connection) {
  uint32_t start = 0;
  while (connection->fd >= 0 && connection->used - start >= WIRE_HEADER) {
    uint32_t size;
    memcpy(&size, connection->buffer + start, 4);
    if (size < WIRE_HEADER || size > WIRE_FRAME_MAX) return false;
    if (connection->used - start < size) break;
    struct request request = {.connection = connection};
    const uint8_t *frame = connection->buffer + start;
    memcpy(&request.type, frame + 4, 2);
    memcpy(&request.sequence, frame + 8, 4);
    request.payload = (struct reader){frame + WIRE_HEADER, frame + size, false};
    start += size;
    handle(&request);
  }
  connection->used -= start;
  memmove(connection->buffer, connection->buffer + start, connection->used);
  return true;
}

static bool receive(struct connection *connection) {
  union {
    char bytes[CMSG_SPACE(FDS * sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {connection->buffer + connection->used, sizeof connection->buffer - connection->used};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t size = recvmsg(connection->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size <= 0) return false;
  bool room = true;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (connection->fd_count < FDS) {
        connection->fds[connection->fd_count++] = fd;
      } else {
        close(fd);
        room = false;
      }
    }
  }
  connection->used += (uint32_t)size;
  return room && !(message.msg_flags & MSG_CTRUNC);
}

void control_readable(uint32_t index) {
  struct connection *connection = &connections[index];
  if (connection->fd < 0) return;
  if (!receive(connection) || !handle_frames(connection)) hang_up(connection);
}

int control_add(int fd) {
  for (uint32_t i = 0; i < CONNECTIONS; i++) {
    struct connection *connection = &connections[i];
    if (connection->fd >= 0) continue;
    connection->fd = fd;
    connection->serial = ++serials;
    connection->used = connection->fd_count = 0;
    shim.connections++;
    watch(EPOLL_CTL_ADD, fd, ON_CONNECTION, i, EPOLLIN);
    return (int)i;
  }
  close(fd);
  return -1;
}

void control_first(int fd) {
  for (int i = 0; i < CONNECTIONS; i++) connections[i].fd = -1;
  int index = control_add(fd);
  while (shim.process_top == 0 && connections[index].fd >= 0) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, -1) < 0 && errno != EINTR) return;
    control_readable((uint32_t)index);
  }
}

void control_accept(void) {
  int fd = accept4(shim.listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  int index = control_add(fd);
  if (index < 0) return;
  size_t size = put_state();
  send_frame(&connections[index], WIRE_EVENT_STATE, 0, NULL, state_bytes, size);
  if (connections[index].fd < 0) return;
  for (uint32_t i = 1; i < shim.process_top; i++) {
    if (processes[i].phase == PROCESS_STOPPED) process_release(&processes[i]); // it has been told now
  }
}

int control_listen(void) {
  // By a short relative name: the state directory's own path may be longer than a socket's may be.
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shim.sock"};
  if (fchdir(shim.directory) < 0) return -errno;
  mode_t mask = umask(0177);
  shim.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink(address.sun_path);
  int result = shim.listener < 0 ? -1 : bind(shim.listener, (struct sockaddr *)&address, sizeof address);
  if (result == 0) result = listen(shim.listener, 16);
  int error = errno;
  umask(mask);
  if (chdir("/") < 0 || result < 0) return -error;
  return watch(EPOLL_CTL_ADD, shim.listener, ON_LISTEN, 0, EPOLLIN);
}
