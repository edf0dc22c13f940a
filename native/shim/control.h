// Between control.c, which carries frames, and requests.c, which obeys them.
#pragma once

#include "life.h"

#define CONNECTION_FDS 8

// A daemon's connection, with what has arrived and is not a whole frame yet, and descriptors that no request has taken.
struct connection {
  int fd; // -1: free
  uint32_t serial, used;
  int fds[CONNECTION_FDS];
  uint32_t fd_count;
  uint8_t buffer[WIRE_FRAME_MAX];
};

// The rest of a payload. Reading past its end gives zeros and sets `bad`.
struct reader {
  const uint8_t *at, *end;
  bool bad;
};

struct request {
  struct connection *connection;
  uint16_t type;
  uint32_t sequence;
  struct reader payload;
};

// requests.c
void request_handle(struct request *request);

// control.c
void connection_reply(const struct request *request, int32_t result, const void *data, size_t size);
int connection_index(const struct connection *connection);
void connection_hang_up(struct connection *connection);
size_t control_state(const uint8_t **bytes); // as in WIRE_EVENT_STATE
