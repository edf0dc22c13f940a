// What the ops share: reading arguments, finding files, talking to the process on the other side of a clone.
#pragma once

#include "program.h"

// ── arguments: program_check has seen every one of them, so reading is plain ────────────────────────────────────────────

struct args {
  const uint32_t *at;
};

struct blob {
  void *bytes;
  uint32_t size;
};

static inline uint32_t arg_u32(struct args *args) { return *args->at++; }
static inline uint64_t arg_u64(struct args *args) {
  uint64_t low = arg_u32(args), high = arg_u32(args);
  return low | high << 32;
}
static inline struct blob arg_bytes(struct args *args) {
  uint32_t size = arg_u32(args);
  struct blob blob = {(void *)args->at, size};
  args->at += ((uint64_t)size + 3) / 4;
  return blob;
}
static inline const char *arg_string(struct args *args) {
  uint32_t size = arg_u32(args);
  const char *text = (const char *)args->at;
  args->at += ((uint64_t)size + 4) / 4; // with the NUL
  return text;
}
// Fills `strings`, which has room for count + 1, and ends it with NULL.
void arg_strings(struct args *args, uint32_t count, const char **strings);

// The descriptor in a slot, -1 when it is empty or the argument is ABSENT.
int arg_slot(struct machine *machine, struct args *args);
// Empties the slot, closing what it held, and answers its index.
uint32_t arg_new_slot(struct machine *machine, struct args *args);

// ── ops: 0, a negative errno, or one of these ──────────────────────────────────────────────────────────────────────────

#define OP_READY 1
#define OP_WAIT 2

#define DECLARE(name, layout) int op_##name(struct machine *machine, struct args *args);
OPCODES(DECLARE)
#undef DECLARE

// Text beside the errno.
void set_detail(struct machine *machine, const char *text, size_t size);

// ── files (path.c) ─────────────────────────────────────────────────────────────────────────────────────────────────────

struct at {
  int dir;
  const char *path;
  uint64_t resolve;
};

struct at arg_at(struct machine *machine, struct args *args);
// openat2, close-on-exec, tried again while somebody renames things under a bounded look-up.
int open_at(const struct at *at, uint64_t flags, uint64_t mode);
// An O_PATH descriptor of the thing itself; of the directory when the path is empty.
int open_target(const struct at *at);
// The directory to pass to a call that makes or removes a name, with the rest of the path in `last`. When the look-up is bounded
// this is a new descriptor of the parent, else `dir` as it is. Close with close_parent.
int open_parent(const struct at *at, char *buffer, const char **last);
void close_parent(const struct at *at, int fd);
// mkdir -p, where every look-up is bounded by at->resolve, and links inside of it are followed even when they dangle.
int make_directories(const struct at *at, mode_t mode);
// Makes an empty file and its parents, unless something is there.
int make_file(const struct at *at);

// ── the other side of a clone (sync.c) ─────────────────────────────────────────────────────────────────────────────────

int sync_pair(int fds[2]);
int sync_send_pid(int fd, pid_t pid);
void sync_send_failure(int fd, const struct failure *failure);
// Takes the child's failure over if it has told one: true then, and machine->failure is complete.
bool sync_child_failed(struct machine *machine);
// Runs a child's list to its end; never returns.
__attribute__((noreturn)) void run_child(struct machine *machine, const uint32_t *list);

// ── for several ops ────────────────────────────────────────────────────────────────────────────────────────────────────

// fork(2) by clone3, without anything that libc would do around it.
pid_t fork_plain(void);
// For a child: closes every descriptor above 2 that the machine does not hold.
void close_strangers(const struct machine *machine);
// For a process about to execute: no signal is blocked or ignored.
void reset_signals(void);
// An array of strings in memory of its own, for execve. NULL when there is no memory.
const char **map_strings(struct args *args);
