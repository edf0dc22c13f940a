// Netlink sockets. The messages are made and read in TypeScript (src/netlink); here they are only carried.
#include "addon.h"

#include <linux/netlink.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "netns.h"

#define TIMEOUT_MS 5000
#define CHUNK_BYTES 65536           // more than the kernel puts into one datagram of a dump
#define REPLY_MAX_BYTES (256u << 20) // a bound, not a limit that anything reaches
#define RECEIVE_BUFFER_BYTES (4 << 20)

struct reply {
  uint8_t *at;
  size_t size;
  size_t room;
};

// openNetlink(protocol, netnsFd?): fd
static napi_value open_netlink(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int protocol = (int)integer(&call, 0);
  int netns = is_absent(&call, 1) ? -1 : (int)integer(&call, 1);
  if (call.thrown) return NULL;
  int fd = socket_in(netns, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
  if (fd < 0) return throw_errno(env, errno, "socket");
  int on = 1, room = RECEIVE_BUFFER_BYTES;
  // An acknowledgement for each message of a large batch must find room: the kernel drops what does not fit.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  // A socket without a number of its own gets no events: the kernel takes it for itself.
  struct sockaddr_nl any = {.nl_family = AF_NETLINK};
  if (bind(fd, (struct sockaddr *)&any, sizeof any) == 0) return number(env, fd);
  int error = errno;
  close(fd);
  return throw_errno(env, error, "bind");
}

// netlinkJoin(fd, group)
static napi_value netlink_join(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0), group = (int)integer(&call, 1);
  if (call.thrown) return NULL;
  return answer(env, setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group), "setsockopt");
}

static bool grow(struct reply *reply, size_t need) {
  if (reply->room - reply->size >= need) return true;
  size_t room = reply->room * 2 > reply->size + need ? reply->room * 2 : reply->size + need;
  if (room > REPLY_MAX_BYTES) return false;
  uint8_t *at = realloc(reply->at, room);
  if (!at) return false;
  reply->at = at;
  reply->room = room;
  return true;
}

// Appends one datagram. Returns its size, 0 when there is none now, -1 with errno.
static ssize_t receive(int fd, struct reply *reply) {
  ssize_t size = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN ? 0 : -1;
  if (!grow(reply, size > CHUNK_BYTES ? (size_t)size : CHUNK_BYTES)) return errno = ENOMEM, -1;
  size = recv(fd, reply->at + reply->size, reply->room - reply->size, MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN ? 0 : -1;
  reply->size += (size_t)size;
  return size;
}

struct progress {
  int awaited;  // answers that must come still
  bool any;     // something final came
  bool multi;   // inside a dump
  bool single;  // nothing asked for an acknowledgement: the first plain reply ends it
};

static bool well_formed(struct bytes request, struct progress *progress) {
  size_t offset = 0;
  int messages = 0;
  while (offset < request.size) {
    struct nlmsghdr header;
    if (request.size - offset < sizeof header) return false;
    memcpy(&header, request.at + offset, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > request.size - offset) return false;
    bool dump = (header.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP && !(header.nlmsg_flags & NLM_F_CREATE);
    if ((header.nlmsg_flags & NLM_F_ACK) || dump) progress->awaited++;
    messages++;
    offset += NLMSG_ALIGN(header.nlmsg_len);
  }
  if (progress->awaited == 0) {
    progress->awaited = 1;
    progress->single = true;
  }
  return messages > 0;
}

static void account(const struct reply *reply, size_t from, struct progress *progress) {
  while (reply->size - from >= sizeof(struct nlmsghdr)) {
    struct nlmsghdr header;
    memcpy(&header, reply->at + from, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > reply->size - from) return;
    progress->multi = header.nlmsg_type != NLMSG_DONE && (header.nlmsg_flags & NLM_F_MULTI);
    if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_type == NLMSG_DONE || (progress->single && !progress->multi)) {
      progress->awaited--;
      progress->any = true;
    }
    from += NLMSG_ALIGN(header.nlmsg_len);
    if (from > reply->size) return;
  }
}

// Reads answers. The kernel has queued all of them when sendto returns, but for the rest of a dump, which it adds as we read:
// so an empty queue outside of a dump ends the exchange even where an answer stayed out (an nf_tables batch that failed as a
// whole, its begin and end on older kernels). Only a queue without any answer is waited for.
static bool converse(int fd, struct reply *reply, struct progress *progress) {
  for (;;) {
    size_t before = reply->size;
    ssize_t size = receive(fd, reply);
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) account(reply, before, progress);
    if (size != 0) continue;
    if (progress->awaited <= 0 || (progress->any && !progress->multi)) return true;
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    int ready = poll(&poller, 1, TIMEOUT_MS);
    if (ready < 0 && errno != EINTR) return false;
    if (ready == 0) return errno = ETIMEDOUT, false;
  }
}

// netlinkRequest(fd, bytes): all messages that came back
static napi_value netlink_request(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  struct bytes request = bytes(&call, 1);
  if (call.thrown) return NULL;
  struct progress progress = {0};
  if (!well_formed(request, &progress)) return throw_errno(env, EINVAL, "netlink");
  struct reply reply = {0};
  while (receive(fd, &reply) > 0) reply.size = 0; // left from an exchange that was given up
  const char *failed = NULL;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (sendto(fd, request.at, request.size, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
    failed = "sendto";
  else if (!converse(fd, &reply, &progress))
    failed = "recv";
  int error = errno;
  napi_value result = failed ? throw_errno(env, error, failed) : buffer_of(env, reply.at, reply.size);
  free(reply.at);
  return result;
}

// netlinkReceive(fd): what is there now, or null
static napi_value netlink_receive(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  if (call.thrown) return NULL;
  struct reply reply = {0};
  ssize_t size;
  do size = receive(fd, &reply);
  while (size > 0 && reply.size < (1 << 20));
  int error = errno;
  napi_value result;
  if (size < 0)
    result = throw_errno(env, error, "recv"); // ENOBUFS: events were lost, the caller lists anew
  else if (reply.size == 0)
    napi_get_null(env, &result);
  else
    result = buffer_of(env, reply.at, reply.size);
  free(reply.at);
  return result;
}

const struct function netlink_functions[] = {
    {"openNetlink", open_netlink},
    {"netlinkJoin", netlink_join},
    {"netlinkRequest", netlink_request},
    {"netlinkReceive", netlink_receive},
    {0},
};
