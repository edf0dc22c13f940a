// Netlink messages made in TypeScript, and the v2 device filter, which is a program for the kernel too.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "kernel.h"
#include "ops.h"

#define ANSWERS_BYTES 8192

struct exchange {
  struct blob messages;
  uint32_t awaited; // acknowledgements that must come still
  uint32_t failed;  // place of the first message that failed
  int error;
};

// Counts the messages that ask for an acknowledgement; false when one does not fit.
static bool count_awaited(struct exchange *exchange) {
  const uint8_t *at = exchange->messages.bytes;
  for (uint32_t offset = 0; offset < exchange->messages.size;) {
    struct nlmsghdr header;
    if (exchange->messages.size - offset < sizeof header) return false;
    memcpy(&header, at + offset, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > exchange->messages.size - offset) return false;
    if (header.nlmsg_flags & NLM_F_ACK) exchange->awaited++;
    offset += NLMSG_ALIGN(header.nlmsg_len);
  }
  return true;
}

static uint32_t place_of(const struct exchange *exchange, uint32_t sequence) {
  const uint8_t *at = exchange->messages.bytes;
  struct nlmsghdr header;
  uint32_t place = 0;
  for (uint32_t offset = 0; offset < exchange->messages.size; offset += NLMSG_ALIGN(header.nlmsg_len), place++) {
    memcpy(&header, at + offset, sizeof header);
    if (header.nlmsg_seq == sequence) return place;
  }
  return place;
}

// The text of an extended acknowledgement: an attribute NLMSGERR_ATTR_MSG after the error, whose request is capped to its header.
static void describe(struct machine *machine, const struct exchange *exchange, const uint8_t *message, const struct nlmsghdr *header) {
  char text[256];
  int size = snprintf(text, sizeof text, "message %u", exchange->failed);
  uint32_t offset = sizeof *header + sizeof(struct nlmsgerr);
  while ((header->nlmsg_flags & NLM_F_ACK_TLVS) && offset + sizeof(struct nlattr) <= header->nlmsg_len) {
    struct nlattr attribute;
    memcpy(&attribute, message + offset, sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > header->nlmsg_len - offset) break;
    if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
      int length = attribute.nla_len - (int)sizeof attribute;
      size += snprintf(text + size, sizeof text - (size_t)size, ": %.*s", length, (const char *)message + offset + sizeof attribute);
      if (size >= (int)sizeof text) size = sizeof text - 1;
      break;
    }
    offset += NLA_ALIGN(attribute.nla_len);
  }
  set_detail(machine, text, (size_t)size);
}

static void read_answers(struct machine *machine, struct exchange *exchange, const uint8_t *at, uint32_t size) {
  for (uint32_t offset = 0; size - offset >= sizeof(struct nlmsghdr);) {
    struct nlmsghdr header;
    struct nlmsgerr answer;
    memcpy(&header, at + offset, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - offset) return;
    if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= sizeof header + sizeof answer) {
      memcpy(&answer, at + offset + sizeof header, sizeof answer);
      if (exchange->awaited > 0) exchange->awaited--;
      if (answer.error < 0 && exchange->error == 0) {
        exchange->error = answer.error;
        exchange->failed = place_of(exchange, header.nlmsg_seq);
        describe(machine, exchange, at + offset, &header);
      }
    }
    offset += NLMSG_ALIGN(header.nlmsg_len);
    if (offset > size) return;
  }
}

static int converse(struct machine *machine, int fd, struct exchange *exchange) {
  uint8_t answers[ANSWERS_BYTES] __attribute__((aligned(4)));
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  long got = result(sendto(fd, exchange->messages.bytes, exchange->messages.size, 0, (struct sockaddr *)&kernel, sizeof kernel));
  if (got < 0) return (int)got;
  // The kernel has handled all messages and queued the answers by now; an error may stand for those that were not reached.
  for (;;) {
    got = result(recv(fd, answers, sizeof answers, MSG_DONTWAIT));
    if (got > 0) read_answers(machine, exchange, answers, (uint32_t)got);
    if (got == -EAGAIN && (exchange->awaited == 0 || exchange->error)) return exchange->error;
    if (got == -EAGAIN) {
      struct pollfd poller = {.fd = fd, .events = POLLIN};
      if (poll(&poller, 1, 5000) == 0) return -ETIMEDOUT;
    } else if (got < 0 && got != -EINTR) {
      return (int)got;
    }
  }
}

int op_netlink(struct machine *machine, struct args *args) {
  uint32_t protocol = arg_u32(args);
  struct exchange exchange = {.messages = arg_bytes(args)};
  for (uint32_t count = arg_u32(args); count > 0; count--)
    memcpy((char *)exchange.messages.bytes + arg_u32(args), &machine->child.pid, sizeof(uint32_t));
  if (!count_awaited(&exchange)) return -EINVAL;
  // A new socket each time: it belongs to the network namespace that the process is in now.
  int fd = (int)result(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, (int)protocol));
  if (fd < 0) return fd;
  int on = 1;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  int got = converse(machine, fd, &exchange);
  close(fd);
  return got;
}

struct bpf_load {
  uint32_t type;
  uint32_t count;
  uint64_t instructions;
  uint64_t license;
  uint32_t log_level;
  uint32_t log_size;
  uint64_t log;
  uint32_t kernel_version;
  uint32_t flags;
};

struct bpf_attach {
  uint32_t target;
  uint32_t program;
  uint32_t type;
  uint32_t flags;
};

int op_device_filter(struct machine *machine, struct args *args) {
  int cgroup = arg_slot(machine, args);
  struct blob program = arg_bytes(args);
  struct bpf_load load = {
      .type = 15, // BPF_PROG_TYPE_CGROUP_DEVICE
      .count = program.size / 8,
      .instructions = (uint64_t)(uintptr_t)program.bytes,
      .license = (uint64_t)(uintptr_t) "GPL",
  };
  if (program.size % 8) return -EINVAL;
  int fd = (int)result(syscall(SYS_bpf, 5 /* BPF_PROG_LOAD */, &load, sizeof load));
  if (fd < 0) return fd;
  struct bpf_attach attach = {(uint32_t)cgroup, (uint32_t)fd, 6 /* BPF_CGROUP_DEVICE */, 2 /* BPF_F_ALLOW_MULTI */};
  long got = result(syscall(SYS_bpf, 8 /* BPF_PROG_ATTACH */, &attach, sizeof attach));
  close(fd);
  return (int)got;
}
