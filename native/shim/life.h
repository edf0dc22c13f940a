// What the files of a shim's life share. One shim is one process, so its state is static: `shim` (loop.c).
//
//     loop.c     start, the epoll loop, time-outs, children that end, leaving
//     control.c  the daemons' connections: frames in, replies and events out
//     requests.c what daemons may ask for
//     stdio.c    the streams of the container and of execs
//     attach.c   clients that watch and feed these streams
//     log.c      the container's log: json-file, local
//     syslog.c   and to a syslog server
//     exec.c     processes: the container's init and execs, from program to exit status
//     oom.c      notices when the kernel kills for want of memory
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "program.h"
#include "wire.h"

#define CHUNK (128 * 1024)  // most that is read from a stream at once
#define LINE_MAX_ (16 * 1024) // a longer line is logged in pieces, as Docker's copier does
// Buffers that are given back to the kernel share no page with anything else, whatever the page size (up to 64 KiB).
#define PAGE_MAX 65536
#define WHOLE_PAGES(size) (((size) + PAGE_MAX - 1) / PAGE_MAX * PAGE_MAX)
#define PROCESSES 1024
#define CLIENTS 1024 // 10 bits of an event's tag
#define CONNECTIONS 8
#define PATH_MAX_ 1024
#define EXEC_ID_MAX 80

#define MS 1000000ull
#define DRAIN_NS (2000 * MS)       // a grandchild may hold the streams open for this long after the exit
#define STALL_NS (30 * MS)         // a client without any progress holds the container up for this long
#define SLOW_NS (100 * MS)         // and one with little progress for this long for one chunk
#define LINGER_NS (2000 * MS)      // a client that has everything may take this long to close its side
#define TERMINAL_RETRY_NS (100 * MS)
#define IDLE_MS 200                // buffers go back to the kernel after this much quiet

// What an epoll event is about: kind in the upper half, index in the lower.
enum kind { ON_CHILD = 1, ON_LISTEN, ON_CONNECTION, ON_STDOUT, ON_STDERR, ON_STDIN, ON_CLIENT, ON_MACHINE, ON_OOM };

struct exit_status {
  int32_t code; // 128 + signal when killed by one
  int32_t signal;
  uint64_t time_ns;
  uint8_t oom;
};

// One stream that a process writes.
struct output {
  int fd; // -1 when closed
  bool armed;
};

enum process_phase { PROCESS_FREE = 0, PROCESS_STARTING, PROCESS_CREATED, PROCESS_RUNNING, PROCESS_STOPPED };

// The container's init (index 0) or an exec.
struct process {
  enum process_phase phase;
  uint8_t io; // WIRE_IO_*
  bool exited, stdin_armed, terminal_writable_wanted;
  bool terminal_missing; // external: its runtime has not sent it yet
  uint32_t number;
  pid_t pid, helper; // `helper`: the external runtime that makes it
  struct machine *machine; // while its program runs
  void *program;
  size_t program_size;
  int wait_fd; // machine's, as registered
  int connection; // who waits for the answer to `sequence`, -1 nobody
  uint32_t connection_serial, sequence;
  uint16_t request;
  struct output out[2]; // stdout (or the terminal), stderr
  int input;            // stdin pipe, or the same descriptor as out[0] of a terminal; -1 when closed
  bool close_input;     // close it when all that clients sent before is written
  uint32_t blocked;     // clients for which reading waits
  uint64_t drain_until, retry_at;
  struct exit_status exit;
  char exec_id[EXEC_ID_MAX];
};

struct client {
  int fd; // -1: free
  uint32_t id, process, number; // index of the process, and its number, since the index may be given to another
  uint8_t flags;        // WIRE_ATTACH_*
  bool registered, deaf, ending, lingering, input_ended, paused, throttled;
  uint32_t events;
  uint8_t *pending; // rest of a chunk that the socket did not take
  uint32_t pending_start, pending_end;
  uint64_t blocked_at, progress_at, linger_until;
  int spill; // unlinked file with what came after, -1
  uint64_t spill_start, spill_end;
  uint8_t *held; // input that the process has not taken yet
  uint32_t held_start, held_end;
  uint8_t keys[16], key_count, matched;
};

struct shim {
  int epoll, child_event, listener, directory, oom_event, oom_directory;
  uint8_t phase; // WIRE_PHASE_*
  bool leaving, low_oom_score;
  uint32_t client_top, process_top, connections, clients, machines, helpers;
  uint64_t now; // CLOCK_MONOTONIC, at the latest wake-up
  int32_t oom_score, container_oom_score;
  uint64_t spill_soft, spill_hard;
  uint8_t oom_mode, oom_seen;
  char directory_path[PATH_MAX_], spill_path[PATH_MAX_], oom_path[PATH_MAX_];
};

extern struct shim shim;
extern struct process processes[PROCESSES];
extern struct client clients[CLIENTS];

// loop.c
uint64_t monotonic_ns(void);
uint64_t wall_ns(void);
int watch(int operation, int fd, enum kind kind, uint32_t index, uint32_t events);
void crash_point(const char *name);
void write_exit_file(const struct exit_status *status);
void buffers_used(void);

// exec.c
struct process *process_by_number(uint32_t number);
void process_launch(struct process *process, int program_fd);
void process_advance(struct process *process); // runs its program on
void processes_reap(void);
void process_started_outside(struct process *process); // external: its runtime has been told to start it
void process_maybe_finish(struct process *process);
void process_release(struct process *process);
static inline uint32_t process_index(const struct process *process) { return (uint32_t)(process - processes); }

// stdio.c
void streams_take(struct process *process); // machine.stdio becomes the process's
void terminal_take(struct process *process, int fd);
void streams_arm(struct process *process);
void stream_readable(struct process *process, int which);
void streams_drain(struct process *process, bool close_after);
void stream_close(struct process *process, int which);
void input_close(struct process *process);
void input_writable(struct process *process);
void input_wait(struct process *process, bool wanted);
void chunk_release(void);

// attach.c
struct client *client_add(struct process *process, int fd, uint32_t id, uint8_t flags);
void client_feed(struct client *client, const uint8_t *bytes, uint32_t size);
struct client *client_of_event(uint32_t tag); // NULL when its place has been taken by another
void client_event(struct client *client, uint32_t events);
void client_input(struct client *client);
void client_output(struct client *client, int which, const uint8_t *bytes, uint32_t size);
void client_arm(struct client *client);
void clients_awake(const struct process *process); // its streams are there now
void client_end(struct client *client); // all output is handed over: flush, shut down
void clients_release(void); // buffers that are empty
uint64_t clients_deadline(void);
void clients_timeout(void);

// log.c
bool log_configure(uint8_t type, const char *path, const char *attributes, size_t attributes_size, uint64_t max_size, uint32_t max_files);
bool log_wanted(void);
// `bytes` may be preceded by LINE_MAX_ bytes of scratch room.
void log_chunk(int which, uint8_t *bytes, size_t size);
void log_finish(void);
void log_release(void);
void log_replace(const char *temporary, uint64_t inode);

// syslog.c
bool syslog_configure(const uint8_t *bytes, size_t size);
void syslog_line(int which, const uint8_t *line, size_t size, uint64_t ns);

// oom.c
void oom_watch(void);
void oom_event(void);
void oom_check(void); // at the end: has the kernel killed here?

// control.c
void control_first(int fd); // waits for `create`
void control_readable(uint32_t index);
void control_accept(void);
void control_reply(int connection, uint32_t serial, uint16_t request, uint32_t sequence, int32_t result, const void *data, size_t size);
void control_event(uint16_t type, const void *data, size_t size);
void control_exit_event(const struct process *process);
void control_client_event(uint32_t id, uint32_t number, uint8_t why);
int control_listen(void);
