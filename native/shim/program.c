// Checks programs and runs their lists.
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops.h"

#define LAYOUT(name, layout) layout,
static const char *const layouts[] = {OPCODES(LAYOUT)};
#undef LAYOUT
#define FUNCTION(name, layout) op_##name,
static int (*const functions[])(struct machine *, struct args *) = {OPCODES(FUNCTION)};
#undef FUNCTION
#define CODE(name, layout) CODE_##name,
enum code { OPCODES(CODE) CODES };
#undef CODE

// ── checking ───────────────────────────────────────────────────────────────────────────────────────────────────────────

// A cursor over 4-byte words that cannot leave its part.
struct words {
  const uint32_t *at;
  const uint32_t *end;
};

static bool take(struct words *words, uint32_t *value) {
  if (words->at >= words->end) return false;
  *value = *words->at++;
  return true;
}

static bool skip(struct words *words, uint64_t bytes) {
  uint64_t count = (bytes + 3) / 4;
  if (count > (uint64_t)(words->end - words->at)) return false;
  words->at += count;
  return true;
}

static bool check_string(struct words *words) {
  uint32_t size;
  if (!take(words, &size)) return false;
  const char *text = (const char *)words->at;
  return skip(words, (uint64_t)size + 1) && text[size] == '\0' && memchr(text, 0, size) == NULL;
}

static bool check_list(struct words *words, struct failure *failure, uint32_t depth);

// `*kind` is left at the last letter of the argument's kind.
static bool check_argument(struct words *words, const char **kind, struct failure *failure, uint32_t depth) {
  uint32_t value;
  switch (**kind) {
    case 'u':
      return take(words, &value);
    case 'f':
      return take(words, &value) && value <= 1;
    case 'c':
      return take(words, &value) && value < (uint32_t)(*++*kind - '0');
    case 'C':
      return take(words, &value) && (value < (uint32_t)(*++*kind - '0') || value == ABSENT);
    case 'q':
      return take(words, &value) && take(words, &value);
    case 's':
      return take(words, &value) && value < SLOTS;
    case 'o':
      return take(words, &value) && (value < SLOTS || value == ABSENT);
    case 'z':
      return check_string(words);
    case 'b':
      return take(words, &value) && skip(words, value);
    case 'w':
      return take(words, &value) && skip(words, (uint64_t)value * 4);
    case 'Q':
      return take(words, &value) && skip(words, (uint64_t)value * 8);
    case 'Z':
      if (!take(words, &value)) return false;
      while (value-- > 0)
        if (!check_string(words)) return false;
      return true;
    case 'p':
      return check_list(words, failure, depth + 1);
    default:
      return false;
  }
}

// The offsets at which netlink messages get a pid lie inside of them.
static bool check_patches(const uint32_t *at) {
  struct args args = {at};
  arg_u32(&args);
  struct blob messages = arg_bytes(&args);
  for (uint32_t count = arg_u32(&args); count > 0; count--)
    if ((uint64_t)arg_u32(&args) + 4 > messages.size) return false;
  return true;
}

static bool check_op(struct words *list, struct failure *failure, uint32_t depth) {
  if (list->end - list->at < 2) return false;
  uint32_t code = list->at[0] & 0xffff, tolerated = list->at[0] >> 16, size = list->at[1];
  struct words words = {list->at + 2, list->at + size / 4};
  if (code >= CODES || size < 8 || size % 4 || !skip(list, size) || !skip(&words, (uint64_t)tolerated * 4)) return false;
  const uint32_t *arguments = words.at;
  for (const char *kind = layouts[code]; *kind; kind++)
    if (!check_argument(&words, &kind, failure, depth)) return false;
  return words.at == words.end && (code != CODE_netlink || check_patches(arguments));
}

static bool check_list(struct words *words, struct failure *failure, uint32_t depth) {
  if (depth >= PROGRAM_MAX_DEPTH || words->end - words->at < 2) return false;
  uint32_t size = words->at[0], count = words->at[1];
  struct words list = {words->at + 2, words->at + size / 4};
  if (size < 8 || size % 4 || !skip(words, size)) return false;
  for (uint32_t index = 0; index < count; index++) {
    failure->path[depth] = index;
    failure->depth = depth + 1;
    if (!check_op(&list, failure, depth)) return false;
  }
  failure->depth = depth;
  return list.at == list.end;
}

static struct failure unwanted;

int program_check(const void *bytes, size_t size, struct failure *failure) {
  if (!failure) failure = &unwanted;
  failure->error = EINVAL;
  failure->depth = failure->detail_size = 0;
  struct words words = {bytes, (const uint32_t *)bytes + size / 4};
  uint32_t magic, version;
  if (size > PROGRAM_MAX_BYTES || size % 4 || !take(&words, &magic) || !take(&words, &version)) return -EINVAL;
  if (magic != PROGRAM_MAGIC) return -EINVAL;
  if (version != PROGRAM_VERSION) return failure->error = EPROTO, -EPROTO;
  return check_list(&words, failure, 0) && words.at == words.end ? 0 : -EINVAL;
}

int program_map(int fd, void **bytes, size_t *size) {
  struct stat stat;
  if (fstat(fd, &stat) < 0) return -errno;
  if (stat.st_size <= 0 || stat.st_size > PROGRAM_MAX_BYTES) return -EINVAL;
  void *at = mmap(NULL, (size_t)stat.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) return -errno;
  *bytes = at;
  *size = (size_t)stat.st_size;
  return 0;
}

// ── running ────────────────────────────────────────────────────────────────────────────────────────────────────────────

static void enter(struct machine *machine, const uint32_t *list) {
  machine->count = list[1];
  machine->next = list + 2;
  machine->index = 0;
}

void machine_init(struct machine *machine, const void *bytes) {
  memset(machine, 0, offsetof(struct machine, failure));
  machine->failure.error = machine->failure.depth = machine->failure.detail_size = 0;
  for (int i = 0; i < SLOTS; i++) machine->slots[i] = -1;
  machine->parent = machine->wait_fd = machine->child.socket = -1;
  machine->stdio = (struct stdio){-1, -1, -1, -1};
  enter(machine, (const uint32_t *)bytes + 2);
}

static bool tolerates(const uint32_t *op, int error) {
  const uint32_t *errnos = op + 2;
  for (uint32_t count = op[0] >> 16; count > 0; count--)
    if (*errnos++ == (uint32_t)error) return true;
  return false;
}

static enum outcome fail(struct machine *machine, int error) {
  struct failure *failure = &machine->failure;
  // What the child says explains more than what its death makes of our own call.
  if (failure->depth == 0 && !sync_child_failed(machine)) {
    failure->error = (uint32_t)error;
    failure->depth = 1;
    failure->path[0] = machine->index;
  }
  // A child that waits for us would see the socket close; one that does not wait must not go on either.
  if (machine->child.socket >= 0 && machine->child.pid > 0) kill(machine->child.pid, SIGKILL);
  return PROGRAM_FAILED;
}

enum outcome program_run(struct machine *machine) {
  while (machine->index < machine->count) {
    const uint32_t *op = machine->next;
    struct args args = {op + 2 + (op[0] >> 16)};
    int got = functions[op[0] & 0xffff](machine, &args);
    if (got == OP_WAIT) return PROGRAM_WAIT;
    if (got < 0 && !tolerates(op, -got)) return fail(machine, -got);
    if (got < 0) machine->failure.depth = machine->failure.detail_size = 0;
    machine->next = op + op[1] / 4;
    machine->index++;
    if (got == OP_READY) return PROGRAM_READY;
  }
  return PROGRAM_DONE;
}

enum outcome program_run_blocking(struct machine *machine) {
  enum outcome outcome;
  while ((outcome = program_run(machine)) == PROGRAM_WAIT) {
    struct pollfd poller = {.fd = machine->wait_fd, .events = POLLIN};
    poll(&poller, 1, -1);
  }
  return outcome;
}

void run_child(struct machine *machine, const uint32_t *list) {
  enter(machine, list);
  enum outcome outcome = program_run_blocking(machine);
  if (outcome != PROGRAM_FAILED) _exit(0);
  sync_send_failure(machine->parent, &machine->failure);
  _exit(127);
}

void machine_close(struct machine *machine) {
  for (int i = 0; i < SLOTS; i++) {
    if (machine->slots[i] >= 0) close(machine->slots[i]);
    machine->slots[i] = -1;
  }
  if (machine->child.socket >= 0) close(machine->child.socket);
  if (machine->parent >= 0) close(machine->parent);
  machine->child.socket = machine->parent = -1;
}

void set_detail(struct machine *machine, const char *text, size_t size) {
  if (size > DETAIL_MAX) text += size - DETAIL_MAX, size = DETAIL_MAX;
  memcpy(machine->failure.detail, text, size);
  machine->failure.detail_size = (uint32_t)size;
}

size_t failure_encode(const struct failure *failure, void *out) {
  uint32_t *at = out;
  *at++ = failure->error;
  *at++ = failure->depth;
  for (uint32_t i = 0; i < failure->depth; i++) *at++ = failure->path[i];
  *at++ = failure->detail_size;
  memcpy(at, failure->detail, failure->detail_size);
  return (size_t)((char *)at - (char *)out) + failure->detail_size;
}

// ── arguments ──────────────────────────────────────────────────────────────────────────────────────────────────────────

int arg_slot(struct machine *machine, struct args *args) {
  uint32_t slot = arg_u32(args);
  return slot == ABSENT ? -1 : machine->slots[slot];
}

uint32_t arg_new_slot(struct machine *machine, struct args *args) {
  uint32_t slot = arg_u32(args);
  if (machine->slots[slot] >= 0) close(machine->slots[slot]);
  machine->slots[slot] = -1;
  return slot;
}

void arg_strings(struct args *args, uint32_t count, const char **strings) {
  for (uint32_t i = 0; i < count; i++) strings[i] = arg_string(args);
  strings[count] = NULL;
}

const char **map_strings(struct args *args) {
  uint32_t count = arg_u32(args);
  size_t size = ((size_t)count + 1) * sizeof(char *);
  const char **strings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (strings == MAP_FAILED) return NULL;
  arg_strings(args, count, strings);
  return strings;
}
