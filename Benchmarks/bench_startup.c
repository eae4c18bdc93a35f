/*
 * What the library costs before the first call: the time to load it and to open clients, and the memory it takes.
 *
 *     bench_startup LIBRARY CONFIG SEARCHES
 *
 * One sample a process, since a library is loaded for the first time only once: run.py starts it many times. Not linked
 * with the library: that is what it measures. Prints one JSON object.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

/* A week of the sandbox's slots, from a Monday that its configured clock knows. */
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T00:00:00Z\",\"end_at\":\"2030-01-21T00:00:00Z\"}}}}"

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Resident memory of this process in KiB; 0 when it cannot be told. */
static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    long kib = 0;

    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %ld kB", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib;
}

/* C has no cast from an object pointer to a function pointer; POSIX has dlsym() all the same. */
static int look_up(void *library, const char *name, void *function, size_t size)
{
    void *symbol = dlsym(library, name);

    if (symbol == NULL || size != sizeof symbol)
        return 0;
    memcpy(function, &symbol, size);
    return 1;
}

int main(int argc, char **argv)
{
    pbk_client *(*client_open)(const char *, char **, pbk_status *);
    pbk_status (*client_close)(pbk_client *, int32_t);
    char *(*search)(pbk_client *, const char *, pbk_status *);
    void (*string_free)(char *);
    pbk_client *first, *second;
    pbk_status status = PBK_OK;
    char *error = NULL, *reply;
    double begun, curl_us, load_us, first_us, second_us;
    long before, loaded, opened, searched;
    void *library;
    int i, searches;

    if (argc != 4) {
        fprintf(stderr, "usage: %s LIBRARY CONFIG SEARCHES\n", argv[0]);
        return 2;
    }
    searches = atoi(argv[3]);

    before = resident_kib();
    begun = now_us();
    dlopen("libcurl.so.4", RTLD_NOW); /* first, to tell its share: with all it needs it is far larger than the library */
    curl_us = now_us() - begun;
    library = dlopen(argv[1], RTLD_NOW);
    load_us = now_us() - begun;
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    loaded = resident_kib();
    if (!look_up(library, "pbk_client_open", &client_open, sizeof client_open)
        || !look_up(library, "pbk_client_close", &client_close, sizeof client_close)
        || !look_up(library, "pbk_search_availability", &search, sizeof search)
        || !look_up(library, "pbk_string_free", &string_free, sizeof string_free)) {
        fprintf(stderr, "%s is not libpartnerbooking\n", argv[1]);
        return 1;
    }

    begun = now_us();
    first = client_open(argv[2], &error, NULL);
    first_us = now_us() - begun;
    opened = resident_kib();
    if (first == NULL) {
        fprintf(stderr, "pbk_client_open: %s\n", error == NULL ? "out of memory" : error);
        return 1;
    }
    for (i = 0; i < searches && status == PBK_OK; i++) {
        reply = search(first, SEARCH, &status);
        if (status != PBK_OK)
            fprintf(stderr, "pbk_search_availability: %s\n", reply == NULL ? "out of memory" : reply);
        string_free(reply);
    }
    searched = resident_kib();

    begun = now_us();
    second = client_open(argv[2], NULL, NULL);
    second_us = now_us() - begun;
    client_close(second, 1000);
    client_close(first, 1000);

    printf("{\"dlopen_us\":%.1f,\"dlopen_curl_us\":%.1f,\"open_first_us\":%.1f,\"open_second_us\":%.1f,\"rss_before_kib\":%ld,"
           "\"rss_loaded_kib\":%ld,\"rss_opened_kib\":%ld,\"rss_searched_kib\":%ld}\n",
           load_us, curl_us, first_us, second_us, before, loaded, opened, searched);
    return status == PBK_OK && second != NULL ? 0 : 1;
}
