/* What the programs of the benchmark share: clocks, memory, one search request, and both ways to ask it. */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE /* g++ has it defined */
#define _GNU_SOURCE
#endif
#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "partnerbooking.h"

#ifdef __cplusplus
extern "C" {
#endif

#define API_KEY "sk_ptnr_bench0123456789abcdef"
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T09:00:00Z\",\"end_at\":\"2030-01-14T17:00:00Z\"}}}}"
#define LONG_MS 600000

/* ---- This machine ---- */

double now_us(void);
int64_t now_ns(void);
void sleep_us(long microseconds);

/* Processor time of the whole process, all threads, user and system. */
double cpu_us(void);

/* Resident memory of this process in KiB; 0 when it cannot be told. */
long resident_kib(void);

/* Puts the calling thread, and those it will start, on one core; -1: leaves it where it is. */
void stay_on_core(int core);

/* As many descriptors as this process may have. */
void want_descriptors(void);

/* For qsort. */
int ascending(const void *left, const void *right);

void print_samples(const char *name, const int64_t *samples, int count);

/* ---- By libcurl alone ---- */

struct body {
    char *bytes;
    size_t length, capacity;
};

/* What a competent engineer sends: the headers built once. */
struct curl_slist *bare_headers(void);

/* A handle set up for the search: a buffer that is used again, a time-out. `ca_file` may be empty. */
CURL *bare_easy(const char *base_url, const char *ca_file, struct curl_slist *headers, struct body *body, long timeout_ms);

/* A multi handle for so many searches at once: over HTTP/2 (`is_shared`) on as few connections as they need. */
CURLM *bare_multi(int in_flight, int is_shared);

/* Whether the search on this handle went well. */
int bare_is_fine(CURL *easy, CURLcode code, const struct body *body);

/* Waits until so many searches are at the stalling server. False when they do not come. Keeps one connection for it. */
int wait_until_stalled(const char *base_url, const char *ca_file, int count);

/* ---- By the library ---- */

/* `members` is more of the configuration, with a comma before it, or empty. Tells an error by itself. */
pbk_client *ours_open(const char *base_url, const char *ca_file, const char *members);

#ifdef __cplusplus
}
#endif

#endif
