// Files and mounts. Names are relative to a directory descriptor (AT_FDCWD: -100); a last component that is a symbolic link is
// never followed unless a flag says so.
#include "addon.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#define XATTR_VALUE_MAX 65536

#define FUNCTION(name) static napi_value name(napi_env env, napi_callback_info info)
#define BEGIN                             \
  struct call call = begin(env, info);    \
  path_buffer buffer;
#define INT(index) ((int)integer(&call, index))
#define PATH(index) path(&call, index, buffer)
#define DONE(expression, name) return call.thrown ? NULL : answer(env, (expression), name)

// mount(source, target, type, flags, data)
FUNCTION(mount_) {
  BEGIN path_buffer target, type, data;
  const char *source = PATH(0);
  path(&call, 1, target);
  path(&call, 2, type);
  unsigned long flags = (unsigned long)integer(&call, 3);
  path(&call, 4, data);
  DONE(mount(source, target, type, flags, data), "mount");
}

// umount2(target, flags)
FUNCTION(umount2_) {
  BEGIN const char *target = PATH(0);
  int flags = INT(1);
  DONE(umount2(target, flags), "umount2");
}

// openat2(dirFd, path, flags, mode, resolve): fd
FUNCTION(openat2_) {
  BEGIN int dir = INT(0);
  const char *name = PATH(1);
  struct open_how how = {
      .flags = (uint64_t)integer(&call, 2) | O_CLOEXEC,
      .mode = (uint64_t)integer(&call, 3),
      .resolve = (uint64_t)integer(&call, 4),
  };
  if (call.thrown) return NULL;
  long fd;
  int tries = 0;
  do fd = syscall(SYS_openat2, dir, name, &how, sizeof how);
  while (fd < 0 && errno == EAGAIN && how.resolve && ++tries < 100); // something was renamed meanwhile
  return answer(env, fd, "openat2");
}

// mkdirat(dirFd, path, mode)
FUNCTION(mkdirat_) {
  BEGIN int dir = INT(0);
  const char *name = PATH(1);
  mode_t mode = (mode_t)integer(&call, 2);
  DONE(mkdirat(dir, name, mode), "mkdirat");
}

// mknodat(dirFd, path, mode, major, minor)
FUNCTION(mknodat_) {
  BEGIN int dir = INT(0);
  const char *name = PATH(1);
  mode_t mode = (mode_t)integer(&call, 2);
  unsigned major = (unsigned)integer(&call, 3), minor = (unsigned)integer(&call, 4);
  DONE(mknodat(dir, name, mode, makedev(major, minor)), "mknodat");
}

// symlinkat(target, dirFd, path)
FUNCTION(symlinkat_) {
  BEGIN path_buffer target;
  path(&call, 0, target);
  int dir = INT(1);
  const char *name = PATH(2);
  DONE(symlinkat(target, dir, name), "symlinkat");
}

// linkat(fromDirFd, from, toDirFd, to, flags)
FUNCTION(linkat_) {
  BEGIN path_buffer to;
  int from_dir = INT(0), to_dir = INT(2), flags = INT(4);
  const char *from = PATH(1);
  path(&call, 3, to);
  DONE(linkat(from_dir, from, to_dir, to, flags), "linkat");
}

// unlinkat(dirFd, path, flags)
FUNCTION(unlinkat_) {
  BEGIN int dir = INT(0), flags = INT(2);
  const char *name = PATH(1);
  DONE(unlinkat(dir, name, flags), "unlinkat");
}

// renameat2(fromDirFd, from, toDirFd, to, flags)
FUNCTION(renameat2_) {
  BEGIN path_buffer to;
  int from_dir = INT(0), to_dir = INT(2);
  unsigned flags = (unsigned)integer(&call, 4);
  const char *from = PATH(1);
  path(&call, 3, to);
  DONE(syscall(SYS_renameat2, from_dir, from, to_dir, to, flags), "renameat2");
}

// readlinkat(dirFd, path): bytes
FUNCTION(readlinkat_) {
  BEGIN int dir = INT(0);
  const char *name = PATH(1);
  if (call.thrown) return NULL;
  path_buffer target;
  ssize_t size = readlinkat(dir, name, target, sizeof target);
  return size < 0 ? throw_errno(env, errno, "readlinkat") : buffer_of(env, target, (size_t)size);
}

// fchownat(dirFd, path, uid, gid, flags)
FUNCTION(fchownat_) {
  BEGIN int dir = INT(0), flags = INT(4);
  const char *name = PATH(1);
  uid_t uid = (uid_t)integer(&call, 2);
  gid_t gid = (gid_t)integer(&call, 3);
  DONE(fchownat(dir, name, uid, gid, flags), "fchownat");
}

// fchmodat(dirFd, path, mode): follows a symbolic link, for the mode of one cannot be changed
FUNCTION(fchmodat_) {
  BEGIN int dir = INT(0);
  const char *name = PATH(1);
  mode_t mode = (mode_t)integer(&call, 2);
  DONE(fchmodat(dir, name, mode, 0), "fchmodat");
}

// utimensat(dirFd, path, atimeSec, atimeNsec, mtimeSec, mtimeNsec, flags)
FUNCTION(utimensat_) {
  BEGIN int dir = INT(0), flags = INT(6);
  const char *name = PATH(1);
  struct timespec times[2] = {
      {.tv_sec = integer(&call, 2), .tv_nsec = integer(&call, 3)},
      {.tv_sec = integer(&call, 4), .tv_nsec = integer(&call, 5)},
  };
  DONE(utimensat(dir, name, times, flags), "utimensat");
}

// statx(dirFd, path, flags): Stat
FUNCTION(statx_) {
  BEGIN int dir = INT(0), flags = INT(2);
  const char *name = PATH(1);
  if (call.thrown) return NULL;
  struct statx at;
  if (statx(dir, name, flags, STATX_BASIC_STATS | 0x1000 /* STATX_MNT_ID */, &at) < 0) return throw_errno(env, errno, "statx");
  napi_value result;
  napi_create_object(env, &result);
  set(env, result, "mode", at.stx_mode);
  set(env, result, "uid", at.stx_uid);
  set(env, result, "gid", at.stx_gid);
  set(env, result, "size", (int64_t)at.stx_size);
  set(env, result, "blocks", (int64_t)at.stx_blocks);
  set(env, result, "ino", (int64_t)at.stx_ino);
  set(env, result, "nlink", at.stx_nlink);
  set(env, result, "dev", (int64_t)makedev(at.stx_dev_major, at.stx_dev_minor));
  set(env, result, "rdevMajor", at.stx_rdev_major);
  set(env, result, "rdevMinor", at.stx_rdev_minor);
  set(env, result, "mtimeSec", at.stx_mtime.tv_sec);
  set(env, result, "mtimeNsec", at.stx_mtime.tv_nsec);
  set(env, result, "atimeSec", at.stx_atime.tv_sec);
  set(env, result, "atimeNsec", at.stx_atime.tv_nsec);
  set(env, result, "ctimeSec", at.stx_ctime.tv_sec);
  set(env, result, "ctimeNsec", at.stx_ctime.tv_nsec);
  const uint64_t *mount_id = (const uint64_t *)((const char *)&at + 0x90); // stx_mnt_id, missing in older headers
  set(env, result, "mountId", (int64_t)*mount_id);
  return result;
}

// lsetxattr(path | fd, name, value, flags)
FUNCTION(lsetxattr_) {
  BEGIN path_buffer name;
  bool by_fd = is_number(&call, 0);
  int fd = by_fd ? INT(0) : -1, flags = INT(3);
  const char *file = by_fd ? NULL : PATH(0);
  path(&call, 1, name);
  struct bytes value = bytes(&call, 2);
  if (by_fd) DONE(fsetxattr(fd, name, value.at, value.size, flags), "fsetxattr");
  DONE(lsetxattr(file, name, value.at, value.size, flags), "lsetxattr");
}

// lremovexattr(path | fd, name)
FUNCTION(lremovexattr_) {
  BEGIN path_buffer name;
  bool by_fd = is_number(&call, 0);
  int fd = by_fd ? INT(0) : -1;
  const char *file = by_fd ? NULL : PATH(0);
  path(&call, 1, name);
  if (by_fd) DONE(fremovexattr(fd, name), "fremovexattr");
  DONE(lremovexattr(file, name), "lremovexattr");
}

// lgetxattr(path | fd, name): bytes | null where there is none
FUNCTION(lgetxattr_) {
  BEGIN path_buffer name;
  bool by_fd = is_number(&call, 0);
  int fd = by_fd ? INT(0) : -1;
  const char *file = by_fd ? NULL : PATH(0);
  path(&call, 1, name);
  if (call.thrown) return NULL;
  static _Thread_local char value[XATTR_VALUE_MAX];
  ssize_t size = by_fd ? fgetxattr(fd, name, value, sizeof value) : lgetxattr(file, name, value, sizeof value);
  if (size < 0 && errno == ENODATA) {
    napi_value null;
    napi_get_null(env, &null);
    return null;
  }
  return size < 0 ? throw_errno(env, errno, "lgetxattr") : buffer_of(env, value, (size_t)size);
}

// llistxattr(path | fd): names
FUNCTION(llistxattr_) {
  BEGIN bool by_fd = is_number(&call, 0);
  int fd = by_fd ? INT(0) : -1;
  const char *file = by_fd ? NULL : PATH(0);
  if (call.thrown) return NULL;
  static _Thread_local char names[XATTR_VALUE_MAX];
  ssize_t size = by_fd ? flistxattr(fd, names, sizeof names) : llistxattr(file, names, sizeof names);
  if (size < 0) return throw_errno(env, errno, "llistxattr");
  napi_value list, name;
  napi_create_array(env, &list);
  uint32_t index = 0;
  for (const char *at = names; at < names + size; at += strlen(at) + 1) {
    napi_create_string_utf8(env, at, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, list, index++, name);
  }
  return list;
}

// syncfs(fd)
FUNCTION(syncfs_) {
  struct call call = begin(env, info);
  int fd = INT(0);
  DONE(syncfs(fd), "syncfs");
}

// setWindowSize(fd, rows, columns)
FUNCTION(set_window_size) {
  struct call call = begin(env, info);
  int fd = INT(0), rows = INT(1), columns = INT(2);
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  DONE(ioctl(fd, TIOCSWINSZ, &size), "ioctl");
}

// flock(fd, operation)
FUNCTION(flock_) {
  struct call call = begin(env, info);
  int fd = INT(0), operation = INT(1);
  DONE(flock(fd, operation), "flock");
}

// ficlone(toFd, fromFd)
FUNCTION(ficlone) {
  struct call call = begin(env, info);
  int to = INT(0), from = INT(1);
  DONE(ioctl(to, FICLONE, from), "ioctl");
}

// fileFlags(fd, add): flags after adding these (FS_IOC_GETFLAGS, FS_IOC_SETFLAGS)
FUNCTION(file_flags) {
  struct call call = begin(env, info);
  int fd = INT(0), add = INT(1), flags = 0;
  if (call.thrown) return NULL;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) return throw_errno(env, errno, "ioctl");
  if ((flags & add) != add) {
    flags |= add;
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0) return throw_errno(env, errno, "ioctl");
  }
  return number(env, flags);
}

// copyFileRange(fromFd, fromOffset | null, toFd, toOffset | null, size): copied
FUNCTION(copy_file_range_) {
  struct call call = begin(env, info);
  int from = INT(0), to = INT(2);
  off64_t from_offset = 0, to_offset = 0;
  bool at_from = !is_absent(&call, 1), at_to = !is_absent(&call, 3);
  if (at_from) from_offset = integer(&call, 1);
  if (at_to) to_offset = integer(&call, 3);
  size_t size = (size_t)integer(&call, 4);
  DONE(copy_file_range(from, at_from ? &from_offset : NULL, to, at_to ? &to_offset : NULL, size, 0), "copy_file_range");
}

const struct function file_functions[] = {
    {"mount", mount_},
    {"umount2", umount2_},
    {"openat2", openat2_},
    {"mkdirat", mkdirat_},
    {"mknodat", mknodat_},
    {"symlinkat", symlinkat_},
    {"linkat", linkat_},
    {"unlinkat", unlinkat_},
    {"renameat2", renameat2_},
    {"readlinkat", readlinkat_},
    {"fchownat", fchownat_},
    {"fchmodat", fchmodat_},
    {"utimensat", utimensat_},
    {"statx", statx_},
    {"lsetxattr", lsetxattr_},
    {"lremovexattr", lremovexattr_},
    {"lgetxattr", lgetxattr_},
    {"llistxattr", llistxattr_},
    {"syncfs", syncfs_},
    {"setWindowSize", set_window_size},
    {"flock", flock_},
    {"ficlone", ficlone},
    {"fileFlags", file_flags},
    {"copyFileRange", copy_file_range_},
    {0},
};
