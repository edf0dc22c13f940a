// Processes, namespaces, and what a process is allowed and called before it has an identity of its own.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kernel.h"
#include "ops.h"

pid_t fork_plain(void) {
  struct clone_args args = {.exit_signal = SIGCHLD};
  return (pid_t)result(syscall(SYS_clone3, &args, sizeof args));
}

#define KEPT_MAX 1024

void close_strangers(const struct machine *machine) {
  uint64_t kept[KEPT_MAX / 64] = {7}; // 0, 1, 2
  for (int i = -1; i < SLOTS; i++) {
    int fd = i < 0 ? machine->parent : machine->slots[i];
    if (fd >= KEPT_MAX) return; // hundreds of slots: close-on-exec closes the rest
    if (fd >= 0) kept[fd / 64] |= 1ull << fd % 64;
  }
  unsigned first = 3;
  for (unsigned fd = 3; fd < KEPT_MAX; fd++) {
    if (!(kept[fd / 64] >> fd % 64 & 1)) continue;
    if (fd > first) syscall(SYS_close_range, first, fd - 1, 0);
    first = fd + 1;
  }
  syscall(SYS_close_range, first, ~0u, 0);
}

static void forget(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

__attribute__((noreturn)) static void become_child(struct machine *machine, int socket, const uint32_t *list) {
  bool of_shim = machine->has_shim;
  forget(&machine->child.socket);
  forget(&machine->parent);
  machine->parent = socket;
  machine->child = (struct child){.socket = -1};
  machine->stdio = (struct stdio){-1, -1, -1, -1};
  machine->has_shim = false;
  // Nothing of the shim's clients, logs and other processes lives on in a child that may take long to execute.
  if (of_shim) close_strangers(machine);
  run_child(machine, list);
}

int op_clone(struct machine *machine, struct args *args) {
  struct clone_args clone = {.flags = arg_u64(args), .exit_signal = SIGCHLD};
  uint32_t cgroup = arg_u32(args), pidfd_slot = arg_u32(args);
  int pidfd = -1, sockets[2];
  if (clone.flags & CLONE_PARENT) clone.exit_signal = 0; // inherits the parent's
  if (cgroup != ABSENT) {
    if (machine->slots[cgroup] < 0) return -EBADF;
    clone.flags |= CLONE_INTO_CGROUP_;
    clone.cgroup = (uint64_t)machine->slots[cgroup];
  }
  if (pidfd_slot != ABSENT) {
    clone.flags |= CLONE_PIDFD;
    clone.pidfd = (uint64_t)(uintptr_t)&pidfd;
  }
  forget(&machine->child.socket);
  int error = sync_pair(sockets);
  if (error < 0) return error;
  pid_t pid = (pid_t)result(syscall(SYS_clone3, &clone, sizeof clone));
  if (pid == 0) {
    close(sockets[0]);
    become_child(machine, sockets[1], args->at);
  }
  close(sockets[1]);
  if (pid < 0) {
    close(sockets[0]);
    return pid;
  }
  machine->child = (struct child){.pid = pid, .socket = sockets[0], .op = machine->index};
  if (pidfd_slot != ABSENT) {
    forget(&machine->slots[pidfd_slot]);
    machine->slots[pidfd_slot] = pidfd;
  }
  return clone.flags & CLONE_PARENT ? sync_send_pid(machine->parent, pid) : 0;
}

int op_unshare(struct machine *machine, struct args *args) {
  (void)machine;
  return (int)result(syscall(SYS_unshare, arg_u32(args)));
}

int op_setns(struct machine *machine, struct args *args) {
  int fd = arg_slot(machine, args);
  return (int)result(syscall(SYS_setns, fd, arg_u32(args)));
}

int op_pidfd_open(struct machine *machine, struct args *args) {
  uint32_t slot = arg_new_slot(machine, args);
  long fd = result(syscall(SYS_pidfd_open, arg_u32(args), 0));
  if (fd >= 0) machine->slots[slot] = (int)fd;
  return fd < 0 ? (int)fd : 0;
}

int op_ready(struct machine *machine, struct args *args) {
  (void)args;
  return machine->has_shim ? OP_READY : -ENOSYS;
}

int op_setsid(struct machine *machine, struct args *args) {
  (void)machine, (void)args;
  long id = result(setsid());
  return id < 0 ? (int)id : 0;
}

int op_prctl(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t option = arg_u32(args), count = arg_u32(args);
  unsigned long values[4] = {0};
  if (count > 4) return -EINVAL;
  for (uint32_t i = 0; i < count; i++) values[i] = (unsigned long)arg_u64(args);
  long got = result(syscall(SYS_prctl, option, values[0], values[1], values[2], values[3]));
  return got < 0 ? (int)got : 0;
}

int op_write_id_map(struct machine *machine, struct args *args) {
  static const char *const files[] = {"uid_map", "gid_map", "setgroups"};
  uint32_t file = arg_u32(args);
  const char *data = arg_string(args);
  char path[48];
  if (file > 2 || machine->child.pid <= 0) return -EINVAL;
  snprintf(path, sizeof path, "/proc/%d/%s", machine->child.pid, files[file]);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  long written = result(write(fd, data, strlen(data)));
  close(fd);
  return written < 0 ? (int)written : 0;
}

int op_exit(struct machine *machine, struct args *args) {
  (void)machine;
  _exit((int)arg_u32(args));
}

int op_await_byte(struct machine *machine, struct args *args) {
  int fd = arg_slot(machine, args);
  char byte;
  long got;
  do got = result(read(fd, &byte, 1));
  while (got == -EINTR);
  return got == 1 ? 0 : got == 0 ? -EIO : (int)got;
}

int op_umask(struct machine *machine, struct args *args) {
  (void)machine;
  syscall(SYS_umask, arg_u32(args));
  return 0;
}

int op_rlimit(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t resource = arg_u32(args);
  struct { uint64_t soft, hard; } limit, now;
  limit.soft = arg_u64(args);
  limit.hard = arg_u64(args);
  bool clamp = arg_u32(args);
  long got = result(syscall(SYS_prlimit64, 0, resource, &limit, NULL));
  if (got != -EPERM || !clamp) return (int)got;
  got = result(syscall(SYS_prlimit64, 0, resource, NULL, &now));
  if (got < 0) return (int)got;
  if (limit.hard > now.hard) limit.hard = now.hard;
  if (limit.soft > limit.hard) limit.soft = limit.hard;
  return (int)result(syscall(SYS_prlimit64, 0, resource, &limit, NULL));
}

int op_personality(struct machine *machine, struct args *args) {
  (void)machine;
  long got = result(syscall(SYS_personality, arg_u32(args)));
  return got < 0 ? (int)got : 0;
}

int op_sched_setattr(struct machine *machine, struct args *args) {
  (void)machine;
  struct blob attr = arg_bytes(args);
  return (int)result(syscall(SYS_sched_setattr, 0, attr.bytes, 0));
}

int op_ioprio(struct machine *machine, struct args *args) {
  (void)machine;
  return (int)result(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, arg_u32(args)));
}

int op_cpu_affinity(struct machine *machine, struct args *args) {
  (void)machine;
  struct blob mask = arg_bytes(args);
  long got = result(syscall(SYS_sched_setaffinity, 0, mask.size, mask.bytes));
  return got < 0 ? (int)got : 0;
}

int op_memory_policy(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t mode = arg_u32(args);
  struct blob nodes = arg_bytes(args);
  uint64_t mask[16] = {0};
  if (nodes.size > sizeof mask) return -EINVAL;
  memcpy(mask, nodes.bytes, nodes.size);
  // The kernel takes one bit less than it is told.
  return (int)result(syscall(SYS_set_mempolicy, mode, nodes.size ? mask : NULL, nodes.size ? sizeof mask * 8 + 1 : 0));
}

int op_sethostname(struct machine *machine, struct args *args) {
  (void)machine;
  const char *name = arg_string(args);
  return (int)result(syscall(SYS_sethostname, name, strlen(name)));
}

int op_setdomainname(struct machine *machine, struct args *args) {
  (void)machine;
  const char *name = arg_string(args);
  return (int)result(syscall(SYS_setdomainname, name, strlen(name)));
}
