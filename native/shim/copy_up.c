// `copyUp`: what an image has where a tmpfs comes (tmpcopyup), or a volume is new: copied with owners, modes, times, links and
// extended attributes. By descriptors, no link is followed, other file systems inside are left out.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "kernel.h"
#include "ops.h"

#define DEPTH_MAX 128

struct copying {
  uint64_t left; // bytes
  dev_t device;
};

struct entry {
  uint64_t ino;
  int64_t offset;
  uint16_t size;
  uint8_t type;
  char name[];
};

static int copy_xattrs(int from, int to) {
  char names[1024], value[1024];
  ssize_t size = flistxattr(from, names, sizeof names);
  for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
    ssize_t length = fgetxattr(from, name, value, sizeof value);
    if (length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM) return -errno;
  }
  return 0;
}

static int copy_meta(int to, const struct stat *stat) {
  struct timespec times[2] = {stat->st_atim, stat->st_mtim};
  if (fchown(to, stat->st_uid, stat->st_gid) < 0 || fchmod(to, stat->st_mode & 07777) < 0 || futimens(to, times) < 0) return -errno;
  return 0;
}

static int copy_content(struct copying *copying, int from, int to) {
  char chunk[8192];
  ssize_t size;
  while ((size = read(from, chunk, sizeof chunk)) > 0) {
    if ((uint64_t)size > copying->left) return -EFBIG;
    copying->left -= (uint64_t)size;
    for (ssize_t done = 0, written; done < size; done += written) {
      written = write(to, chunk + done, (size_t)(size - done));
      if (written < 0) return -errno;
    }
  }
  return size < 0 ? -errno : 0;
}

static int copy_file(struct copying *copying, int from_dir, int to_dir, const char *name, const struct stat *stat) {
  int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (from < 0) return -errno;
  int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), got = to < 0 ? -errno : 0;
  if (got == 0) got = copy_content(copying, from, to);
  if (got == 0) got = copy_xattrs(from, to);
  if (got == 0) got = copy_meta(to, stat);
  close(from);
  if (to >= 0) close(to);
  return got;
}

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *stat) {
  if (S_ISLNK(stat->st_mode)) {
    char target[PATH_MAX];
    ssize_t size = readlinkat(from_dir, name, target, sizeof target - 1);
    if (size < 0) return -errno;
    target[size] = '\0';
    if (symlinkat(target, to_dir, name) < 0) return -errno;
  } else if (mknodat(to_dir, name, stat->st_mode, stat->st_rdev) < 0) {
    return -errno;
  }
  if (fchownat(to_dir, name, stat->st_uid, stat->st_gid, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
  if (!S_ISLNK(stat->st_mode) && fchmodat(to_dir, name, stat->st_mode & 07777, 0) < 0) return -errno;
  struct timespec times[2] = {stat->st_atim, stat->st_mtim};
  return (int)result(utimensat(to_dir, name, times, AT_SYMLINK_NOFOLLOW));
}

static int copy_directory(struct copying *copying, int from, int to, int depth);

static int copy_entry(struct copying *copying, int from_dir, int to_dir, const char *name, int depth) {
  struct stat stat;
  if (fstatat(from_dir, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
  if (stat.st_dev != copying->device) return 0;
  if (S_ISREG(stat.st_mode)) return copy_file(copying, from_dir, to_dir, name, &stat);
  if (!S_ISDIR(stat.st_mode)) return copy_special(from_dir, to_dir, name, &stat);
  if (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST) return -errno;
  int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int got = from < 0 || to < 0 ? -errno : copy_directory(copying, from, to, depth + 1);
  if (got == 0) got = copy_xattrs(from, to);
  if (got == 0) got = copy_meta(to, &stat);
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return got;
}

static int copy_directory(struct copying *copying, int from, int to, int depth) {
  char entries[4096] __attribute__((aligned(8)));
  if (depth > DEPTH_MAX) return -ELOOP;
  for (;;) {
    long size = result(syscall(SYS_getdents64, from, entries, sizeof entries));
    if (size <= 0) return (int)size;
    for (long at = 0; at < size;) {
      struct entry *entry = (struct entry *)(entries + at);
      at += entry->size;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      int got = copy_entry(copying, from, to, entry->name, depth);
      if (got < 0) return got;
    }
  }
}

int op_copy_up(struct machine *machine, struct args *args) {
  int mount = arg_slot(machine, args);
  struct copying copying = {.left = arg_u64(args)};
  struct at at = arg_at(machine, args);
  if (mount < 0) return -EBADF;
  int from = open_at(&at, O_RDONLY | O_DIRECTORY, 0);
  if (from == -ENOENT || from == -ENOTDIR) return 0;
  if (from < 0) return from;
  // A mount's descriptor is O_PATH; its root opened again can be written to.
  int to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat stat;
  int got = to < 0 || fstat(from, &stat) < 0 ? -errno : 0;
  mode_t mask = (mode_t)syscall(SYS_umask, 0);
  if (got == 0) copying.device = stat.st_dev;
  if (got == 0) got = copy_directory(&copying, from, to, 0);
  if (got == 0) got = copy_xattrs(from, to);
  if (got == 0) got = copy_meta(to, &stat);
  syscall(SYS_umask, mask);
  close(from);
  if (to >= 0) close(to);
  return got;
}
