// The container's log, in Docker's formats: json-file (one JSON object per line) and local (length-prefixed protobuf records).
// A chunk becomes one write. Whatever goes wrong with the log, the container does not notice: what could not be written is left
// out, and the file keeps whole records only.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h> // rename
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "life.h"

#define OUT (1024 * 1024)
#define RECORD_MAX (LINE_MAX_ * 6 + 8192 + 512)
#define ATTRIBUTES_MAX 8192

static uint8_t out[WHOLE_PAGES(OUT + RECORD_MAX + 64)] __attribute__((aligned(PAGE_MAX)));
static uint8_t carry[4][LINE_MAX_] __attribute__((aligned(PAGE_MAX))); // a line that has no end yet, per stream; four for whole pages
static uint32_t carry_size[2];
static struct partial {
  uint64_t time_ns; // of a long line's first piece; 0: the line has no pieces yet
  uint32_t ordinal;
  char id[65];
} partial[2];

static struct {
  int fd;
  uint8_t type;
  uint64_t size, max_size;
  uint32_t max_files;
  uint32_t used; // of out
  char path[PATH_MAX_];
  char attributes[ATTRIBUTES_MAX];
  size_t attributes_size;
} log_ = {.fd = -1};

// ── escaping, as encoding/json does it ─────────────────────────────────────────────────────────────────────────────────

struct escape {
  char text[7];
  uint8_t size;
};

#define PLAIN(c) {{(char)(c)}, 1}
#define HEX(n) ((n) < 10 ? '0' + (n) : 'a' + (n) - 10)
#define CODE(c) {{'\\', 'u', '0', '0', HEX((c) >> 4), HEX((c) & 15)}, 6}
#define SLASH(c, letter) {{'\\', letter}, 2}
#define CELL(c)                                                                              \
  ((c) == '\n'                                                        ? (struct escape)SLASH(c, 'n')  \
   : (c) == '\r'                                                      ? (struct escape)SLASH(c, 'r')  \
   : (c) == '"'                                                       ? (struct escape)SLASH(c, '"')  \
   : (c) == '\\'                                                      ? (struct escape)SLASH(c, '\\') \
   : (c) < 0x20 || (c) == '<' || (c) == '>' || (c) == '&'             ? (struct escape)CODE(c)        \
                                                                      : (struct escape)PLAIN(c))

static struct escape escapes[128];

static void fill_escapes(void) {
  for (int c = 0; c < 128; c++) escapes[c] = CELL(c);
}

// Size of the UTF-8 sequence at `in`, 0 when it is not one (as Go's utf8.DecodeRune: no surrogates, nothing over long).
static size_t utf8_size(const uint8_t *in, const uint8_t *end) {
  uint8_t first = in[0];
  size_t left = (size_t)(end - in);
#define TAIL(n) ((in[n] & 0xc0) == 0x80)
  if (first >= 0xc2 && first <= 0xdf) return left >= 2 && TAIL(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (left < 3 || !TAIL(1) || !TAIL(2)) return 0;
    if (first == 0xe0 && in[1] < 0xa0) return 0;
    if (first == 0xed && in[1] > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (left < 4 || !TAIL(1) || !TAIL(2) || !TAIL(3)) return 0;
    if (first == 0xf0 && in[1] < 0x90) return 0;
    if (first == 0xf4 && in[1] > 0x8f) return 0;
    return 4;
  }
  return 0;
}

static uint8_t *escape_one(uint8_t *to, const uint8_t **from, const uint8_t *end) {
  const uint8_t *in = *from;
  if (in[0] < 0x80) {
    const struct escape *cell = &escapes[in[0]];
    memcpy(to, cell, 8);
    *from = in + 1;
    return to + cell->size;
  }
  size_t size = utf8_size(in, end);
  if (size == 0) {
    memcpy(to, "\\ufffd", 6);
    *from = in + 1;
    return to + 6;
  }
  *from = in + size;
  if (size == 3 && in[0] == 0xe2 && in[1] == 0x80 && (in[2] & 0xfe) == 0xa8) { // U+2028, U+2029
    memcpy(to, "\\u202", 5);
    to[5] = in[2] == 0xa8 ? '8' : '9';
    return to + 6;
  }
  memcpy(to, in, size);
  return to + size;
}

#ifdef __SSE2__
static uint8_t *escape(uint8_t *to, const uint8_t *in, const uint8_t *end) {
  const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\');
  const __m128i less = _mm_set1_epi8('<'), more = _mm_set1_epi8('>'), and = _mm_set1_epi8('&'), zero = _mm_setzero_si128();
  static const char zeros[] = "\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000";
  while (end - in >= 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)in);
    // Signed: bytes from 0x80 up are below space too.
    __m128i bad = _mm_or_si128(_mm_cmplt_epi8(x, space), _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, back)));
    bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmpeq_epi8(x, and), _mm_or_si128(_mm_cmpeq_epi8(x, less), _mm_cmpeq_epi8(x, more))));
    int mask = _mm_movemask_epi8(bad);
    if (mask == 0) {
      _mm_storeu_si128((__m128i *)to, x);
      to += 16;
      in += 16;
    } else if (mask == 0xffff && _mm_movemask_epi8(_mm_cmpeq_epi8(x, zero)) == 0xffff) {
      memcpy(to, zeros, 48);
      memcpy(to + 48, zeros, 48);
      to += 96;
      in += 16;
    } else {
      int clean = __builtin_ctz((unsigned)mask);
      _mm_storeu_si128((__m128i *)to, x); // the room after `to` is ours
      to += clean;
      in += clean;
      to = escape_one(to, &in, end);
    }
  }
  while (in < end) to = escape_one(to, &in, end);
  return to;
}
#else
static uint8_t *escape(uint8_t *to, const uint8_t *in, const uint8_t *end) {
  while (in < end) to = escape_one(to, &in, end);
  return to;
}
#endif

// ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

static uint8_t *two_digits(uint8_t *to, uint32_t value) {
  *to++ = (uint8_t)('0' + value / 10);
  *to++ = (uint8_t)('0' + value % 10);
  return to;
}

// RFC 3339 in UTC with nanoseconds, without trailing zeros (Go's time.RFC3339Nano).
static uint8_t *put_time(uint8_t *to, uint64_t ns) {
  uint64_t seconds = ns / 1000000000u;
  uint32_t fraction = (uint32_t)(ns % 1000000000u), of_day = (uint32_t)(seconds % 86400);
  // Days to a date: eras of 400 years that begin on 1 March.
  int64_t days = (int64_t)(seconds / 86400) + 719468;
  uint32_t era = (uint32_t)(days / 146097), of_era = (uint32_t)(days % 146097);
  uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  uint32_t shifted = (5 * of_year + 2) / 153, day = of_year - (153 * shifted + 2) / 5 + 1;
  uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9, year = year_of_era + era * 400 + (month <= 2);
  to = two_digits(two_digits(to, year / 100), year % 100);
  *to++ = '-';
  to = two_digits(to, month);
  *to++ = '-';
  to = two_digits(to, day);
  *to++ = 'T';
  to = two_digits(to, of_day / 3600);
  *to++ = ':';
  to = two_digits(to, of_day / 60 % 60);
  *to++ = ':';
  to = two_digits(to, of_day % 60);
  if (fraction > 0) {
    *to++ = '.';
    uint8_t *last = to;
    for (uint32_t unit = 100000000; unit > 0; unit /= 10) {
      uint32_t digit = fraction / unit % 10;
      *to++ = (uint8_t)('0' + digit);
      if (digit) last = to;
    }
    to = last;
  }
  *to++ = 'Z';
  return to;
}

// ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────────────

static void open_log(int flags) {
  log_.fd = open(log_.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | flags, 0640);
  log_.size = 0;
  if (log_.fd < 0) return;
  struct stat status;
  if (fstat(log_.fd, &status) == 0) log_.size = (uint64_t)status.st_size;
}

static void flush(void) {
  if (log_.used == 0) return;
  if (log_.fd < 0) open_log(0); // it failed before: perhaps it can be had again
  ssize_t written = log_.fd < 0 ? -1 : write(log_.fd, out, log_.used);
  if (written == (ssize_t)log_.used) log_.size += log_.used;
  else if (written > 0 && ftruncate(log_.fd, (off_t)log_.size) < 0) log_.size += (uint64_t)written;
  log_.used = 0;
}

static char *numbered(char *name, uint32_t number, const char *suffix) {
  size_t size = strlen(log_.path);
  memcpy(name, log_.path, size);
  name[size++] = '.';
  char digits[10];
  int count = 0;
  do digits[count++] = (char)('0' + number % 10);
  while (number /= 10);
  while (count > 0) name[size++] = digits[--count];
  memcpy(name + size, suffix, strlen(suffix) + 1);
  return name;
}

// x.log → x.log.1 → x.log.2 ...; the oldest goes. Each may be compressed already (`.gz`), see log_replace.
static void rotate(void) {
  char from[PATH_MAX_ + 24], to[PATH_MAX_ + 24];
  close(log_.fd);
  if (log_.max_files < 2) {
    unlink(log_.path);
  } else {
    unlink(numbered(to, log_.max_files - 1, ""));
    unlink(numbered(to, log_.max_files - 1, ".gz"));
    for (uint32_t i = log_.max_files - 1; i > 1; i--) {
      rename(numbered(from, i - 1, ""), numbered(to, i, ""));
      rename(numbered(from, i - 1, ".gz"), numbered(to, i, ".gz"));
    }
    rename(log_.path, numbered(to, 1, ""));
    crash_point("shim-rotate");
  }
  open_log(O_TRUNC);
  uint8_t event[PATH_MAX_ + 2];
  size_t size = strlen(log_.path);
  event[0] = (uint8_t)size;
  event[1] = (uint8_t)(size >> 8);
  memcpy(event + 2, log_.path, size);
  control_event(WIRE_EVENT_ROTATED, event, size + 2);
}

// The daemon has compressed a rotated file; only we know what that file is called by now.
void log_replace(const char *temporary, uint64_t inode) {
  char name[PATH_MAX_ + 24], packed[PATH_MAX_ + 24];
  for (uint32_t i = 1; i < log_.max_files; i++) {
    struct stat status;
    if (stat(numbered(name, i, ""), &status) < 0 || status.st_ino != inode) continue;
    if (rename(temporary, numbered(packed, i, ".gz")) == 0) unlink(name);
    return;
  }
  unlink(temporary);
}

// Before each record: makes room, and keeps files at their size.
static void make_room(void) {
  bool full = log_.max_size > 0 && log_.size + log_.used >= log_.max_size;
  if (full || log_.used >= OUT) flush();
  if (full && log_.size >= log_.max_size) rotate();
}

// ── records ────────────────────────────────────────────────────────────────────────────────────────────────────────────

static uint8_t *put(uint8_t *to, const void *bytes, size_t size) {
  memcpy(to, bytes, size);
  return to + size;
}
#define PUT(to, text) put(to, text, sizeof text - 1)

// What follows the text of every line of one stream at one time.
struct tail {
  uint8_t bytes[ATTRIBUTES_MAX + 128];
  size_t size;
};

static void make_tail(struct tail *tail, int which, uint64_t time_ns) {
  uint8_t *to = which == 0 ? PUT(tail->bytes, "\",\"stream\":\"stdout\"") : PUT(tail->bytes, "\",\"stream\":\"stderr\"");
  to = put(to, log_.attributes, log_.attributes_size);
  to = PUT(to, ",\"time\":\"");
  to = put_time(to, time_ns);
  to = PUT(to, "\"}\n");
  tail->size = (size_t)(to - tail->bytes);
}

static void json_record(const uint8_t *line, size_t size, bool whole, const struct tail *tail) {
  uint8_t *to = out + log_.used;
  to = PUT(to, "{\"log\":\"");
  to = escape(to, line, line + size);
  if (whole) to = PUT(to, "\\n");
  to = put(to, tail->bytes, tail->size);
  log_.used = (uint32_t)(to - out);
}

static uint8_t *put_varint(uint8_t *to, uint64_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = (uint8_t)(value | 0x80);
  *to++ = (uint8_t)value;
  return to;
}

static uint8_t *put_be32(uint8_t *to, uint32_t value) {
  for (int i = 0; i < 4; i++) *to++ = (uint8_t)(value >> (24 - 8 * i));
  return to;
}

// LogEntry{source = 1, time_nano = 2, line = 3, partial = 4, partial_log_metadata{last = 1, id = 2, ordinal = 3} = 5}, its size
// before and after it.
static void local_record(const uint8_t *line, size_t size, int which, uint64_t time_ns, const struct partial *piece, bool last) {
  uint8_t *start = out + log_.used, *to = start + 4;
  to = which == 0 ? PUT(to, "\x0a\x06stdout\x10") : PUT(to, "\x0a\x06stderr\x10");
  to = put_varint(to, time_ns);
  if (size > 0) {
    *to++ = 0x1a;
    to = put_varint(to, size);
    to = put(to, line, size);
  }
  if (piece) {
    uint8_t meta[96], *at = meta;
    if (last) at = PUT(at, "\x08\x01");
    at = PUT(at, "\x12\x40");
    at = put(at, piece->id, 64);
    *at++ = 0x18;
    at = put_varint(at, piece->ordinal);
    to = PUT(to, "\x20\x01\x2a");
    to = put_varint(to, (uint64_t)(at - meta));
    to = put(to, meta, (size_t)(at - meta));
  }
  uint32_t body = (uint32_t)(to - start - 4);
  put_be32(start, body);
  to = put_be32(to, body);
  log_.used = (uint32_t)(to - out);
}

static void begin_pieces(struct partial *piece, uint64_t time_ns) {
  piece->time_ns = time_ns;
  piece->ordinal = 0;
  static uint64_t pieces;
  uint64_t seed = (time_ns ^ (uint64_t)getpid() << 40) + ++pieces * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < 64; i++) { // unique within this log is enough
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    piece->id[i] = "0123456789abcdef"[seed >> 60];
  }
}

static void emit(int which, const uint8_t *line, size_t size, bool whole, uint64_t now_ns, struct tail *tail) {
  struct partial *piece = &partial[which];
  make_room();
  bool in_pieces = piece->time_ns != 0 || !whole;
  if (in_pieces && piece->time_ns == 0) begin_pieces(piece, now_ns);
  if (in_pieces) piece->ordinal++;
  uint64_t time_ns = in_pieces ? piece->time_ns : now_ns;
  if (log_.type == WIRE_LOG_SYSLOG) {
    syslog_line(which, line, size, time_ns);
  } else if (log_.type == WIRE_LOG_LOCAL) {
    local_record(line, size, which, time_ns, in_pieces ? piece : NULL, whole);
  } else if (in_pieces) {
    struct tail own;
    make_tail(&own, which, time_ns);
    json_record(line, size, whole, &own);
  } else {
    json_record(line, size, whole, tail);
  }
  if (whole) piece->time_ns = 0;
}

bool log_wanted(void) { return log_.type != WIRE_LOG_NONE; }

void log_chunk(int which, uint8_t *bytes, size_t size) {
  uint64_t now_ns = wall_ns();
  struct tail tail;
  make_tail(&tail, which, now_ns);
  const uint8_t *end = bytes + size, *line = bytes - carry_size[which];
  memcpy(bytes - carry_size[which], carry[which], carry_size[which]);
  const uint8_t *scan = bytes;
  carry_size[which] = 0;
  while (line < end) {
    size_t left = (size_t)(end - scan);
    size_t room = LINE_MAX_ - (size_t)(scan - line);
    const uint8_t *stop = memchr(scan, '\n', left < room ? left : room);
    if (stop) {
      emit(which, line, (size_t)(stop - line), true, now_ns, &tail);
      line = scan = stop + 1;
    } else if (left >= room) {
      emit(which, line, LINE_MAX_, false, now_ns, &tail);
      line = scan = line + LINE_MAX_;
    } else {
      carry_size[which] = (uint32_t)(end - line);
      memcpy(carry[which], line, carry_size[which]);
      break;
    }
  }
  flush();
}

// What has no line end by the end of the container.
void log_finish(void) {
  for (int which = 0; which < 2; which++) {
    if (carry_size[which] == 0 || !log_wanted()) continue;
    struct tail tail;
    uint64_t now_ns = wall_ns();
    make_tail(&tail, which, now_ns);
    emit(which, carry[which], carry_size[which], false, now_ns, &tail);
    carry_size[which] = 0;
  }
  flush();
}

void log_release(void) {
  madvise(out, sizeof out, MADV_DONTNEED);
  if (carry_size[0] == 0 && carry_size[1] == 0) madvise(carry, sizeof carry, MADV_DONTNEED);
}

bool log_configure(uint8_t type, const char *path, const char *attributes, size_t attributes_size, uint64_t max_size, uint32_t max_files) {
  log_.type = type;
  if (type == WIRE_LOG_NONE) return true;
  if (type == WIRE_LOG_SYSLOG) return syslog_configure((const uint8_t *)attributes, attributes_size);
  fill_escapes();
  memcpy(log_.path, path, strlen(path) + 1);
  if (attributes_size > ATTRIBUTES_MAX) attributes_size = 0;
  memcpy(log_.attributes, attributes, attributes_size);
  log_.attributes_size = attributes_size;
  log_.max_size = max_size;
  log_.max_files = max_files;
  open_log(0);
  return true;
}
