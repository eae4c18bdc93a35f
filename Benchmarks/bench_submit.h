/* Between the two halves of bench_submit: a contestant, and those that use libcurl alone. */
#ifndef BENCH_SUBMIT_H
#define BENCH_SUBMIT_H

#include <stdatomic.h>

#define MAX_BURST 64
#define MAX_STEADY 512
#define SEARCHES (MAX_STEADY + MAX_BURST)

/* Searches are numbered from 0 to SEARCHES - 1, and end by an answer or because they are told to. */
struct contestant {
    const char *name;
    int (*open)(const char *base_url, const char *ca_file);
    int (*submit)(int search);
    void (*end)(int search);
};

extern const struct contestant queued, locked;

/* How many searches have ended. */
extern atomic_int ended;

#endif
