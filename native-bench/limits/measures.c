// A message is a header of 64 bytes and the payload, sent with one call. Who receives it takes the header, then the payload in chunks
// that stay in the cache, works on each chunk as it comes, and acknowledges the whole message with 64 bytes. At the end the vector is
// compared with the number of messages, so that no number is printed for work that was not done.
#define _GNU_SOURCE
#include "limits.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define HEADER_BYTES 64
#define CHUNK_FLOATS ((size_t)64 * 1024) // 256 KiB
#define TILE_FLOATS ((size_t)4096)
#define PAGE_BYTES ((size_t)4096)
#define WARM_UP_SECONDS 0.2
#define FP32_COUNTS_TO 16777216L // and stays there
#define WEIGHT 0.5

// ---- memory

// Floats on pages of their own, every page touched.
static float *floats(size_t count, float value) {
    size_t bytes = (count * sizeof(float) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    float *first = aligned_alloc(PAGE_BYTES, bytes);
    if (first == NULL)
        die(FAILED, "no memory for %zu bytes", bytes);
    for (size_t j = 0; j < bytes / sizeof(float); j++)
        first[j] = value;
    return first;
}

// A message whose payload is all ones.
static float *message(const struct job *job) {
    float *first = floats((HEADER_BYTES + job->bytes) / sizeof(float), 1);
    memset(first, 0, HEADER_BYTES);
    return first;
}

static void must_equal(const char *name, const float *x, size_t count, double expected) {
    for (size_t j = 0; j < count; j++) {
        if (x[j] != expected)
            die(FAILED, "element %zu of the %s is %g and should be %g", j, name, (double)x[j], expected);
    }
}

// What so many additions of one give in fp32.
static double ones(long additions) { return (double)(additions < FP32_COUNTS_TO ? additions : FP32_COUNTS_TO); }

// ---- what is done with a chunk; inlined, the loops would share their callers' registers, and read their bound from the stack

__attribute__((noinline)) static void add_into(float *restrict x, const float *restrict c, size_t count) {
    for (size_t j = 0; j < count; j++)
        x[j] += c[j];
}

// As the asynchronous server does it: a worker's reconstruction moves by the delta, the weighted sum by what the reconstruction moved by.
__attribute__((noinline)) static void apply_delta(float *restrict h, double *restrict sum, const float *restrict c, size_t count) {
    for (size_t j = 0; j < count; j++) {
        float before = h[j], after = before + c[j];
        h[j] = after;
        sum[j] += WEIGHT * ((double)after - (double)before);
    }
}

// The bytes that a codec moves, with next to no arithmetic: what a payload holds does not matter.
__attribute__((noinline)) static void move_encoding(float *restrict h, const float *restrict x, size_t count, char *restrict payload, size_t bytes) {
    add_into(h, x, count);
    memset(payload, 1, bytes);
}

__attribute__((noinline)) static uint64_t move_decoding(float *restrict h, double *restrict sum, size_t count, const char *restrict payload, size_t bytes) {
    const uint64_t *words = (const uint64_t *)payload; // on pages of its own, taken by tiles of whole words
    uint64_t all = 0;
    for (size_t j = 0; j < bytes / sizeof *words; j++)
        all += words[j];
    for (size_t j = 0; j < count; j++) {
        h[j] += 1;
        sum[j] += WEIGHT;
    }
    return all;
}

// ---- time

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool within(const struct job *job, double since) { return clock_now() - since < job->seconds; }

static void count_one(struct meter *meter) {
    meter->ended = clock_now();
    meter->all++;
    if (meter->warm == 0 && meter->ended - meter->opened > WARM_UP_SECONDS) {
        meter->warm = meter->all;
        meter->began = meter->ended;
    }
}

// ---- bytes on a socket

static void put(int s, const void *from, size_t count) {
    const char *at = from, *end = at + count;
    while (at < end) {
        ssize_t n = send(s, at, (size_t)(end - at), MSG_NOSIGNAL);
        if (n > 0)
            at += n;
        else if (errno != EINTR)
            die(FAILED, "sending to the other process: %s", strerror(errno));
    }
}

// False when the other end was closed before the first byte.
static bool get_or_end(const struct job *job, int s, void *to, size_t count) {
    char *at = to, *end = at + count;
    int flags = job->spin ? MSG_DONTWAIT : 0;
    while (at < end) {
        ssize_t n = recv(s, at, (size_t)(end - at), flags);
        if (n > 0)
            at += n;
        else if (n == 0 && at == to)
            return false;
        else if (n == 0)
            die(FAILED, "the other process ended within a message");
        else if (errno != EINTR && errno != EAGAIN)
            die(FAILED, "receiving from the other process: %s", strerror(errno));
    }
    return true;
}

static void get(const struct job *job, int s, void *to, size_t count) {
    if (!get_or_end(job, s, to, count))
        die(FAILED, "the other process ended before it answered");
}

// ---- push and full

void push_peer(const struct job *job, int s) {
    const float *whole = message(job);
    char acknowledgement[HEADER_BYTES];
    int flying = 0;
    for (double since = clock_now(); within(job, since);) {
        put(s, whole, HEADER_BYTES + job->bytes);
        if (++flying == job->window) {
            get(job, s, acknowledgement, HEADER_BYTES);
            flying--;
        }
    }
    for (; flying > 0; flying--)
        get(job, s, acknowledgement, HEADER_BYTES);
}

static void take_pushes(const struct job *job, int s, struct meter *meter, double *sum) {
    size_t count = job->bytes / sizeof(float);
    float *vector = floats(count, 0), *chunk = floats(CHUNK_FLOATS, 0);
    char header[HEADER_BYTES];
    meter->opened = clock_now();
    while (get_or_end(job, s, header, HEADER_BYTES)) {
        for (size_t begin = 0; begin < count; begin += CHUNK_FLOATS) {
            size_t some = count - begin < CHUNK_FLOATS ? count - begin : CHUNK_FLOATS;
            get(job, s, chunk, some * sizeof(float));
            if (sum == NULL)
                add_into(vector + begin, chunk, some);
            else
                apply_delta(vector + begin, sum + begin, chunk, some);
        }
        put(s, header, HEADER_BYTES);
        count_one(meter);
    }
    must_equal("vector", vector, count, ones(meter->all));
}

void push_measure(const struct job *job, int s, struct meter *meter) { take_pushes(job, s, meter, NULL); }

void full_measure(const struct job *job, int s, struct meter *meter) {
    size_t count = job->bytes / sizeof(float);
    double *sum = (double *)floats(2 * count, 0);
    take_pushes(job, s, meter, sum);
    for (size_t j = 0; j < count; j++) {
        if (sum[j] != WEIGHT * ones(meter->all))
            die(FAILED, "element %zu of the sum is %g and should be %g", j, sum[j], WEIGHT * ones(meter->all));
    }
}

// ---- pull

void pull_measure(const struct job *job, int s, struct meter *meter) {
    float *vector = floats(job->bytes / sizeof(float), 0);
    char header[HEADER_BYTES] = { 0 };
    int flying = 0;
    meter->opened = clock_now();
    while (within(job, meter->opened)) {
        for (; flying < job->window; flying++)
            put(s, header, HEADER_BYTES);
        get(job, s, header, HEADER_BYTES);
        get(job, s, vector, job->bytes);
        flying--;
        count_one(meter);
    }
    for (; flying > 0; flying--) { // not measured: the other process is to end in order
        get(job, s, header, HEADER_BYTES);
        get(job, s, vector, job->bytes);
    }
    must_equal("vector", vector, job->bytes / sizeof(float), 1);
}

void pull_peer(const struct job *job, int s) {
    const float *whole = message(job);
    char request[HEADER_BYTES];
    while (get_or_end(job, s, request, HEADER_BYTES))
        put(s, whole, HEADER_BYTES + job->bytes);
}

// ---- trip

void trip_measure(const struct job *job, int s, struct meter *meter) {
    float *whole = message(job);
    meter->opened = clock_now();
    while (within(job, meter->opened)) {
        put(s, whole, HEADER_BYTES + job->bytes);
        get(job, s, whole, HEADER_BYTES + job->bytes);
        count_one(meter);
    }
    must_equal("message", whole + HEADER_BYTES / sizeof(float), job->bytes / sizeof(float), 1);
}

void trip_peer(const struct job *job, int s) {
    float *whole = message(job);
    while (get_or_end(job, s, whole, HEADER_BYTES + job->bytes))
        put(s, whole, HEADER_BYTES + job->bytes);
}

// ---- what this process does alone

static void sweep(const struct job *job, struct meter *meter, bool adds) {
    size_t count = job->bytes / sizeof(float);
    float *x = floats(count, 0), *c = floats(count, 1);
    meter->began = clock_now();
    do {
        if (adds)
            add_into(x, c, count);
        else
            memcpy(x, c, job->bytes);
        __asm__ volatile("" : : "r"(x), "r"(c) : "memory"); // no sweep may be left out
        meter->ended = clock_now();
        meter->all++;
    } while (meter->ended - meter->began < job->seconds);
    must_equal("vector", x, count, adds ? ones(meter->all) : 1);
}

void add_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    sweep(job, meter, true);
}

void copy_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    sweep(job, meter, false);
}

// A payload has so many bytes for each 64 floats.
static void codec_sweep(const struct job *job, struct meter *meter, bool decodes, size_t block_bytes) {
    size_t count = job->bytes / sizeof(float), tile_bytes = TILE_FLOATS / 64 * block_bytes, tiles = (count + TILE_FLOATS - 1) / TILE_FLOATS;
    float *h = floats(count, 0), *x = decodes ? NULL : floats(count, 1);
    double *sum = decodes ? (double *)floats(2 * count, 0) : NULL;
    char *payload = (char *)floats(tiles * tile_bytes / sizeof(float), 0);
    uint64_t all = 0;
    meter->began = clock_now();
    do {
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t begin = tile * TILE_FLOATS, some = count - begin < TILE_FLOATS ? count - begin : TILE_FLOATS;
            size_t bytes = some == TILE_FLOATS ? tile_bytes : (some + 63) / 64 * block_bytes;
            if (decodes)
                all += move_decoding(h + begin, sum + begin, some, payload + tile * tile_bytes, bytes);
            else
                move_encoding(h + begin, x + begin, some, payload + tile * tile_bytes, bytes);
        }
        __asm__ volatile("" : : "r"(h), "r"(x), "r"(sum), "r"(payload), "r"(all) : "memory"); // no sweep may be left out
        meter->ended = clock_now();
        meter->all++;
    } while (meter->ended - meter->began < job->seconds);
    must_equal("vector", h, count, ones(meter->all));
    for (size_t j = 0; decodes && j < count; j++) {
        if (sum[j] != WEIGHT * (double)meter->all)
            die(FAILED, "element %zu of the sum is %g and should be %g", j, sum[j], WEIGHT * (double)meter->all);
    }
}

void encode8_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    codec_sweep(job, meter, false, 66);
}

void encode4_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    codec_sweep(job, meter, false, 34);
}

void decode8_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    codec_sweep(job, meter, true, 66);
}

void decode4_measure(const struct job *job, int s, struct meter *meter) {
    (void)s;
    codec_sweep(job, meter, true, 34);
}
