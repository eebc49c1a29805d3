// What the two halves share: limits.c reads the command line and starts the processes, measures.c measures.
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum { DONE = 0, USAGE = 2, FAILED = 4 }; // exit codes, those of the other programs

struct job {
    size_t bytes; // of one payload or one vector
    double seconds;
    int window;
    bool spin, local_socket;
};

// Counts messages. Those of the warm-up are counted apart: what is measured is all - warm, from began to ended.
struct meter {
    double opened, began, ended;
    long all, warm;
};

// This process, whose clock counts, at its end of the connection (-1 if there is none).
typedef void measure(const struct job *job, int s, struct meter *meter);
measure push_measure, full_measure, pull_measure, trip_measure, add_measure, copy_measure, encode8_measure, encode4_measure, decode8_measure, decode4_measure;

// The other process, at the other end.
typedef void serve(const struct job *job, int s);
serve push_peer, pull_peer, trip_peer;

// Says what went wrong, ends the other process and this one.
__attribute__((noreturn, format(printf, 2, 3))) void die(int code, const char *format, ...);
