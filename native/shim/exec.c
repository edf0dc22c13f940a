// Processes: the container's init and the execs. Each is started by a program, is our child, and ends with a status that is told
// once its output is out.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "life.h"

// Children that ended before their program said whose they are.
#define STRAYS 32
static struct {
  pid_t pid;
  struct exit_status status;
} strays[STRAYS];
static uint32_t stray_next;

struct process *process_by_number(uint32_t number) {
  for (uint32_t i = 0; i < shim.process_top; i++) {
    if (processes[i].phase != PROCESS_FREE && processes[i].number == number) return &processes[i];
  }
  return NULL;
}

// An adjustment low enough to be spared is inherited by children; around a program's clone it is the container's own.
static void set_oom_score(int32_t score) {
  char text[12], digits[11];
  size_t count = 0, size = 0;
  uint32_t value = score < 0 ? (uint32_t)-score : (uint32_t)score;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  if (score < 0) text[size++] = '-';
  while (count > 0) text[size++] = digits[--count];
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, text, size) < 0) shim.low_oom_score = false;
  close(fd);
}

static void program_end(struct process *process) {
  if (process->wait_fd >= 0) {
    watch(EPOLL_CTL_DEL, process->wait_fd, ON_MACHINE, 0, 0);
    process->wait_fd = -1;
  }
  if (!process->machine) return;
  machine_close(process->machine);
  munmap(process->machine, sizeof *process->machine);
  process->machine = NULL;
  if (process->program) munmap(process->program, process->program_size);
  process->program = NULL;
  shim.machines--;
}

static void refuse(struct process *process, int error) {
  struct failure failure = {.error = (uint32_t)error};
  uint8_t bytes[FAILURE_BYTES_MAX];
  size_t size = failure_encode(&failure, bytes);
  control_reply(process->connection, process->connection_serial, process->request, process->sequence, WIRE_PROGRAM_FAILED, bytes, size);
}

// Maps and checks the program in `program_fd` (which it closes) and runs it as far as it goes.
void process_launch(struct process *process, int program_fd) {
  size_t size = 0;
  int error = program_map(program_fd, &process->program, &size);
  process->program_size = size;
  close(program_fd);
  if (error == 0) error = program_check(process->program, size, NULL);
  void *machine = MAP_FAILED;
  if (error == 0) {
    machine = mmap(NULL, sizeof(struct machine), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (machine == MAP_FAILED) error = -errno;
  }
  if (error != 0) {
    if (process->program) munmap(process->program, process->program_size);
    process->program = NULL;
    refuse(process, -error);
    if (process_index(process) == 0) {
      shim.leaving = true;
    } else {
      process_release(process);
    }
    return;
  }
  process->machine = machine;
  shim.machines++;
  machine_init(process->machine, process->program);
  process->machine->has_shim = true;
  if (shim.low_oom_score) set_oom_score(shim.container_oom_score);
  process_advance(process);
  if (shim.low_oom_score) set_oom_score(shim.oom_score);
}

static void ended(struct process *process, const struct exit_status *status) {
  process->exited = true;
  process->exit = *status;
  // An external one may end before we are told that it was started: `started` comes before `exit`.
  if ((process->io & WIRE_IO_EXTERNAL) && process->phase == PROCESS_CREATED) return;
  process->drain_until = shim.now + DRAIN_NS;
  input_close(process);
  streams_drain(process, false);
  process_maybe_finish(process);
}

static bool adopt_stray(struct process *process) {
  for (uint32_t i = 0; i < STRAYS; i++) {
    if (strays[i].pid == 0 || strays[i].pid != process->pid) continue;
    strays[i].pid = 0;
    ended(process, &strays[i].status);
    return true;
  }
  return false;
}

static void failed(struct process *process) {
  uint8_t bytes[FAILURE_BYTES_MAX];
  size_t size = failure_encode(&process->machine->failure, bytes);
  program_end(process);
  control_reply(process->connection, process->connection_serial, process->request, process->sequence, WIRE_PROGRAM_FAILED, bytes, size);
  if (process_index(process) == 0) {
    // A container that did not come to life has no shim; the daemon clears away what the program had made.
    process->phase = PROCESS_STOPPED;
    shim.leaving = true;
    for (uint32_t i = 0; i < shim.client_top; i++) {
      if (clients[i].fd >= 0 && clients[i].process == 0) client_end(&clients[i]);
    }
  } else {
    process_release(process);
  }
}

static void answer(struct process *process, const void *data, size_t size) {
  control_reply(process->connection, process->connection_serial, process->request, process->sequence, 0, data, size);
  process->connection = -1;
}

static void begin(struct process *process) {
  bool init = process_index(process) == 0;
  process->phase = PROCESS_RUNNING;
  uint32_t pid = (uint32_t)process->pid;
  if (init) shim.phase = WIRE_PHASE_RUNNING;
  answer(process, &pid, sizeof pid);
  streams_arm(process);
  clients_awake(process);
  if (process->exited) {
    ended(process, &process->exit);
    return;
  }
  if (adopt_stray(process)) return;
  if (init) {
    oom_watch();
    if (shim.oom_score != 0) {
      shim.low_oom_score = true;
      set_oom_score(shim.oom_score);
    }
  }
}

void process_started_outside(struct process *process) { begin(process); }

static void created(struct process *process) {
  process->phase = PROCESS_CREATED;
  if (process_index(process) == 0) shim.phase = WIRE_PHASE_CREATED;
  uint32_t pids[2] = {(uint32_t)getpid(), (uint32_t)process->pid};
  crash_point("shim-created");
  answer(process, pids, sizeof pids);
  clients_awake(process);
  adopt_stray(process);
}

// ── external runtimes ──────────────────────────────────────────────────────────────────────────────────────────────────

static pid_t read_pid_file(uint32_t number) {
  char name[16], text[16];
  size_t size = 0;
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count > 0) name[size++] = digits[--count];
  memcpy(name + size, ".pid", 5);
  int fd = openat(shim.directory, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof text);
  close(fd);
  pid_t pid = 0;
  for (ssize_t i = 0; i < got && text[i] >= '0' && text[i] <= '9'; i++) pid = pid * 10 + (text[i] - '0');
  return pid;
}

static void helper_ended(struct process *process, const struct exit_status *status) {
  process->helper = 0;
  shim.helpers--;
  process->pid = status->code == 0 ? read_pid_file(process->number) : 0;
  if (process->pid > 0) {
    if (process_index(process) == 0) created(process);
    else begin(process);
    return;
  }
  refuse(process, EIO); // its own log says why
  if (process_index(process) == 0) shim.leaving = true;
  else process_release(process);
}

static struct process *process_by_helper(pid_t pid) {
  for (uint32_t i = 0; i < shim.process_top; i++) {
    if (processes[i].phase == PROCESS_STARTING && processes[i].helper == pid) return &processes[i];
  }
  return NULL;
}

static void helper_started(struct process *process) {
  process->helper = process->machine->child.pid;
  shim.helpers++;
  program_end(process);
  for (uint32_t i = 0; i < STRAYS; i++) {
    if (strays[i].pid != process->helper) continue;
    strays[i].pid = 0;
    helper_ended(process, &strays[i].status);
    return;
  }
}

static void program_done(struct process *process) {
  if (process->io & WIRE_IO_EXTERNAL) {
    helper_started(process);
    return;
  }
  process->pid = process->machine->child.pid;
  program_end(process);
  begin(process);
}

static void program_ready(struct process *process) {
  process->pid = process->machine->child.pid;
  created(process);
}

void process_advance(struct process *process) {
  struct machine *machine = process->machine;
  if (!machine) return;
  if (process->wait_fd >= 0) {
    // Before it runs on: the machine may close this descriptor.
    watch(EPOLL_CTL_DEL, process->wait_fd, ON_MACHINE, 0, 0);
    process->wait_fd = -1;
  }
  enum outcome outcome = program_run(machine);
  streams_take(process);
  switch (outcome) {
    case PROGRAM_WAIT:
      process->wait_fd = machine->wait_fd;
      watch(EPOLL_CTL_ADD, process->wait_fd, ON_MACHINE, process_index(process), EPOLLIN);
      break;
    case PROGRAM_READY: program_ready(process); break;
    case PROGRAM_DONE: program_done(process); break;
    case PROGRAM_FAILED: failed(process); break;
  }
}

static struct process *process_by_pid(pid_t pid) {
  for (uint32_t i = 0; i < shim.process_top; i++) {
    if (processes[i].phase != PROCESS_FREE && processes[i].pid == pid && !processes[i].exited) return &processes[i];
  }
  return NULL;
}

// Programs that wait: what they have been sent is read before a child is judged, so that `started` comes before `exit`.
static void advance_waiting(void) {
  for (uint32_t i = 0; i < shim.process_top; i++) {
    if (processes[i].machine && processes[i].wait_fd >= 0) process_advance(&processes[i]);
  }
}

void processes_reap(void) {
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) return;
    pid_t pid = info.si_pid;
    if (shim.machines > 0) advance_waiting();
    struct process *process = process_by_pid(pid), *helped = shim.helpers > 0 ? process_by_helper(pid) : NULL;
    int raw = 0;
    if (waitpid(pid, &raw, WNOHANG) != pid) continue;
    struct exit_status status = {.time_ns = wall_ns()};
    if (WIFSIGNALED(raw)) {
      status.signal = WTERMSIG(raw);
      status.code = 128 + status.signal;
    } else {
      status.code = WEXITSTATUS(raw);
    }
    if (process) {
      ended(process, &status);
    } else if (helped) {
      helper_ended(helped, &status);
    } else if (shim.machines > 0 || shim.helpers > 0) {
      strays[stray_next % STRAYS].pid = pid;
      strays[stray_next++ % STRAYS].status = status;
    }
  }
}

// The end is told when the process is gone and all it wrote has been read, or has had its time.
void process_maybe_finish(struct process *process) {
  if (!process->exited || process->phase == PROCESS_STOPPED || process->phase == PROCESS_FREE) return;
  if (process->out[0].fd >= 0 || process->out[1].fd >= 0 || process->terminal_missing) return;
  process->drain_until = 0;
  program_end(process);
  bool init = process_index(process) == 0;
  process->phase = PROCESS_STOPPED;
  if (init) {
    log_finish();
    oom_check();
    process->exit.oom = shim.oom_seen;
    shim.phase = WIRE_PHASE_STOPPED;
    write_exit_file(&process->exit);
    crash_point("shim-exit-told");
  }
  control_exit_event(process);
  // Only now do clients see the end: who asks for the status next finds it.
  for (uint32_t i = 0; i < shim.client_top; i++) {
    if (clients[i].fd >= 0 && clients[i].process == process_index(process)) client_end(&clients[i]);
  }
  if (!init && shim.connections > 0) process_release(process);
}

void process_release(struct process *process) {
  program_end(process);
  for (uint32_t i = 0; i < shim.client_top; i++) {
    if (clients[i].fd >= 0 && clients[i].process == process_index(process) && !clients[i].ending) {
      // Its program never ran: the daemon still holds the client's socket and will speak to it.
      close(clients[i].fd);
      clients[i].fd = -1;
      shim.clients--;
    }
  }
  stream_close(process, 0);
  stream_close(process, 1);
  input_close(process);
  process->phase = PROCESS_FREE;
  process->pid = 0;
  while (shim.process_top > 1 && processes[shim.process_top - 1].phase == PROCESS_FREE) shim.process_top--;
}
