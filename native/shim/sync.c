// The two processes of a clone talk over a SEQPACKET socket pair: one message, one packet. It closes when the child executes its
// program, which is how the parent learns that it did.
//
//     NOTIFY           wakes the other side's await
//     FD               carries a descriptor, child to parent
//     PID     pid      the child made this process take its place (CLONE_PARENT)
//     FAILURE errno    path and text follow; the child ends
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kernel.h"
#include "ops.h"

enum type { NOTIFY = 1, FD, PID, FAILURE };
enum peer { CHILD, PARENT, EXEC };

struct header {
  uint32_t type;
  uint32_t value;
  uint32_t depth;
  uint32_t path[PROGRAM_MAX_DEPTH];
  uint32_t detail_size;
};

union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int sync_pair(int fds[2]) { return (int)result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)); }

static int send_message(int fd, const struct header *header, const char *detail) {
  struct iovec parts[2] = {{(void *)header, sizeof *header}, {(void *)detail, header->detail_size}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  return (int)result(sendmsg(fd, &message, MSG_NOSIGNAL));
}

int sync_send_pid(int fd, pid_t pid) {
  if (fd < 0) return 0;
  struct header header = {.type = PID, .value = (uint32_t)pid};
  int sent = send_message(fd, &header, NULL);
  return sent < 0 ? sent : 0;
}

void sync_send_failure(int fd, const struct failure *failure) {
  struct header header = {
      .type = FAILURE, .value = failure->error, .depth = failure->depth, .detail_size = failure->detail_size};
  memcpy(header.path, failure->path, sizeof header.path);
  send_message(fd, &header, failure->detail);
}

// One message, without waiting. Returns the packet's size, 0 when the other side has closed, a negative errno.
static int receive(struct machine *machine, int fd, struct header *header, int *received) {
  union control control;
  struct iovec parts[2] = {{header, sizeof *header}, {machine->failure.detail, DETAIL_MAX}};
  struct msghdr message = {
      .msg_iov = parts, .msg_iovlen = 2, .msg_control = &control, .msg_controllen = sizeof control.space};
  long size;
  do size = result(recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
  while (size == -EINTR);
  if (size == -ECONNRESET) return 0; // closed with a message of ours unread
  if (size <= 0) return (int)size;
  *received = -1;
  struct cmsghdr *at = CMSG_FIRSTHDR(&message);
  if (at && at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS) memcpy(received, CMSG_DATA(at), sizeof *received);
  return size < (long)sizeof *header ? -EPROTO : (int)size;
}

static void take_failure(struct machine *machine, const struct header *header) {
  struct failure *failure = &machine->failure;
  uint32_t below = header->depth < PROGRAM_MAX_DEPTH ? header->depth : PROGRAM_MAX_DEPTH - 1;
  failure->error = header->value;
  failure->path[0] = machine->child.op;
  memcpy(failure->path + 1, header->path, below * sizeof *header->path);
  failure->depth = below + 1;
  failure->detail_size = header->detail_size < DETAIL_MAX ? header->detail_size : DETAIL_MAX;
}

static void close_child(struct machine *machine) {
  close(machine->child.socket);
  machine->child.socket = -1;
}

// Reads what the child says until `wanted` comes (0: until nothing more is there). A failure ends it with the failure's errno, the
// closed socket with -ECHILD.
static int listen_child(struct machine *machine, enum type wanted, int *fd) {
  struct header header;
  for (;;) {
    if (machine->child.socket < 0) return -ECHILD;
    int received = -1, size = receive(machine, machine->child.socket, &header, &received);
    if (size == -EAGAIN && wanted) machine->wait_fd = machine->child.socket;
    if (size == -EAGAIN) return wanted ? OP_WAIT : 0;
    if (size < 0) return size;
    if (size == 0) return close_child(machine), -ECHILD;
    if (received >= 0 && (header.type != FD || wanted != FD)) close(received);
    switch (header.type) {
      case NOTIFY:
        if (wanted == NOTIFY) return 0;
        machine->child.told = true;
        break;
      case PID:
        machine->child.pid = (pid_t)header.value;
        break;
      case FD:
        if (wanted != FD || received < 0) return -EPROTO;
        *fd = received;
        return 0;
      case FAILURE:
        take_failure(machine, &header);
        close_child(machine);
        return -(int)header.value;
    }
  }
}

bool sync_child_failed(struct machine *machine) {
  uint32_t detail_size = machine->failure.detail_size;
  if (machine->child.socket < 0) return false;
  // A text that the failed op has set must survive the look; a child's failure is nearly never there.
  char peeked;
  ssize_t size = recv(machine->child.socket, &peeked, 1, MSG_PEEK | MSG_DONTWAIT);
  // Closed: it has ended and may have been reaped, so that its pid must not be used any more.
  if (size == 0) close_child(machine);
  if (size <= 0) return false;
  listen_child(machine, 0, NULL);
  if (machine->failure.depth > 0) return true;
  machine->failure.detail_size = detail_size;
  return false;
}

static int await_parent(struct machine *machine) {
  struct header header;
  int received = -1, size = receive(machine, machine->parent, &header, &received);
  if (size == -EAGAIN) return machine->wait_fd = machine->parent, OP_WAIT;
  if (received >= 0) close(received);
  if (size == 0) return -ECANCELED; // the parent failed or died
  if (size < 0) return size;
  return header.type == NOTIFY ? 0 : -EPROTO;
}

int op_await(struct machine *machine, struct args *args) {
  switch (arg_u32(args)) {
    case PARENT:
      return await_parent(machine);
    case CHILD:
      if (machine->child.told) return machine->child.told = false, 0;
      return listen_child(machine, NOTIFY, NULL);
    case EXEC: {
      if (machine->child.socket < 0) return machine->child.pid > 0 ? 0 : -ECHILD;
      for (;;) {
        int got = listen_child(machine, NOTIFY, NULL);
        if (got == 0) continue; // a notify that nobody awaited
        return got == -ECHILD && machine->failure.depth == 0 ? 0 : got;
      }
    }
    default:
      return -EINVAL;
  }
}

int op_notify(struct machine *machine, struct args *args) {
  uint32_t peer = arg_u32(args);
  if (peer > PARENT) return -EINVAL;
  struct header header = {.type = NOTIFY};
  int sent = send_message(peer == CHILD ? machine->child.socket : machine->parent, &header, NULL);
  return sent < 0 ? sent : 0;
}

int op_send_fd(struct machine *machine, struct args *args) {
  int fd = arg_slot(machine, args);
  struct header header = {.type = FD};
  union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  struct iovec part = {&header, sizeof header};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
  long sent = result(sendmsg(machine->parent, &message, MSG_NOSIGNAL));
  return sent < 0 ? (int)sent : 0;
}

int op_receive_fd(struct machine *machine, struct args *args) {
  uint32_t slot = arg_new_slot(machine, args);
  int fd = -1, got = listen_child(machine, FD, &fd);
  if (got == 0) machine->slots[slot] = fd;
  return got;
}
