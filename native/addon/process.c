// Starting processes without a fork, and the calls on processes and namespaces.
#include "addon.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define STACK_BYTES (64 * 1024)

struct start {
  const char *file; // or NULL for file_fd
  int file_fd;
  char **args;
  char **env;
  const int *fds; // fds[i] becomes descriptor i
  int count;
  bool new_session;
  int error; // written by the child, which shares our memory
};

// Runs in the child on its own stack while the calling thread is suspended. It shares our memory but has its own descriptors
// and signal handlers. All signals are blocked until just before the exec.
static int child(void *argument) {
  struct start *start = argument;
  for (int number = 1; number < _NSIG; number++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(number, &action, NULL); // EINVAL for SIGKILL, SIGSTOP and libc's own: no matter
  }
  if (start->new_session) setsid();
  // First out of the way of each other, then into place.
  int *moved = (int *)start->fds;
  for (int i = 0; i < start->count; i++) {
    int fd = fcntl(moved[i], F_DUPFD_CLOEXEC, start->count + 1);
    if (fd < 0) goto failed;
    moved[i] = fd;
  }
  if (start->file == NULL) {
    start->file_fd = fcntl(start->file_fd, F_DUPFD_CLOEXEC, start->count + 1);
    if (start->file_fd < 0) goto failed;
  }
  for (int i = 0; i < start->count; i++)
    if (dup2(moved[i], i) < 0) goto failed;
  if (syscall(SYS_close_range, start->count, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) < 0) goto failed;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (start->file)
    execve(start->file, start->args, start->env);
  else
    syscall(SYS_execveat, start->file_fd, "", start->args, start->env, AT_EMPTY_PATH);
failed:
  start->error = errno;
  _exit(127);
}

static char **string_list(struct call *call, napi_value list) {
  uint32_t count = 0;
  if (call->thrown) return NULL;
  if (napi_get_array_length(call->env, list, &count) != napi_ok) {
    throw_type(call, "a list of strings was expected");
    return NULL;
  }
  char **strings = calloc(count + 1, sizeof *strings);
  for (uint32_t i = 0; strings && i < count; i++) {
    napi_value value;
    size_t size = 0;
    napi_get_element(call->env, list, i, &value);
    if (napi_get_value_string_utf8(call->env, value, NULL, 0, &size) != napi_ok) {
      throw_type(call, "a list of strings was expected");
      return strings;
    }
    strings[i] = malloc(size + 1);
    if (!strings[i]) break;
    napi_get_value_string_utf8(call->env, value, strings[i], size + 1, NULL);
  }
  return strings;
}

static void free_list(char **strings) {
  for (char **at = strings; at && *at; at++) free(*at);
  free(strings);
}

static napi_value property(struct call *call, const char *name) {
  napi_value value = NULL;
  if (!call->thrown && napi_get_named_property(call->env, call->values[0], name, &value) != napi_ok)
    throw_type(call, "an object was expected");
  return value;
}

static pid_t start_process(struct start *start) {
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -1;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = clone(child, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, start);
  int error = pid < 0 ? errno : start->error;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, STACK_BYTES);
  if (error && pid > 0) {
    waitpid(pid, NULL, 0);
    pid = -1;
  }
  errno = error;
  return pid;
}

// spawn({file, args, env, fds, newSession}): pid
static napi_value spawn(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  struct start start = {.file_fd = -1};
  path_buffer file;
  napi_value result = NULL;
  int null = -1, fds[64];

  napi_value list = property(&call, "fds");
  uint32_t count = 0;
  if (!call.thrown && (napi_get_array_length(env, list, &count) != napi_ok || count > 64))
    throw_type(&call, "fds: a list of at most 64 descriptors was expected");
  for (uint32_t i = 0; i < count && !call.thrown; i++) {
    napi_value element;
    napi_get_element(env, list, i, &element);
    if (napi_get_value_int32(env, element, &fds[i]) != napi_ok) throw_type(&call, "fds: a number was expected");
    if (fds[i] == -1 && null < 0) null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fds[i] == -1) fds[i] = null;
  }
  start.fds = fds;
  start.count = (int)count;
  start.args = string_list(&call, property(&call, "args"));
  start.env = string_list(&call, property(&call, "env"));
  if (!call.thrown) {
    napi_get_value_bool(env, property(&call, "newSession"), &start.new_session);
    call.values[0] = property(&call, "file");
    if (is_number(&call, 0))
      start.file_fd = (int)integer(&call, 0);
    else
      start.file = path(&call, 0, file);
  }
  if (!call.thrown) {
    pid_t pid = start.args && start.env ? start_process(&start) : (errno = ENOMEM, -1);
    result = answer(env, pid, "spawn");
  }
  free_list(start.args);
  free_list(start.env);
  if (null >= 0) close(null);
  return result;
}

// waitPid(pid): {code, signal} | null
static napi_value wait_pid(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  pid_t pid = (pid_t)integer(&call, 0);
  if (call.thrown) return NULL;
  if (pid <= 0) return throw_errno(env, EINVAL, "waitpid"); // never reaps children that libuv knows
  int status = 0;
  pid_t got = waitpid(pid, &status, WNOHANG | __WALL);
  napi_value result;
  if (got < 0) return throw_errno(env, errno, "waitpid");
  if (got == 0) {
    napi_get_null(env, &result);
    return result;
  }
  napi_create_object(env, &result);
  set(env, result, "code", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  set(env, result, "signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return result;
}

static bool write_all(int fd, const uint8_t *at, size_t size) {
  while (size > 0) {
    ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= (size_t)written;
  }
  return true;
}

static bool copy_file(int to, const char *name) {
  int from = open(name, O_RDONLY | O_CLOEXEC);
  if (from < 0) return false;
  uint8_t chunk[16384];
  ssize_t size;
  while ((size = read(from, chunk, sizeof chunk)) > 0 && write_all(to, chunk, (size_t)size)) {
  }
  int error = errno;
  close(from);
  errno = error;
  return size == 0;
}

// sealedMemfd(bytes | path): fd
static napi_value sealed_memfd(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  bool typed = false;
  napi_is_typedarray(env, call.values[0], &typed);
  path_buffer name;
  struct bytes content = {0};
  if (typed)
    content = bytes(&call, 0);
  else
    path(&call, 0, name);
  if (call.thrown) return NULL;
  int fd = memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x10 /* MFD_EXEC */);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING); // before 6.3
  if (fd < 0) return throw_errno(env, errno, "memfd_create");
  bool copied = typed ? write_all(fd, content.at, content.size) : copy_file(fd, name);
  if (!copied || lseek(fd, 0, SEEK_SET) < 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, "memfd_create");
  }
  return number(env, fd);
}

// pidfdOpen(pid): fd
static napi_value pidfd_open_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int64_t pid = integer(&call, 0);
  return call.thrown ? NULL : answer(env, syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
}

// pidfdSendSignal(fd, signal)
static napi_value pidfd_send_signal_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int64_t fd = integer(&call, 0), signal = integer(&call, 1);
  return call.thrown ? NULL : answer(env, syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0), "pidfd_send_signal");
}

// setns(fd, flags): the calling thread only
static napi_value setns_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0), flags = (int)integer(&call, 1);
  return call.thrown ? NULL : answer(env, setns(fd, flags), "setns");
}

// unshare(flags): the calling thread only
static napi_value unshare_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int flags = (int)integer(&call, 0);
  return call.thrown ? NULL : answer(env, unshare(flags), "unshare");
}

// umask(mask): the previous mask; of the calling thread alone after unshare(CLONE_FS)
static napi_value umask_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  mode_t mask = (mode_t)integer(&call, 0);
  return call.thrown ? NULL : number(env, umask(mask));
}

// prctlSubreaper()
static napi_value subreaper(napi_env env, napi_callback_info info) {
  (void)info;
  return answer(env, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl");
}

const struct function process_functions[] = {
    {"spawn", spawn},
    {"waitPid", wait_pid},
    {"sealedMemfd", sealed_memfd},
    {"pidfdOpen", pidfd_open_},
    {"pidfdSendSignal", pidfd_send_signal_},
    {"setns", setns_},
    {"unshare", unshare_},
    {"umask", umask_},
    {"prctlSubreaper", subreaper},
    {0},
};
