// The words between the daemon and a shim, on a stream socket (src/shim/wire.ts is the other side; a test compares the numbers).
//
//     frame    u32 size of the whole frame, u16 type, u16 0, u32 sequence, payload; little endian
//     request  daemon → shim, any sequence; answered by one frame of type | WIRE_REPLY with the same sequence:
//              i32 result (0, a negative errno, or WIRE_PROGRAM_FAILED and a failure, see failure_encode), data
//     event    shim → daemon, sequence 0
//
// Strings are u16 size and bytes. Descriptors travel by SCM_RIGHTS with the first byte of the frame that they belong to.
// A process is named by a number: 0 is the container's init, execs get theirs from the daemon.
#pragma once

#define WIRE_VERSION 1
#define WIRE_HEADER 12
#define WIRE_FRAME_MAX (80 * 1024)

enum wire_request {
  WIRE_CREATE = 1,      // see requests.c create(): configuration; answered when the container is created: u32 shim pid, u32 init pid
  WIRE_START = 2,       // answered when the init has executed its program
  WIRE_KILL = 3,        // u32 process, i32 signal
  WIRE_RESIZE = 4,      // u32 process, u16 rows, u16 columns
  WIRE_CLOSE_STDIN = 5, // u32 process
  WIRE_ATTACH = 6,      // u32 process, attach; descriptor: the client
  WIRE_EXEC = 7,        // u32 process, u8 WIRE_IO_*, string exec id, u8 has client, [attach]; descriptors: program, [client]; → u32 pid
  WIRE_STATE = 8,       // → state, as in WIRE_EVENT_STATE
  WIRE_SHUTDOWN = 9,    // leave as soon as the attached clients have everything; EBUSY while the init runs
  WIRE_COMPRESSED = 10, // string temporary gzip file, u64 inode of the rotated log that it replaces
  WIRE_TERMINAL = 11,   // u32 process; descriptor: its pty's master (external processes)
  // attach: u32 client id, u8 WIRE_ATTACH_*, u8 size and bytes of the detach keys, u32 size and bytes already read from the client
};

enum wire_event {
  WIRE_EVENT_STATE = 0x4000,   // first on a connection made to shim.sock
  WIRE_EVENT_EXIT = 0x4001,    // u32 process, exit, string exec id
  WIRE_EVENT_OOM = 0x4002,     //
  WIRE_EVENT_CLIENT = 0x4003,  // u32 client id, u32 process, u8 WIRE_CLIENT_*
  WIRE_EVENT_ROTATED = 0x4004, // string path of the log file that has just become .1
  // exit: i32 code, i32 signal, u64 nanoseconds since 1970, u8 oom
  // state: u16 version, u32 shim pid, u32 init pid, u8 WIRE_PHASE_*, exit, u8 WIRE_IO_*,
  //        u32 execs, each: u32 process, u32 pid, u8 finished, exit, string exec id
};

#define WIRE_REPLY 0x8000
#define WIRE_PROGRAM_FAILED 1

// External: the program runs somebody else's runtime, which puts the pid of the real process (a child of ours once the runtime has
// ended) into <number>.pid in the state directory. `create` and `exec` are answered then; `start` only says that it was started.
enum { WIRE_IO_TERMINAL = 1, WIRE_IO_STDIN = 2, WIRE_IO_STDIN_ONCE = 4, WIRE_IO_EXTERNAL = 8 };
enum { WIRE_ATTACH_STDIN = 1, WIRE_ATTACH_STDOUT = 2, WIRE_ATTACH_STDERR = 4, WIRE_ATTACH_FRAMED = 8 };
enum { WIRE_CLIENT_ENDED = 0, WIRE_CLIENT_DETACHED = 1, WIRE_CLIENT_GONE = 2, WIRE_CLIENT_CUT_OFF = 3 };
enum { WIRE_PHASE_CREATING = 0, WIRE_PHASE_CREATED = 1, WIRE_PHASE_RUNNING = 2, WIRE_PHASE_STOPPED = 3 };
enum { WIRE_LOG_NONE = 0, WIRE_LOG_JSON_FILE = 1, WIRE_LOG_LOCAL = 2, WIRE_LOG_SYSLOG = 3 };
enum { WIRE_OOM_NONE = 0, WIRE_OOM_V1 = 1, WIRE_OOM_V2 = 2 };
