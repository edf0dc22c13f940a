// Reading arguments, making results, and the list of functions.
#include "addon.h"

#include <stdio.h>

#define E(name) [name] = #name
static const char *const errno_names[] = {
    E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN), E(ENOMEM),
    E(EACCES), E(EFAULT), E(ENOTBLK), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE),
    E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE), E(EDOM), E(ERANGE),
    E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(ENODATA), E(ETIME), E(EPROTO), E(EBADMSG),
    E(EOVERFLOW), E(EILSEQ), E(EUSERS), E(ENOTSOCK), E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT),
    E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT), E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL),
    E(ENETDOWN), E(ENETUNREACH), E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN),
    E(ESHUTDOWN), E(ETIMEDOUT), E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ESTALE),
    E(EDQUOT), E(ECANCELED),
};

struct call begin(napi_env env, napi_callback_info info) {
  struct call call = {.env = env};
  size_t count = ARGUMENTS; // those not given come as undefined
  napi_get_cb_info(env, info, &count, call.values, NULL, NULL);
  return call;
}

napi_value throw_errno(napi_env env, int error, const char *syscall_name) {
  char code[16];
  size_t known = sizeof errno_names / sizeof *errno_names;
  if (error > 0 && (size_t)error < known && errno_names[error])
    snprintf(code, sizeof code, "%s", errno_names[error]);
  else
    snprintf(code, sizeof code, "E%d", error);
  char text[160];
  snprintf(text, sizeof text, "%s: %s", syscall_name, strerror(error));
  napi_value code_value, message, name, object;
  napi_create_string_utf8(env, code, NAPI_AUTO_LENGTH, &code_value);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_string_utf8(env, syscall_name, NAPI_AUTO_LENGTH, &name);
  napi_create_error(env, code_value, message, &object);
  set(env, object, "errno", error);
  napi_set_named_property(env, object, "syscall", name);
  napi_throw(env, object);
  return NULL;
}

napi_value throw_type(struct call *call, const char *message) {
  if (!call->thrown) napi_throw_type_error(call->env, "ERR_INVALID_ARG_TYPE", message);
  call->thrown = true;
  return NULL;
}

bool is_absent(struct call *call, size_t index) {
  napi_valuetype type;
  return napi_typeof(call->env, call->values[index], &type) != napi_ok || type == napi_undefined || type == napi_null;
}

bool is_number(struct call *call, size_t index) {
  napi_valuetype type;
  return napi_typeof(call->env, call->values[index], &type) == napi_ok && type == napi_number;
}

int64_t integer(struct call *call, size_t index) {
  int64_t value = 0;
  if (!call->thrown && napi_get_value_int64(call->env, call->values[index], &value) != napi_ok)
    throw_type(call, "a number was expected");
  return value;
}

struct bytes bytes(struct call *call, size_t index) {
  struct bytes result = {0};
  if (call->thrown) return result;
  napi_typedarray_type type;
  void *data;
  bool typed = false;
  napi_is_typedarray(call->env, call->values[index], &typed);
  if (!typed || napi_get_typedarray_info(call->env, call->values[index], &type, &result.size, &data, NULL, NULL) != napi_ok ||
      type != napi_uint8_array) {
    throw_type(call, "a Uint8Array was expected");
    return (struct bytes){0};
  }
  result.at = data;
  return result;
}

const char *path(struct call *call, size_t index, path_buffer buffer) {
  buffer[0] = '\0';
  if (call->thrown) return buffer;
  size_t size = 0;
  napi_status status = napi_get_value_string_utf8(call->env, call->values[index], buffer, sizeof(path_buffer), &size);
  if (status != napi_ok) {
    struct bytes raw = bytes(call, index);
    if (call->thrown) return buffer;
    size = raw.size < PATH_MAX ? raw.size : PATH_MAX;
    memcpy(buffer, raw.at, size);
    buffer[size] = '\0';
  }
  if (size >= PATH_MAX || memchr(buffer, 0, size)) {
    throw_errno(call->env, size >= PATH_MAX ? ENAMETOOLONG : EINVAL, "path");
    call->thrown = true;
  }
  return buffer;
}

napi_value number(napi_env env, int64_t value) {
  napi_value result;
  napi_create_int64(env, value, &result);
  return result;
}

napi_value buffer_of(napi_env env, const void *data, size_t size) {
  napi_value result;
  if (napi_create_buffer_copy(env, size, data, NULL, &result) != napi_ok) return NULL;
  return result;
}

void set(napi_env env, napi_value object, const char *name, int64_t value) {
  napi_set_named_property(env, object, name, number(env, value));
}

napi_value answer(napi_env env, int64_t result, const char *syscall_name) {
  return result < 0 ? throw_errno(env, errno, syscall_name) : number(env, result);
}

static void add(napi_env env, napi_value exports, const struct function *functions) {
  for (; functions->name; functions++) {
    napi_value value;
    napi_create_function(env, functions->name, NAPI_AUTO_LENGTH, functions->callback, NULL, &value);
    napi_set_named_property(env, exports, functions->name, value);
  }
}

NAPI_MODULE_INIT() {
  add(env, exports, process_functions);
  add(env, exports, socket_functions);
  add(env, exports, netlink_functions);
  add(env, exports, file_functions);
  return exports;
}
