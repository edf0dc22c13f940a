// Notices that the kernel killed for want of memory in the container's cgroup: version 1 tells by an eventfd, version 2 by a
// change of memory.events. Both count the kills.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "life.h"

// The number after `oom_kill ` in `file`.
static uint64_t kills(const char *file) {
  char text[512];
  int fd = openat(shim.oom_directory, file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return 0;
  text[size] = 0;
  const char *at = strstr(text, "oom_kill ");
  if (!at) return 0;
  uint64_t count = 0;
  for (at += 9; *at >= '0' && *at <= '9'; at++) count = count * 10 + (uint64_t)(*at - '0');
  return count;
}

static const char *counter_file(void) { return shim.oom_mode == WIRE_OOM_V1 ? "memory.oom_control" : "memory.events"; }

static void register_v1(void) {
  int control = openat(shim.oom_directory, "memory.oom_control", O_RDONLY | O_CLOEXEC);
  int request = openat(shim.oom_directory, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
  shim.oom_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (control >= 0 && request >= 0 && shim.oom_event >= 0) {
    char text[24];
    int values[2] = {shim.oom_event, control}, size = 0;
    for (int i = 0; i < 2; i++) {
      if (values[i] >= 100) text[size++] = (char)('0' + values[i] / 100 % 10);
      if (values[i] >= 10) text[size++] = (char)('0' + values[i] / 10 % 10);
      text[size++] = (char)('0' + values[i] % 10);
      if (i == 0) text[size++] = ' ';
    }
    if (write(request, text, (size_t)size) == size) watch(EPOLL_CTL_ADD, shim.oom_event, ON_OOM, 0, EPOLLIN);
  }
  if (control >= 0) close(control);
  if (request >= 0) close(request);
}

void oom_watch(void) {
  if (shim.oom_mode == WIRE_OOM_NONE) return;
  shim.oom_directory = open(shim.oom_path, O_DIRECTORY | O_CLOEXEC | O_PATH);
  if (shim.oom_directory < 0) return;
  if (shim.oom_mode == WIRE_OOM_V1) {
    register_v1();
    return;
  }
  char path[PATH_MAX_ + 16];
  size_t size = strlen(shim.oom_path);
  memcpy(path, shim.oom_path, size);
  memcpy(path + size, "/memory.events", sizeof "/memory.events");
  shim.oom_event = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (shim.oom_event < 0 || inotify_add_watch(shim.oom_event, path, IN_MODIFY) < 0) return;
  watch(EPOLL_CTL_ADD, shim.oom_event, ON_OOM, 0, EPOLLIN);
}

void oom_check(void) {
  if (shim.oom_directory < 0 || shim.oom_seen) return;
  if (kills(counter_file()) == 0) return;
  shim.oom_seen = 1;
  control_event(WIRE_EVENT_OOM, NULL, 0);
}

void oom_event(void) {
  char buffer[1024];
  if (read(shim.oom_event, buffer, sizeof buffer) <= 0) return;
  oom_check();
}
