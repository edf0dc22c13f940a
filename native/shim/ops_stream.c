// Standard streams and descriptors.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

#include "kernel.h"
#include "ops.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define PIPE_DEFAULT_BYTES 65536

int op_pipe(struct machine *machine, struct args *args) {
  uint32_t read_slot = arg_new_slot(machine, args), write_slot = arg_new_slot(machine, args);
  uint32_t size = arg_u32(args), uid = arg_u32(args), gid = arg_u32(args);
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return -errno;
  // A user's pages in pipes are bounded: take what is left.
  for (; size > PIPE_DEFAULT_BYTES; size /= 2)
    if (fcntl(fds[1], F_SETPIPE_SZ, (int)size) >= 0) break;
  // ABSENT is what fchown takes for "as it is".
  if ((uid != ABSENT || gid != ABSENT) && fchown(fds[0], uid, gid) < 0) {
    int error = errno;
    close(fds[0]);
    close(fds[1]);
    return -error;
  }
  machine->slots[read_slot] = fds[0];
  machine->slots[write_slot] = fds[1];
  return 0;
}

static int move_away(int *holder, int fd) {
  if (*holder != fd) return 0;
  int moved = (int)result(fcntl(fd, F_DUPFD_CLOEXEC, 64));
  if (moved < 0) return moved;
  close(fd);
  *holder = moved;
  return 0;
}

int op_dup(struct machine *machine, struct args *args) {
  uint32_t slot = arg_u32(args);
  int from = machine->slots[slot], to = (int)arg_u32(args);
  if (from < 0 || to < 0) return -EBADF;
  if (from == to) return (int)result(fcntl(to, F_SETFD, 0));
  // Something that the program still holds may have that number.
  int got = move_away(&machine->parent, to);
  if (got == 0) got = move_away(&machine->child.socket, to);
  for (int i = 0; i < SLOTS && got == 0; i++) got = move_away(&machine->slots[i], to);
  return got < 0 ? got : dup2(from, to) < 0 ? -errno : 0;
}

int op_open_pty(struct machine *machine, struct args *args) {
  uint32_t master_slot = arg_new_slot(machine, args), slave_slot = arg_new_slot(machine, args);
  uint32_t rows = arg_u32(args), columns = arg_u32(args), uid = arg_u32(args);
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  struct at at = arg_at(machine, args);
  int master = open_at(&at, O_RDWR | O_NOCTTY, 0), slave = -1, unlock = 0;
  if (master < 0) return master;
  if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || (slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
      ((size.ws_row || size.ws_col) && ioctl(master, TIOCSWINSZ, &size) < 0) || fchown(slave, uid, -1) < 0) {
    int error = errno;
    close(master);
    if (slave >= 0) close(slave);
    return -error;
  }
  machine->slots[master_slot] = master;
  machine->slots[slave_slot] = slave;
  return 0;
}

int op_controlling_tty(struct machine *machine, struct args *args) {
  return (int)result(ioctl(arg_slot(machine, args), TIOCSCTTY, 0));
}

int op_send_fd_to(struct machine *machine, struct args *args) {
  const char *path = arg_string(args);
  int fd = arg_slot(machine, args);
  const char *data = arg_string(args), *token = arg_string(args);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0'; // abstract
  int connection = (int)result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connection < 0) return connection;
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  char pid[16];
  size_t digits = (size_t)snprintf(pid, sizeof pid, "%d", machine->child.pid > 0 ? machine->child.pid : getpid());
  // Text and pids in turn; the state that a seccomp agent is given names the pid twice.
  struct iovec parts[5];
  int count = 0;
  const char *at;
  while (*token && count < 4 && (at = strstr(data, token)) != NULL) {
    parts[count++] = (struct iovec){(void *)data, (size_t)(at - data)};
    parts[count++] = (struct iovec){pid, digits};
    data = at + strlen(token);
  }
  parts[count++] = (struct iovec){(void *)(*data || count ? data : "\0"), *data || count ? strlen(data) : 1};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count, .msg_control = &control, .msg_controllen = sizeof control.space};
  long got = result(connect(connection, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1)));
  if (got == 0) got = result(sendmsg(connection, &message, MSG_NOSIGNAL));
  close(connection);
  return got < 0 ? (int)got : 0;
}

static int hand_over(struct machine *machine, struct args *args) {
  uint32_t slot = arg_u32(args);
  if (slot == ABSENT) return -1;
  int fd = machine->slots[slot];
  machine->slots[slot] = -1;
  return fd;
}

int op_stdio(struct machine *machine, struct args *args) {
  if (!machine->has_shim) return -ENOSYS;
  machine->stdio.terminal = hand_over(machine, args);
  machine->stdio.stdin_ = hand_over(machine, args);
  machine->stdio.stdout_ = hand_over(machine, args);
  machine->stdio.stderr_ = hand_over(machine, args);
  return 0;
}

int op_close_on_exec_from(struct machine *machine, struct args *args) {
  (void)machine;
  return (int)result(syscall(SYS_close_range, arg_u32(args), ~0u, CLOSE_RANGE_CLOEXEC_));
}
