// What daemons may ask for. Whatever arrives is checked before it is used; the words are in wire.h.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "control.h"

// ── values ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

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

// ── requests ───────────────────────────────────────────────────────────────────────────────────────────────────────────

static int take_fd(struct connection *connection) {
  if (connection->fd_count == 0) return -1;
  int fd = connection->fds[0];
  connection->fd_count--;
  memmove(connection->fds, connection->fds + 1, connection->fd_count * sizeof fd);
  return fd;
}

static void answer_later(struct process *process, const struct request *request) {
  process->connection = connection_index(request->connection);
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
    connection_reply(request, process->phase == PROCESS_RUNNING ? -EALREADY : -ESRCH, NULL, 0);
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

void request_handle(struct request *request) {
  if (shim.process_top == 0 && request->type != WIRE_CREATE) {
    connection_hang_up(request->connection);
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
    case WIRE_STATE: {
      const uint8_t *state;
      size_t size = control_state(&state);
      connection_reply(request, 0, state, size);
      return;
    }
    case WIRE_SHUTDOWN: result = shut_down(); break;
    case WIRE_TERMINAL: result = terminal(request); break;
    case WIRE_COMPRESSED: result = compressed(request); break;
    default: result = -ENOSYS;
  }
  connection_reply(request, result, NULL, 0);
}
