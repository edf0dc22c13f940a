// Mounts, by descriptor where the kernel can.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kernel.h"
#include "ops.h"

int op_mount(struct machine *machine, struct args *args) {
  (void)machine;
  const char *source = arg_string(args), *target = arg_string(args), *type = arg_string(args);
  uint32_t flags = arg_u32(args);
  const char *data = arg_string(args);
  return (int)result(mount(source, target, type, flags, data));
}

int op_umount(struct machine *machine, struct args *args) {
  (void)machine;
  const char *target = arg_string(args);
  return (int)result(umount2(target, (int)arg_u32(args)));
}

int op_pivot_root(struct machine *machine, struct args *args) {
  (void)machine;
  const char *new_root = arg_string(args), *put_old = arg_string(args);
  return (int)result(syscall(SYS_pivot_root, new_root, put_old));
}

// What the file system says about its failure: the first line of its log, "e overlay: ...".
static void read_log(struct machine *machine, int context) {
  char line[1024];
  ssize_t size = read(context, line, sizeof line);
  if (size > 2) set_detail(machine, line + 2, (size_t)size - 2 - (line[size - 1] == '\n'));
}

static int set_option(int context, const char *option) {
  char key[256];
  const char *equals = strchr(option, '=');
  if (!equals) return (int)result(syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG_, option, NULL, 0));
  size_t size = (size_t)(equals - option);
  if (size >= sizeof key) return -EINVAL;
  memcpy(key, option, size);
  key[size] = '\0';
  return (int)result(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING_, key, equals + 1, 0));
}

static int configure(int context, const char *source, struct args *options) {
  long got = *source ? result(syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING_, "source", source, 0)) : 0;
  for (uint32_t count = arg_u32(options); count > 0 && got >= 0; count--) got = set_option(context, arg_string(options));
  return got < 0 ? (int)got : (int)result(syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE_, NULL, NULL, 0));
}

int op_fsmount(struct machine *machine, struct args *args) {
  uint32_t slot = arg_new_slot(machine, args);
  const char *type = arg_string(args), *source = arg_string(args);
  struct args options = *args;
  for (uint32_t count = arg_u32(args); count > 0; count--) arg_string(args);
  uint32_t attributes = arg_u32(args);
  int context = (int)result(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC_));
  if (context < 0) return context;
  long got = configure(context, source, &options);
  if (got >= 0) got = result(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC_, attributes));
  if (got < 0)
    read_log(machine, context);
  else
    machine->slots[slot] = (int)got;
  close(context);
  return got < 0 ? (int)got : 0;
}

static int copy_tree(int fd, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE_ | OPEN_TREE_CLOEXEC_ | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  return (int)result(syscall(SYS_open_tree, fd, "", flags));
}

static int move_onto(int mount, int target) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH_ | MOVE_MOUNT_T_EMPTY_PATH_;
  return (int)result(syscall(SYS_move_mount, mount, "", target, "", flags));
}

int op_open_tree(struct machine *machine, struct args *args) {
  uint32_t slot = arg_new_slot(machine, args), recursive = arg_u32(args);
  struct at at = arg_at(machine, args);
  int target = open_target(&at);
  if (target < 0) return target;
  int fd = copy_tree(target, recursive);
  close(target);
  if (fd >= 0) machine->slots[slot] = fd;
  return fd < 0 ? fd : 0;
}

int op_mount_setattr(struct machine *machine, struct args *args) {
  uint32_t slot = arg_u32(args);
  const char *path = arg_string(args);
  uint32_t set = arg_u32(args), clear = arg_u32(args), propagation = arg_u32(args);
  struct mount_attributes attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  uint32_t userns = arg_u32(args), recursive = arg_u32(args);
  if (userns != ABSENT) attr.userns_fd = (uint64_t)machine->slots[userns];
  int dir = slot == ABSENT ? AT_FDCWD : machine->slots[slot];
  if (slot != ABSENT && dir < 0) return -EBADF;
  unsigned flags = (recursive ? AT_RECURSIVE : 0) | (*path ? 0 : AT_EMPTY_PATH);
  return (int)result(syscall(SYS_mount_setattr, dir, path, flags, &attr, sizeof attr));
}

enum make { DIRECTORY, FILE_, SAME };

static int make_target(const struct at *at, uint32_t make, int mount) {
  struct stat stat;
  if (make == ABSENT) return 0;
  if (make == SAME) {
    if (fstat(mount, &stat) < 0) return -errno;
    make = S_ISDIR(stat.st_mode) ? DIRECTORY : FILE_;
  }
  return make == DIRECTORY ? make_directories(at, 0755) : make_file(at);
}

int op_move_mount(struct machine *machine, struct args *args) {
  int mount = arg_slot(machine, args);
  uint32_t make = arg_u32(args);
  struct at at = arg_at(machine, args);
  if (mount < 0) return -EBADF;
  int got = make_target(&at, make, mount);
  if (got < 0) return got;
  int target = open_target(&at);
  if (target < 0) return target;
  got = move_onto(mount, target);
  close(target);
  return got;
}

int op_mask(struct machine *machine, struct args *args) {
  int file = arg_slot(machine, args), directory = arg_slot(machine, args);
  struct at at = arg_at(machine, args);
  int target = open_target(&at);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  if (target < 0) return target;
  struct stat stat;
  int got = (int)result(fstat(target, &stat));
  if (got == 0) {
    int cover = S_ISDIR(stat.st_mode) ? directory : file;
    int copy = copy_tree(cover, false);
    // Before 6.15 a mount that is nowhere yet cannot be copied: it goes here itself, and is somewhere for the next.
    got = copy >= 0 ? move_onto(copy, target) : copy == -EINVAL ? move_onto(cover, target) : copy;
    if (copy >= 0) close(copy);
  }
  close(target);
  return got;
}

int op_readonly_path(struct machine *machine, struct args *args) {
  struct at at = arg_at(machine, args);
  int target = open_target(&at);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  if (target < 0) return target;
  struct mount_attributes attr = {.attr_set = MOUNT_ATTR_RDONLY_};
  int copy = copy_tree(target, true), got = copy;
  if (copy >= 0) got = (int)result(syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr));
  if (got >= 0) got = move_onto(copy, target);
  if (copy >= 0) close(copy);
  close(target);
  return got;
}
