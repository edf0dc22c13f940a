// Who a process is and what it may: ids, capabilities, keyring, seccomp. Plain system calls: what libc adds is for threads, of
// which there are none.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "kernel.h"
#include "ops.h"

int op_setgroups(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t count = arg_u32(args);
  return (int)result(syscall(SYS_setgroups, count, args->at));
}

int op_setgid(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t gid = arg_u32(args);
  return (int)result(syscall(SYS_setresgid, gid, gid, gid));
}

int op_setuid(struct machine *machine, struct args *args) {
  (void)machine;
  uint32_t uid = arg_u32(args);
  return (int)result(syscall(SYS_setresuid, uid, uid, uid));
}

int op_capset(struct machine *machine, struct args *args) {
  (void)machine;
  struct { uint32_t version; int pid; } header = {0x20080522 /* _LINUX_CAPABILITY_VERSION_3 */, 0};
  struct { uint32_t effective, permitted, inheritable; } sets[2];
  uint64_t effective = arg_u64(args), permitted = arg_u64(args), inheritable = arg_u64(args);
  for (int half = 0; half < 2; half++) {
    sets[half].effective = (uint32_t)(effective >> 32 * half);
    sets[half].permitted = (uint32_t)(permitted >> 32 * half);
    sets[half].inheritable = (uint32_t)(inheritable >> 32 * half);
  }
  return (int)result(syscall(SYS_capset, &header, sets));
}

int op_cap_bounding(struct machine *machine, struct args *args) {
  (void)machine;
  uint64_t keep = arg_u64(args);
  for (int cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
    if (has < 0) break; // beyond the kernel's last
    if (has > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) return -errno;
  }
  return 0;
}

int op_cap_ambient(struct machine *machine, struct args *args) {
  (void)machine;
  uint64_t raise = arg_u64(args);
  if (prctl(47 /* PR_CAP_AMBIENT */, 4 /* CLEAR_ALL */, 0, 0, 0) < 0) return -errno;
  for (int cap = 0; cap < 64; cap++)
    if (raise >> cap & 1 && prctl(47, 2 /* RAISE */, cap, 0, 0) < 0) return -errno;
  return 0;
}

int op_seccomp(struct machine *machine, struct args *args) {
  struct blob filter = arg_bytes(args);
  uint32_t flags = arg_u32(args), listener = arg_u32(args);
  struct { uint16_t count; void *filter; } program = {(uint16_t)(filter.size / 8), filter.bytes};
  if (filter.size % 8 || filter.size / 8 > 4096) return -EINVAL;
  long got = result(syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, flags, &program));
  if (got <= 0) return (int)got;
  if (!(flags & 8 /* NEW_LISTENER */) || listener == ABSENT) return -ECANCELED; // TSYNC could not; never asked for
  if (machine->slots[listener] >= 0) close(machine->slots[listener]);
  machine->slots[listener] = (int)got;
  return 0;
}

#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_SETPERM 5
#define KEYCTL_DESCRIBE 6
#define KEY_USR_SEARCH 0x00080000u

// "keyring;0;0;3f1b0000;name": the permissions are the fourth field.
static uint32_t permissions_in(const char *text) {
  for (int field = 0; field < 3; field++) {
    text = strchr(text, ';');
    if (!text) return 0;
    text++;
  }
  uint32_t value = 0;
  for (; *text && *text != ';'; text++) value = value << 4 | (uint32_t)(*text <= '9' ? *text - '0' : (*text | 32) - 'a' + 10);
  return value;
}

int op_join_session_keyring(struct machine *machine, struct args *args) {
  (void)machine;
  const char *name = arg_string(args);
  long id = result(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, *name ? name : NULL, 0, 0, 0));
  if (id < 0) return (int)id;
  char description[256] = {0};
  long size = result(syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, description, sizeof description - 1, 0));
  if (size < 0) return (int)size;
  // As runc: the container's own user may find the keys that its processes put in.
  return (int)result(syscall(SYS_keyctl, KEYCTL_SETPERM, id, permissions_in(description) | KEY_USR_SEARCH, 0, 0));
}
