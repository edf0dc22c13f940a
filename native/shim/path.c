// Finding files. After pivot_root "/" is the container's own, before it every look-up that the image or the user can influence is
// bounded by openat2's flags. Calls that know no such flags act on descriptors opened with O_PATH.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel.h"
#include "ops.h"

#define LINKS_MAX 40

struct at arg_at(struct machine *machine, struct args *args) {
  uint32_t dir = arg_u32(args);
  struct at at = {.dir = dir == ABSENT ? AT_FDCWD : machine->slots[dir]};
  at.path = arg_string(args);
  uint32_t resolve = arg_u32(args);
  at.resolve = resolve == ABSENT ? 0 : resolve;
  return at;
}

int open_at(const struct at *at, uint64_t flags, uint64_t mode) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = at->resolve};
  long fd;
  int tries = 0;
  do fd = result(syscall(SYS_openat2, at->dir, at->path, &how, sizeof how));
  while (fd == -EINTR || (fd == -EAGAIN && at->resolve && ++tries < 128));
  return (int)fd;
}

int open_target(const struct at *at) {
  if (*at->path) return open_at(at, O_PATH, 0);
  return (int)result(fcntl(at->dir, F_DUPFD_CLOEXEC, 3));
}

int open_parent(const struct at *at, char *buffer, const char **last) {
  size_t size = strlen(at->path);
  if (at->resolve == 0) return *last = at->path, at->dir;
  if (size == 0) return -ENOENT;
  if (size >= PATH_MAX) return -ENAMETOOLONG;
  memcpy(buffer, at->path, size + 1);
  while (size > 1 && buffer[size - 1] == '/') buffer[--size] = '\0';
  char *slash = strrchr(buffer, '/');
  *last = slash ? slash + 1 : buffer;
  if (**last == '\0' || strcmp(*last, ".") == 0 || strcmp(*last, "..") == 0) return -EINVAL;
  if (slash) *slash = '\0';
  struct at parent = {at->dir, slash == NULL ? "." : slash == buffer ? "/" : buffer, at->resolve};
  return open_at(&parent, O_PATH | O_DIRECTORY, 0);
}

void close_parent(const struct at *at, int fd) {
  if (at->resolve && fd >= 0) close(fd);
}

// Something was there, though the look-up did not find it: a dangling link, whose target takes the place of path[start..end), or
// what somebody else made meanwhile (containers that start together share the parents of their cgroups).
static int follow(int dir, const char *name, char *path, size_t start, size_t end, uint64_t resolve) {
  char target[PATH_MAX], joined[PATH_MAX];
  ssize_t size = readlinkat(dir, name, target, sizeof target - 1);
  if (size < 0) return errno == EINVAL || errno == ENOENT ? 0 : -errno;
  if (resolve & RESOLVE_NO_SYMLINKS) return -ELOOP;
  target[size] = '\0';
  int prefix = target[0] == '/' ? 0 : (int)start;
  int length = snprintf(joined, sizeof joined, "%.*s%s%s", prefix, path, target, path + end);
  if (length < 0 || (size_t)length >= sizeof joined) return -ENAMETOOLONG;
  memcpy(path, joined, (size_t)length + 1);
  return 0;
}

// Makes the first missing component of `path`, of which path[0..start) exists. 0: that was the last; 1: look again.
static int make_component(const struct at *at, char *path, size_t start, mode_t mode) {
  size_t end = start + strcspn(path + start, "/");
  bool is_last = path[end + strspn(path + end, "/")] == '\0';
  char saved = path[start];
  path[start] = '\0';
  struct at parent = {at->dir, start == 0 ? "." : path, at->resolve};
  int dir = open_at(&parent, O_PATH | O_DIRECTORY, 0);
  path[start] = saved;
  if (dir < 0) return dir;
  char name[NAME_MAX + 1];
  if (end - start > NAME_MAX) return close(dir), -ENAMETOOLONG;
  memcpy(name, path + start, end - start);
  name[end - start] = '\0';
  long got = result(mkdirat(dir, name, is_last ? mode : 0755));
  bool made = got == 0;
  if (got == -EEXIST) got = follow(dir, name, path, start, end, at->resolve);
  close(dir);
  return got < 0 ? (int)got : made && is_last ? 0 : 1;
}

// Where the last component of path[0..end) starts.
static size_t last_start(const char *path, size_t end) {
  while (end > 0 && path[end - 1] == '/') end--;
  while (end > 0 && path[end - 1] != '/') end--;
  return end;
}

int make_directories(const struct at *at, mode_t mode) {
  char path[PATH_MAX];
  size_t size = strlen(at->path);
  if (size >= sizeof path) return -ENAMETOOLONG;
  memcpy(path, at->path, size + 1);
  struct at whole = {at->dir, path, at->resolve};
  for (int tries = 0; tries < LINKS_MAX + PATH_MAX / 2; tries++) {
    // From the end, for mostly only the last component is missing: cut until what is left exists.
    size_t end = strlen(path), start = end;
    int fd = open_at(&whole, O_PATH | O_DIRECTORY, 0);
    if (fd != -ENOENT) return fd < 0 ? fd : (close(fd), 0);
    while (fd == -ENOENT) {
      end = start;
      start = last_start(path, end);
      if (start == 0) break; // relative to `dir` itself
      char saved = path[start];
      path[start] = '\0';
      fd = open_at(&whole, O_PATH | O_DIRECTORY, 0);
      path[start] = saved;
      if (fd >= 0) close(fd);
    }
    if (fd < 0 && fd != -ENOENT) return fd;
    int more = make_component(at, path, start, mode);
    if (more <= 0) return more;
  }
  return -ELOOP;
}

int make_file(const struct at *at) {
  int fd = open_at(at, O_PATH, 0);
  if (fd == -ENOENT) {
    const char *slash = strrchr(at->path, '/');
    if (slash && slash != at->path) {
      char parent[PATH_MAX];
      size_t size = (size_t)(slash - at->path);
      if (size >= sizeof parent) return -ENAMETOOLONG;
      memcpy(parent, at->path, size);
      parent[size] = '\0';
      int made = make_directories(&(struct at){at->dir, parent, at->resolve}, 0755);
      if (made < 0) return made;
    }
    // Without O_EXCL: a dangling link is followed, within the bounds, and its target made.
    fd = open_at(at, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, 0644);
  }
  if (fd < 0) return fd;
  close(fd);
  return 0;
}
