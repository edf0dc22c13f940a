// The addon: system calls that Node lacks, for the daemon and its worker threads. It keeps no state, so it loads in any number
// of threads. Every function takes its arguments by position, answers at once, and throws an Error with `code` (the errno's
// name), `errno` and `syscall`. src/launcher/native.ts documents each function and is the only file that loads this.
#pragma once

#define _GNU_SOURCE
#define NAPI_VERSION 8

#include <errno.h>
#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS 8

// One call from JavaScript. After a bad argument `thrown` is set, and every further reading answers zero.
struct call {
  napi_env env;
  napi_value values[ARGUMENTS];
  bool thrown;
};

// Room for a path argument and its terminator.
typedef char path_buffer[PATH_MAX + 1];

struct bytes {
  uint8_t *at;
  size_t size;
};

struct call begin(napi_env env, napi_callback_info info);

// Throws and returns NULL, so that a function ends with `return throw_errno(...)`.
napi_value throw_errno(napi_env env, int error, const char *syscall_name);
napi_value throw_type(struct call *call, const char *message);

bool is_absent(struct call *call, size_t index); // undefined, null or not given
bool is_number(struct call *call, size_t index);
int64_t integer(struct call *call, size_t index);
// A string, or bytes where a file's name is not UTF-8. Refuses names with a NUL inside.
const char *path(struct call *call, size_t index, path_buffer buffer);
struct bytes bytes(struct call *call, size_t index);

napi_value number(napi_env env, int64_t value);
napi_value buffer_of(napi_env env, const void *data, size_t size);
void set(napi_env env, napi_value object, const char *name, int64_t value);

// A descriptor or count as the result; throws when it is negative, with errno.
napi_value answer(napi_env env, int64_t result, const char *syscall_name);

struct function {
  const char *name;
  napi_callback callback;
};
extern const struct function process_functions[];
extern const struct function socket_functions[];
extern const struct function netlink_functions[];
extern const struct function file_functions[];
