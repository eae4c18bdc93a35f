/*
 * What several of these programs need: requests, a check that ends the program, a clock, and what the process holds.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "partnerbooking.h"

#define SEARCH_AND(more) \
    "{\"bot_id\":\"bot_1\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T00:00:00Z\",\"end_at\":\"2030-01-15T00:00:00Z\"}}}" more "}"
#define BOOKING_AND(more) \
    "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-1\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\"," \
    "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}" more "}"
#define SEARCH SEARCH_AND("")
#define BOOKING BOOKING_AND("")

#define SANDBOX_AND(more) "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"" more "}}"
#define SANDBOX SANDBOX_AND("")

static int checks;

/* Prints the check; ends the program when it failed. */
static inline void check(int right, const char *what, const char *input, const char *got)
{
    checks++;
    printf("%s  %s: %s: %.200s\n", right ? "ok   " : "WRONG", what, input, got == NULL ? "NULL" : got);
    fflush(stdout);
    if (!right)
        exit(1);
}

static inline pbk_client *open_client(const char *config)
{
    char *error = NULL;
    pbk_client *client = pbk_client_open(config, &error, NULL);

    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        exit(1);
    }
    return client;
}

static inline double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void sleep_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* The number of entries of a folder, "." and ".." and the descriptor for reading it included. */
static inline int entries(const char *path)
{
    DIR *folder = opendir(path);
    int count = 0;

    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Counts until the count is as wanted, for a second at most: a thread that was joined stays listed for a moment. */
static inline int settled(const char *path, int wanted)
{
    int tries, count = entries(path);

    for (tries = 0; count != wanted && tries < 100; tries++) {
        sleep_ms(10);
        count = entries(path);
    }
    return count;
}

#endif
