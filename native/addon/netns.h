// Visits to another network namespace by the calling thread. It is back in its own before anything returns; where the kernel
// does not let it back, the process aborts rather than go on in the wrong one.
#pragma once

// socket(2) inside the namespace `netns`; -1 means the thread's own. Returns -1 with errno on failure.
int socket_in(int netns, int domain, int type, int protocol);

// A descriptor of a new, empty network namespace. Returns -1 with errno on failure.
int netns_new(void);
