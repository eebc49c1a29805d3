// What this machine can do at best for what a parameter server does, in plain C: blocking system calls, one connection, two processes.
// The server's own numbers mean something beside these, measured in turn. build.sh makes out/bench/limits of it.
#define _GNU_SOURCE
#include "limits.h"
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAST_SECONDS 0.3 // the warm-up takes 0.2
#define MOST_SECONDS 600.0
#define GRACE_SECONDS 30 // beyond what was asked for; then the run is ended
#define MOST_BYTES ((size_t)1 << 30)
#define MOST_WINDOW 64 // so many acknowledgements fit into any socket's buffer; else both sides could wait for ever

static const char help[] =
    "limits - what this machine can do at best for what a parameter server does, in plain C\n"
    "\n"
    "Usage: limits COMMAND SIZE [SECONDS [WINDOW]] [--window N] [--spin] [--unix]\n"
    "\n"
    "  push   one process streams messages, another adds them into its fp32 vector and acknowledges each\n"
    "  full   push as the asynchronous server applies it: h += c in fp32, sum += w (h_new - h_old) in double\n"
    "  pull   small requests, answered with SIZE bytes that are received into place\n"
    "  trip   round trips of one message at a time, SIZE bytes each way\n"
    "  add    a += b on one core, fp32 vectors of SIZE bytes\n"
    "  copy   memcpy on one core, vectors of SIZE bytes\n"
    "  encode8, encode4  one core moves the bytes that coding a delta moves: x is read, h read and written, 66 or 34 bytes\n"
    "         written for each 64 floats; vectors of SIZE bytes\n"
    "  decode8, decode4  likewise: those bytes are read, h in fp32 and a sum in double are read and written\n"
    "\n"
    "  SIZE       bytes of payload, a multiple of 4 up to 1G; suffixes K, M, G are powers of 1024\n"
    "  SECONDS    how long, 0.3 to 600; 2 if not given; of push, full, pull and trip the first 0.2 s do not count\n"
    "  --window N messages in flight, 1 to 64; 8 if not given; push, full, pull\n"
    "  --spin     whoever waits asks again and again instead of sleeping; not where nothing is sent\n"
    "  --unix     a local socket instead of TCP over loopback; not where nothing is sent\n"
    "  The words 'spin' and 'unix' behind SIZE are the same as the options, and so is WINDOW.\n"
    "\n"
    "Prints one JSON object. gb_per_second counts payload once (push, full, pull), both ways (trip), what is read and written\n"
    "(add: 12 bytes an element, copy: 8, the others as they say); a GB is 10^9 bytes. A header of 64 bytes goes with every message and is not counted.\n"
    "Exit codes: 0 done, 2 wrong usage, 4 the run failed.\n"
    "\n"
    "Examples:\n"
    "  limits push 1M\n"
    "  limits pull 16M 5 --window 2\n"
    "  limits trip 4K --spin --unix\n"
    "  limits push 1048576 2 8 unix\n"
    "  limits add 64M\n";

static const struct command {
    const char *name;
    measure *measure;
    serve *peer; // none: the command needs no second process
    bool windowed, connects; // who measures is the worker, which connects to the other process
    const char *unit, *of;
    double counted; // bytes, for each byte of SIZE
} commands[] = {
    { "push", push_measure, push_peer, true, false, "message", "payload", 1 },
    { "full", full_measure, push_peer, true, false, "message", "payload", 1 },
    { "pull", pull_measure, pull_peer, true, true, "message", "payload", 1 },
    { "trip", trip_measure, trip_peer, false, true, "round_trip", "payload", 2 },
    { "add", add_measure, NULL, false, false, "sweep", "vector", 3 },
    { "copy", copy_measure, NULL, false, false, "sweep", "vector", 2 },
    { "encode8", encode8_measure, NULL, false, false, "sweep", "vector", (12 + 66.0 / 64) / 4 },
    { "encode4", encode4_measure, NULL, false, false, "sweep", "vector", (12 + 34.0 / 64) / 4 },
    { "decode8", decode8_measure, NULL, false, false, "sweep", "vector", (24 + 66.0 / 64) / 4 },
    { "decode4", decode4_measure, NULL, false, false, "sweep", "vector", (24 + 34.0 / 64) / 4 },
};

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM };
static volatile pid_t child;

// ---- ends

static void end_child(void) {
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) { }
        child = 0;
    }
}

void die(int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("limits: ", stderr);
    vfprintf(stderr, format, values);
    fputs(code == USAGE ? "; see limits --help\n" : "\n", stderr);
    va_end(values);
    end_child();
    exit(code);
}

static void on_signal(int number) {
    static const char late[] = "limits: the run did not end in time: the machine is overloaded, or the other process was stopped\n";
    end_child();
    if (number == SIGALRM) {
        if (write(STDERR_FILENO, late, sizeof late - 1) < 0) { } // nowhere left to say so
        _exit(FAILED);
    }
    signal(number, SIG_DFL);
    raise(number);
}

// The watchdog and the signals that end this program take the other process with them. What is ignored, as under nohup, stays so.
static void guard(const struct job *job) {
    for (size_t k = 0; k < sizeof ending_signals / sizeof *ending_signals; k++) {
        if (signal(ending_signals[k], on_signal) == SIG_IGN && ending_signals[k] != SIGALRM)
            signal(ending_signals[k], SIG_IGN);
    }
    alarm((unsigned)job->seconds + GRACE_SECONDS);
}

// ---- two processes

static void no_delay(int s) {
    int one = 1;
    if (setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0)
        die(FAILED, "TCP_NODELAY: %s", strerror(errno));
}

// Both ends of one connection: the one that accepted, the one that connected. A local one has no name, so it can leave no file behind.
static void connect_ends(bool local_socket, int ends[2]) {
    if (local_socket) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
            die(FAILED, "a pair of local sockets: %s", strerror(errno));
        return;
    }
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sockaddr *any = (struct sockaddr *)&address;
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    ends[1] = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || ends[1] < 0 || bind(listener, any, length) < 0 || listen(listener, 1) < 0
        || getsockname(listener, any, &length) < 0 || connect(ends[1], any, length) < 0
        || (ends[0] = accept(listener, NULL, NULL)) < 0)
        die(FAILED, "a connection over 127.0.0.1: %s", strerror(errno));
    close(listener);
    no_delay(ends[0]);
    no_delay(ends[1]);
}

static void run_peer(const struct command *command, const struct job *job, int s, pid_t parent) {
    child = 0;
    for (size_t k = 0; k < sizeof ending_signals / sizeof *ending_signals; k++)
        signal(ending_signals[k], SIG_DFL);
    alarm((unsigned)job->seconds + GRACE_SECONDS);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) // a parent that is killed cannot end it
        _exit(FAILED);
    command->peer(job, s);
    _exit(DONE);
}

static void run_pair(const struct command *command, const struct job *job, struct meter *meter) {
    int ends[2], own, other, status;
    sigset_t all, before;
    pid_t self = getpid();
    connect_ends(job->local_socket, ends);
    own = ends[command->connects];
    other = ends[!command->connects];
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); // no signal between the fork and the number of the child
    child = fork();
    if (child == 0) {
        close(own);
        sigprocmask(SIG_SETMASK, &before, NULL);
        run_peer(command, job, other, self);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (child < 0)
        die(FAILED, "fork: %s", strerror(errno));
    close(other);
    command->measure(job, own, meter);
    close(own);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    child = 0;
    if (status != 0)
        die(FAILED, "the other process failed");
}

// ---- the command line

static size_t read_size(const char *text) {
    char *end;
    errno = 0;
    unsigned long long value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    static const char suffixes[] = "KMG";
    int shift = 0;
    if (value > 0 && *end != '\0' && strchr(suffixes, *end) != NULL)
        shift = 10 * (int)(strchr(suffixes, *end++) - suffixes + 1);
    if (value == 0 || errno != 0 || *end != '\0' || value > MOST_BYTES >> shift || (value << shift) % sizeof(float) != 0)
        die(USAGE, "SIZE is '%s' and must be a multiple of 4 bytes from 4 to 1G, as 4096, 64K or 16M", text);
    return (size_t)(value << shift);
}

static double read_seconds(const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= LEAST_SECONDS && value <= MOST_SECONDS))
        die(USAGE, "SECONDS is '%s' and must be a number from %g to %g", text, LEAST_SECONDS, MOST_SECONDS);
    return value;
}

static int read_window(const char *text) {
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < 1 || value > MOST_WINDOW)
        die(USAGE, "the window is '%s' and must be a whole number from 1 to %d", text, MOST_WINDOW);
    return (int)value;
}

static const struct command *read_command(const char *name) {
    for (size_t k = 0; k < sizeof commands / sizeof *commands; k++) {
        if (strcmp(commands[k].name, name) == 0)
            return &commands[k];
    }
    die(USAGE, "there is no command '%s'; there are push, full, pull, trip, add, copy, encode8, encode4, decode8 and decode4", name);
}

// Takes the words that stand for options out of the arguments behind the first two; returns how many arguments are left.
static int take_words(int argc, char **argv, struct job *job) {
    int left = 0;
    for (int k = 0; k < argc; k++) {
        if (k > 1 && strcmp(argv[k], "spin") == 0)
            job->spin = true;
        else if (k > 1 && strcmp(argv[k], "unix") == 0)
            job->local_socket = true;
        else
            argv[left++] = argv[k];
    }
    return left;
}

static const struct command *read_arguments(int argc, char **argv, struct job *job) {
    static const struct option known[] = {
        { "help", no_argument, NULL, 'h' }, { "window", required_argument, NULL, 'w' },
        { "spin", no_argument, NULL, 's' }, { "unix", no_argument, NULL, 'u' }, { 0 },
    };
    const char *window = NULL;
    opterr = 0;
    for (int one; (one = getopt_long(argc, argv, ":h", known, NULL)) != -1;) {
        switch (one) {
            case 'h': exit(fputs(help, stdout) < 0 || fflush(stdout) != 0 ? FAILED : DONE);
            case 'w': window = optarg; break;
            case 's': job->spin = true; break;
            case 'u': job->local_socket = true; break;
            case ':': die(USAGE, "%s needs a value", argv[optind - 1]);
            default: die(USAGE, "'%s' is no option, or takes no value", argv[optind - 1]);
        }
    }
    argv += optind;
    argc = take_words(argc - optind, argv, job);
    if (argc == 0)
        die(USAGE, "a command is missing: push, full, pull, trip, add, copy, encode8, encode4, decode8 or decode4");
    const struct command *command = read_command(argv[0]);
    if (argc == 1)
        die(USAGE, "%s needs a SIZE", command->name);
    if (argc > 3 && (argc > 4 || window != NULL || !command->windowed))
        die(USAGE, "'%s' is one argument too many", argv[argc > 4 ? 4 : 3]);
    if (argc == 4)
        window = argv[3];
    job->bytes = read_size(argv[1]);
    if (argc >= 3)
        job->seconds = read_seconds(argv[2]);
    if (window != NULL && !command->windowed)
        die(USAGE, "%s has no --window", command->name);
    if (window != NULL)
        job->window = read_window(window);
    if (command->peer == NULL && (job->spin || job->local_socket))
        die(USAGE, "%s takes neither --spin nor --unix: nothing is sent", command->name);
    return command;
}

static void report(const struct command *command, const struct job *job, const struct meter *meter) {
    long count = meter->all - meter->warm;
    double seconds = meter->ended - meter->began;
    printf("{\"what\":\"%s\",\"%s_bytes\":%zu", command->name, command->of, job->bytes);
    if (command->windowed)
        printf(",\"window_messages\":%d", job->window);
    if (command->peer != NULL)
        printf(",\"spin\":%s,\"unix\":%s", job->spin ? "true" : "false", job->local_socket ? "true" : "false");
    printf(",\"measured_seconds\":%.6f,\"%ss\":%ld,\"%ss_per_second\":%.1f,\"%s_us\":%.3f,\"gb_per_second\":%.6g}\n", seconds,
        command->unit, count, command->unit, (double)count / seconds, command->unit, seconds / (double)count * 1e6,
        (double)count * command->counted * (double)job->bytes / seconds * 1e-9);
    if (fflush(stdout) != 0)
        die(FAILED, "writing the result: %s", strerror(errno));
}

int main(int argc, char **argv) {
    struct job job = { .seconds = 2, .window = 8 };
    struct meter meter = { 0 };
    const struct command *command = read_arguments(argc, argv, &job);
    guard(&job);
    if (command->peer != NULL) {
        run_pair(command, &job, &meter);
        if (meter.warm == 0 || meter.all == meter.warm)
            die(FAILED, "%ld messages are too few to measure: give more SECONDS or a smaller SIZE", meter.all);
    } else {
        command->measure(&job, -1, &meter);
    }
    report(command, &job, &meter);
    return DONE;
}
