// Sockets: pairs, descriptors over them, and sockets that live in another network namespace.
#include "addon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "netns.h"

#define FDS_MAX 64

// socketpair(type): [fd, fd]
static napi_value socketpair_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int type = (int)integer(&call, 0);
  if (call.thrown) return NULL;
  int fds[2];
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) < 0) return throw_errno(env, errno, "socketpair");
  napi_value result;
  napi_create_array_with_length(env, 2, &result);
  napi_set_element(env, result, 0, number(env, fds[0]));
  napi_set_element(env, result, 1, number(env, fds[1]));
  return result;
}

// sendFds(fd, bytes, fds): number of bytes sent
static napi_value send_fds(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  struct bytes content = bytes(&call, 1);
  uint32_t count = 0;
  if (call.thrown) return NULL;
  if (napi_get_array_length(env, call.values[2], &count) != napi_ok || count > FDS_MAX)
    return throw_type(&call, "a list of at most 64 descriptors was expected");
  int fds[FDS_MAX];
  for (uint32_t i = 0; i < count; i++) {
    napi_value element;
    napi_get_element(env, call.values[2], i, &element);
    if (napi_get_value_int32(env, element, &fds[i]) != napi_ok) return throw_type(&call, "a descriptor was expected");
  }
  char control[CMSG_SPACE(sizeof fds)] __attribute__((aligned(8))) = {0};
  struct iovec vector = {.iov_base = content.at, .iov_len = content.size};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  return answer(env, sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL), "sendmsg");
}

// receiveFds(fd, maxBytes, maxFds): {bytes, fds} | null
static napi_value receive_fds(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  int64_t max_bytes = integer(&call, 1), max_fds = integer(&call, 2);
  if (call.thrown) return NULL;
  if (max_bytes <= 0 || max_bytes > (16 << 20) || max_fds < 0 || max_fds > FDS_MAX) return throw_errno(env, EINVAL, "recvmsg");
  char *content = malloc((size_t)max_bytes);
  if (!content) return throw_errno(env, ENOMEM, "recvmsg");
  char control[CMSG_SPACE(FDS_MAX * sizeof(int))] __attribute__((aligned(8)));
  struct iovec vector = {.iov_base = content, .iov_len = (size_t)max_bytes};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = max_fds ? CMSG_SPACE((size_t)max_fds * sizeof(int)) : 0;
  ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  napi_value result = NULL;
  if (size < 0) {
    int error = errno;
    free(content);
    if (error != EAGAIN) return throw_errno(env, error, "recvmsg");
    napi_get_null(env, &result);
    return result;
  }
  napi_value list;
  uint32_t index = 0;
  napi_create_object(env, &result);
  napi_create_array(env, &list);
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int received;
      memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof received);
      napi_set_element(env, list, index++, number(env, received));
    }
  }
  napi_set_named_property(env, result, "bytes", buffer_of(env, content, (size_t)size));
  napi_set_named_property(env, result, "fds", list);
  free(content);
  return result;
}

// socketInNetns(netnsFd, domain, type, protocol): fd
static napi_value socket_in_netns(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int netns = (int)integer(&call, 0), domain = (int)integer(&call, 1);
  int type = (int)integer(&call, 2), protocol = (int)integer(&call, 3);
  return call.thrown ? NULL : answer(env, socket_in(netns, domain, type | SOCK_CLOEXEC, protocol), "socket");
}

static bool address_of(const char *text, int port, struct sockaddr_storage *address, socklen_t *size) {
  memset(address, 0, sizeof *address);
  struct sockaddr_in *v4 = (struct sockaddr_in *)address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    *size = sizeof *v4;
    return true;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1) return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons((uint16_t)port);
  *size = sizeof *v6;
  return true;
}

// listenInNetns(netnsFd, type, address, port, backlog): fd of a bound (and, for a stream, listening) socket. netnsFd -1: our own.
static napi_value listen_in_netns(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  path_buffer text;
  int netns = (int)integer(&call, 0), type = (int)integer(&call, 1);
  path(&call, 2, text);
  int port = (int)integer(&call, 3), backlog = (int)integer(&call, 4);
  if (call.thrown) return NULL;
  struct sockaddr_storage address;
  socklen_t size;
  if (port < 0 || port > 65535 || !address_of(text, port, &address, &size)) return throw_errno(env, EINVAL, "bind");
  int fd = socket_in(netns, address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return throw_errno(env, errno, "socket");
  int on = 1;
  if (type == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ss_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const char *failed = NULL;
  if (bind(fd, (struct sockaddr *)&address, size) < 0)
    failed = "bind";
  else if (type == SOCK_STREAM && listen(fd, backlog) < 0)
    failed = "listen";
  if (!failed) return number(env, fd);
  int error = errno;
  close(fd);
  return throw_errno(env, error, failed);
}

// newNetns(): fd of a new network namespace
static napi_value new_netns(napi_env env, napi_callback_info info) {
  (void)info;
  return answer(env, netns_new(), "unshare");
}

// peerCred(fd): {pid, uid, gid}
static napi_value peer_cred(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  if (call.thrown) return NULL;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return throw_errno(env, errno, "getsockopt");
  napi_value result;
  napi_create_object(env, &result);
  set(env, result, "pid", peer.pid);
  set(env, result, "uid", peer.uid);
  set(env, result, "gid", peer.gid);
  return result;
}

// shutdown(fd, how)
static napi_value shutdown_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0), how = (int)integer(&call, 1);
  return call.thrown ? NULL : answer(env, shutdown(fd, how), "shutdown");
}

// close(fd)
static napi_value close_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  return call.thrown ? NULL : answer(env, close(fd), "close");
}

// dup(fd): fd, close-on-exec
static napi_value dup_(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  int fd = (int)integer(&call, 0);
  return call.thrown ? NULL : answer(env, fcntl(fd, F_DUPFD_CLOEXEC, 3), "fcntl");
}

const struct function socket_functions[] = {
    {"socketpair", socketpair_},
    {"sendFds", send_fds},
    {"receiveFds", receive_fds},
    {"socketInNetns", socket_in_netns},
    {"listenInNetns", listen_in_netns},
    {"newNetns", new_netns},
    {"peerCred", peer_cred},
    {"shutdown", shutdown_},
    {"close", close_},
    {"dup", dup_},
    {0},
};
