// The daemons' connections: the socket pair that came with the start, and whoever connects to shim.sock later. A peer that breaks the
// rules, or does not read, is hung up on and may connect again.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control.h"

static struct connection connections[CONNECTIONS];
static uint32_t serials;

int connection_index(const struct connection *connection) { return (int)(connection - connections); }

// ── sending ────────────────────────────────────────────────────────────────────────────────────────────────────────────

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

void connection_hang_up(struct connection *connection) {
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
  if (sent != (ssize_t)(header_size + size)) connection_hang_up(connection);
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

size_t control_state(const uint8_t **bytes) {
  static uint8_t state_bytes[WIRE_FRAME_MAX];
  *bytes = state_bytes;
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

void connection_reply(const struct request *request, int32_t result, const void *data, size_t size) {
  send_frame(request->connection, (uint16_t)(request->type | WIRE_REPLY), request->sequence, &result, data, size);
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
    request_handle(&request);
  }
  connection->used -= start;
  memmove(connection->buffer, connection->buffer + start, connection->used);
  return true;
}

static bool receive(struct connection *connection) {
  union {
    char bytes[CMSG_SPACE(CONNECTION_FDS * sizeof(int))];
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
      if (connection->fd_count < CONNECTION_FDS) {
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
  if (!receive(connection) || !handle_frames(connection)) connection_hang_up(connection);
}

static int control_add(int fd) {
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
  const uint8_t *state;
  size_t size = control_state(&state);
  send_frame(&connections[index], WIRE_EVENT_STATE, 0, NULL, state, size);
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
