// Files and directories.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "kernel.h"
#include "ops.h"

int op_open(struct machine *machine, struct args *args) {
  uint32_t slot = arg_new_slot(machine, args), flags = arg_u32(args), mode = arg_u32(args);
  struct at at = arg_at(machine, args);
  int fd = *at.path ? open_at(&at, flags, mode == ABSENT ? 0 : mode) : open_target(&at);
  if (fd >= 0) machine->slots[slot] = fd;
  return fd < 0 ? fd : 0;
}

int op_close(struct machine *machine, struct args *args) {
  arg_new_slot(machine, args);
  return 0;
}

int op_verify(struct machine *machine, struct args *args) {
  int fd = arg_slot(machine, args);
  uint32_t magic = arg_u32(args), type = arg_u32(args), rdev = arg_u32(args);
  struct statfs fs;
  struct stat stat;
  if (fstatfs(fd, &fs) < 0 || fstat(fd, &stat) < 0) return -errno;
  if (magic != ABSENT && (uint32_t)fs.f_type != magic) return -EXDEV;
  if (type != ABSENT && (stat.st_mode & S_IFMT) != type) return -EINVAL;
  return rdev != ABSENT && stat.st_rdev != rdev ? -EINVAL : 0;
}

// For the calls that make or remove a name: `call` gets the parent and the last component.
#define AT_PARENT(at, call)                         \
  char buffer[PATH_MAX];                            \
  const char *last;                                 \
  int parent = open_parent(&at, buffer, &last);     \
  if (parent < 0 && parent != AT_FDCWD) return at.resolve ? parent : -EBADF; \
  long got = result(call);                          \
  close_parent(&at, parent);                        \
  return (int)got

int op_mkdir(struct machine *machine, struct args *args) {
  uint32_t mode = arg_u32(args), parents = arg_u32(args);
  struct at at = arg_at(machine, args);
  if (parents) return make_directories(&at, mode);
  AT_PARENT(at, mkdirat(parent, last, mode));
}

int op_mknod(struct machine *machine, struct args *args) {
  uint32_t mode = arg_u32(args), major = arg_u32(args), minor = arg_u32(args);
  struct at at = arg_at(machine, args);
  AT_PARENT(at, mknodat(parent, last, mode, makedev(major, minor)));
}

int op_symlink(struct machine *machine, struct args *args) {
  const char *target = arg_string(args);
  struct at at = arg_at(machine, args);
  AT_PARENT(at, symlinkat(target, parent, last));
}

int op_unlink(struct machine *machine, struct args *args) {
  struct at at = arg_at(machine, args);
  AT_PARENT(at, unlinkat(parent, last, 0));
}

int op_rmdir(struct machine *machine, struct args *args) {
  struct at at = arg_at(machine, args);
  AT_PARENT(at, unlinkat(parent, last, AT_REMOVEDIR));
}

int op_chown(struct machine *machine, struct args *args) {
  uint32_t uid = arg_u32(args), gid = arg_u32(args);
  struct at at = arg_at(machine, args);
  int fd = open_target(&at);
  if (fd < 0) return fd;
  long got = result(fchownat(fd, "", uid, gid, AT_EMPTY_PATH));
  close(fd);
  return (int)got;
}

// Before 6.6 an O_PATH descriptor's mode cannot be changed but through procfs, which is not there yet or not to be trusted. The
// name is looked up a second time then; who could exchange it for a link in between is inside of the container, and so is the link's target.
static int chmod_by_name(const struct at *at, uint32_t mode) {
  struct at copy = *at;
  AT_PARENT(copy, fchmodat(parent, last, mode, 0));
}

int op_chmod(struct machine *machine, struct args *args) {
  uint32_t mode = arg_u32(args);
  struct at at = arg_at(machine, args);
  int fd = open_target(&at);
  if (fd < 0) return fd;
  long got = result(syscall(SYS_fchmodat2, fd, "", mode, AT_EMPTY_PATH));
  if (got == -ENOSYS) got = *at.path ? chmod_by_name(&at, mode) : result(fchmod(fd, mode));
  close(fd);
  return (int)got;
}

int op_write(struct machine *machine, struct args *args) {
  struct blob data = arg_bytes(args);
  uint32_t flags = arg_u32(args), mode = arg_u32(args);
  struct at at = arg_at(machine, args);
  uint64_t how = O_WRONLY | O_NOCTTY | (flags == ABSENT ? 0 : flags);
  int fd = open_at(&at, how, mode != ABSENT ? mode : how & O_CREAT ? 0644 : 0);
  if (fd < 0) return fd;
  long written;
  do written = result(write(fd, data.bytes, data.size));
  while (written == -EINTR);
  close(fd);
  return written < 0 ? (int)written : (uint32_t)written == data.size ? 0 : -EIO;
}

int op_chdir(struct machine *machine, struct args *args) {
  struct at at = arg_at(machine, args);
  int fd = open_target(&at);
  if (fd < 0) return fd;
  long got = result(fchdir(fd));
  close(fd);
  return (int)got;
}

int op_fchdir(struct machine *machine, struct args *args) { return (int)result(fchdir(arg_slot(machine, args))); }

int op_chroot(struct machine *machine, struct args *args) {
  struct at at = arg_at(machine, args);
  int fd = open_target(&at);
  if (fd < 0) return fd;
  // chroot(2) takes no descriptor. Like chroot(8) this also goes there.
  long got = result(fchdir(fd));
  if (got == 0) got = result(chroot("."));
  close(fd);
  return (int)got;
}
