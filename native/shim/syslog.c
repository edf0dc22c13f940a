// The syslog driver: each line a message to a datagram or stream socket, in the formats of Docker's driver (moby daemon/logger/syslog
// over RackSec/srslog). A server that does not keep up is waited for only briefly; then lines are left out.
#define _GNU_SOURCE
#include <poll.h>
#include <sys/socket.h>

#include "life.h"

#define WAIT_MS 30
#define CONNECT_MS 300
#define FULL_NS (1000 * MS)        // after waiting in vain: so long lines are left out at once
#define RECONNECT_NS (50 * MS)     // a server that refuses or breaks off
#define UNREACHABLE_NS (10000 * MS) // a server that does not answer
#define NAME_MAX_ 256

enum format { FORMAT_UNIX, FORMAT_RFC3164, FORMAT_RFC5424, FORMAT_RFC5424_MICRO };

static struct {
  int fd; // -1: not connected
  uint8_t stream, format;
  uint16_t facility; // as in a priority: number * 8
  int32_t zone;      // seconds east of UTC
  uint64_t connect_at, full_until; // not before these
  char host[NAME_MAX_], tag[NAME_MAX_];
  struct sockaddr_storage address;
  socklen_t address_size;
} syslog_ = {.fd = -1};

static bool take_name(const uint8_t **from, const uint8_t *end, char *to) {
  if (end - *from < 2) return false;
  size_t size = (size_t)((*from)[0] | (*from)[1] << 8);
  *from += 2;
  if ((size_t)(end - *from) < size || size >= NAME_MAX_) return false;
  memcpy(to, *from, size);
  to[size] = 0;
  *from += size;
  return true;
}

// u8 stream, u8 format, u16 facility, i32 zone, string host, string tag, sockaddr. False when it is not that.
bool syslog_configure(const uint8_t *bytes, size_t size) {
  const uint8_t *end = bytes + size;
  if (size < 8) return false;
  syslog_.stream = bytes[0];
  syslog_.format = bytes[1];
  memcpy(&syslog_.facility, bytes + 2, 2);
  memcpy(&syslog_.zone, bytes + 4, 4);
  bytes += 8;
  if (!take_name(&bytes, end, syslog_.host) || !take_name(&bytes, end, syslog_.tag)) return false;
  size_t address_size = (size_t)(end - bytes);
  if (address_size < sizeof(sa_family_t) || address_size > sizeof syslog_.address) return false;
  memcpy(&syslog_.address, bytes, address_size);
  syslog_.address_size = (socklen_t)address_size;
  return true;
}

static void disconnect(void) {
  if (syslog_.fd >= 0) close(syslog_.fd);
  syslog_.fd = -1;
}

static bool connected(void) {
  if (syslog_.fd >= 0) return true;
  uint64_t now = monotonic_ns();
  if (now < syslog_.connect_at) return false;
  syslog_.connect_at = now + RECONNECT_NS;
  int type = syslog_.stream ? SOCK_STREAM : SOCK_DGRAM;
  syslog_.fd = socket(syslog_.address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (syslog_.fd < 0) return false;
  if (connect(syslog_.fd, (struct sockaddr *)&syslog_.address, syslog_.address_size) == 0) return true;
  if (errno == EINPROGRESS) {
    struct pollfd waiting = {.fd = syslog_.fd, .events = POLLOUT};
    int error = 0;
    socklen_t error_size = sizeof error;
    if (poll(&waiting, 1, CONNECT_MS) == 0) syslog_.connect_at = now + UNREACHABLE_NS;
    if ((waiting.revents & POLLOUT) && getsockopt(syslog_.fd, SOL_SOCKET, SO_ERROR, &error, &error_size) == 0 && error == 0) return true;
  }
  disconnect();
  return false;
}

// False when the connection is of no use.
static bool send_all(const char *bytes, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    ssize_t once = send(syslog_.fd, bytes + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (once >= 0) {
      sent += (size_t)once;
      if (!syslog_.stream) return true;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return errno == EMSGSIZE; // larger than a datagram: lost
    if (sent == 0 && monotonic_ns() < syslog_.full_until) return true;
    struct pollfd room = {.fd = syslog_.fd, .events = POLLOUT};
    if (poll(&room, 1, WAIT_MS) == 1 && (room.revents & POLLOUT)) continue;
    syslog_.full_until = monotonic_ns() + FULL_NS;
    return sent == 0; // half a message would join the next
  }
  return true;
}

static char *put_text(char *to, const char *text) {
  size_t size = strlen(text);
  memcpy(to, text, size);
  return to + size;
}

static char *put_number(char *to, uint32_t value, int width, char fill) {
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + value % 10);
  while (value /= 10);
  for (int i = count; i < width; i++) *to++ = fill;
  while (count > 0) *to++ = digits[--count];
  return to;
}

// "Nov  4 15:47:16" in local time.
static char *put_stamp(char *to, uint64_t ns) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  struct tm tm;
  time_t seconds = (time_t)(ns / 1000000000u) + syslog_.zone;
  gmtime_r(&seconds, &tm);
  memcpy(to, months + 3 * tm.tm_mon, 3);
  to[3] = ' ';
  to = put_number(to + 4, (uint32_t)tm.tm_mday, 2, ' ');
  *to++ = ' ';
  to = put_number(to, (uint32_t)tm.tm_hour, 2, '0');
  *to++ = ':';
  to = put_number(to, (uint32_t)tm.tm_min, 2, '0');
  *to++ = ':';
  return put_number(to, (uint32_t)tm.tm_sec, 2, '0');
}

// RFC 3339 in local time, with microseconds or none.
static char *put_rfc3339(char *to, uint64_t ns, bool micro) {
  struct tm tm;
  time_t seconds = (time_t)(ns / 1000000000u) + syslog_.zone;
  gmtime_r(&seconds, &tm);
  to = put_number(to, (uint32_t)tm.tm_year + 1900, 4, '0');
  const uint32_t parts[] = {(uint32_t)tm.tm_mon + 1, (uint32_t)tm.tm_mday, (uint32_t)tm.tm_hour, (uint32_t)tm.tm_min, (uint32_t)tm.tm_sec};
  for (int i = 0; i < 5; i++) {
    *to++ = "--T::"[i];
    to = put_number(to, parts[i], 2, '0');
  }
  if (micro) {
    *to++ = '.';
    to = put_number(to, (uint32_t)(ns % 1000000000u / 1000), 6, '0');
  }
  if (syslog_.zone == 0) {
    *to++ = 'Z';
    return to;
  }
  uint32_t minutes = (uint32_t)(syslog_.zone < 0 ? -syslog_.zone : syslog_.zone) / 60;
  *to++ = syslog_.zone < 0 ? '-' : '+';
  to = put_number(to, minutes / 60, 2, '0');
  *to++ = ':';
  return put_number(to, minutes % 60, 2, '0');
}

static char *put_head(char *to, int which, uint64_t ns) {
  uint32_t pid = (uint32_t)getpid();
  *to++ = '<';
  to = put_number(to, (uint32_t)syslog_.facility | (which == 0 ? 6 : 3), 0, 0); // info, error
  *to++ = '>';
  if (syslog_.format >= FORMAT_RFC5424) {
    to = put_text(to, "1 ");
    to = put_rfc3339(to, ns, syslog_.format == FORMAT_RFC5424_MICRO);
    to = put_text(put_text(put_text(put_text(to, " "), syslog_.host), " "), syslog_.tag);
    to = put_number(put_text(to, " "), pid, 0, 0);
    return put_text(put_text(put_text(to, " "), syslog_.tag), " - ");
  }
  to = put_text(put_stamp(to, ns), " ");
  if (syslog_.format == FORMAT_RFC3164) to = put_text(put_text(to, syslog_.host), " ");
  to = put_text(put_text(to, syslog_.tag), "[");
  return put_text(put_number(to, pid, 0, 0), "]: ");
}

void syslog_line(int which, const uint8_t *line, size_t size, uint64_t ns) {
  static char message[LINE_MAX_ + 4 * NAME_MAX_];
  if (size == 0) return;
  char *to = put_head(message, which, ns);
  memcpy(to, line, size);
  to[size] = '\n';
  size_t total = (size_t)(to - message) + size + 1;
  if (!connected() || send_all(message, total)) return;
  // The server may have been started anew: once more, at once.
  disconnect();
  if (connected() && !send_all(message, total)) disconnect();
}
