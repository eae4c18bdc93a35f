/*
 * The engine of ledger_postgres and ledger_redis. It books one appointment in the sandbox and keeps
 * the booking in a store. The program of each store executes batches of operations: see
 * docs/ledger-protocol.md.
 */
#ifndef PARTNERBOOKING_EXAMPLES_LEDGER_ENGINE_H
#define PARTNERBOOKING_EXAMPLES_LEDGER_ENGINE_H

#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"
#include "shared.h"

/* The folder of postgres.sql and redis.lua. The Debian package installs them here. */
#ifndef LEDGERS
#define LEDGERS "/usr/share/partnerbooking/ledgers"
#endif

/* Time limit of one batch in milliseconds, including connecting. Keep it below
   journal_timeout_ms. */
#define BATCH_MS 1500
/* Time in milliseconds for which the store keeps a booking after its end. */
#define RETENTION_MS (24 * 60 * 60 * 1000)

#define CONFIG \
    "{\"endpoint\":\"sandbox\",\"journal_timeout_ms\":2000," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00-05:00\",\"time_zone\":\"-05:00\"}}"
#define MINUTES 30      /* also in BOOKING */
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-15T09:00:00-05:00\",\"end_at\":\"2030-01-15T17:00:00-05:00\"}}}}"
#define BOOKING \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"call-7-1\"," \
    "\"booking\":{\"start_at\":$,\"duration_minutes\":30," \
    "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"

/* A store. carry_out() executes a batch and returns its results, or NULL when memory is out.
   Free the results with free(). */
struct ledger {
    char *(*carry_out)(struct ledger *ledger, const char *batch_json);
    void *store;
};

static inline int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the descriptor is ready. Returns 0 if the deadline passes first. */
static inline int wait_for(int descriptor, int events, int64_t deadline)
{
    struct pollfd ready = {descriptor, (short)events, 0};
    int64_t left;

    while ((left = deadline - now_ms()) > 0)
        if (poll(&ready, 1, (int)left) > 0)
            return 1;
    return 0;
}

/* Reads a whole text file. Free the text with free(). On failure prints the error and returns
   NULL. */
static inline char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char part[4096], *text = NULL;
    size_t length;
    int fits = file != NULL && json_append(&text, "", 0);

    while (fits && (length = fread(part, 1, sizeof part, file)) > 0)
        fits = json_append(&text, part, length);
    if (!fits || ferror(file) || fclose(file) != 0) {
        perror(path);
        free(text);
        return NULL;
    }
    return text;
}

/* Returns the answer to a batch that may or may not have been executed. Free it with free(). */
static inline char *ledger_error(const char *message)
{
    return json_fill("{\"error\":{\"message\":$}}", message);
}

/* Executes and answers a batch, on the client's ledger thread. It may block: audio and transfers
   have other threads. */
static inline void answer_batch(void *context, pbk_client *client, uint64_t batch, const char *batch_json)
{
    struct ledger *ledger = context;
    char *results = ledger->carry_out(ledger, batch_json), *error = NULL;

    if (pbk_ledger_answer(client, batch, results, &error) == PBK_INVALID_ARGUMENT) {
        fprintf(stderr, "the store's answer was refused: %s\n", error == NULL ? "out of memory" : error);
        free(results);
        results = ledger_error("the answer of the store does not follow the protocol");
        pbk_ledger_answer(client, batch, results, NULL);
    }
    pbk_string_free(error);
    free(results);
}

/* Reads batches from stdin, one per line, and answers each with one line. For tests and
   benchmarks of the store. Returns 1 if stdout fails. */
static inline int answer_lines(struct ledger *ledger)
{
    char *line = NULL, *results, *end;
    size_t size = 0;
    ssize_t length;

    while ((length = getline(&line, &size, stdin)) > 0) {
        results = strlen(line) == (size_t)length ? ledger->carry_out(ledger, line) : ledger_error("a NUL in the batch");
        for (end = results; end != NULL && (end = strchr(end, '\n')) != NULL;)
            *end = ' ';
        puts(results == NULL ? "{\"error\":{\"message\":\"out of memory\"}}" : results);
        fflush(stdout);
        free(results);
    }
    free(line);
    return ferror(stdout) ? 1 : 0;
}

/* Books the first free appointment. A second run uses the same key, so its reply comes from the
   store. */
static inline int book(struct ledger *ledger)
{
    char start_at[64], said[160], *error = NULL, *found, *request, *reply;
    pbk_client *client = pbk_client_open_with_ledger(CONFIG, answer_batch, ledger, &error, NULL);
    pbk_status status;

    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    found = pbk_search_availability(client, SEARCH, NULL);
    find_start(found, 0, MINUTES, start_at, sizeof start_at);
    request = json_fill(BOOKING, start_at);
    reply = pbk_create_booking(client, request, &status);
    if (status == PBK_OK) {
        say_booked(reply, said, sizeof said);
        printf("%s\n%s\n", said, reply);
    } else {
        report("booking", status, reply);
    }
    pbk_string_free(found);
    free(request);
    pbk_string_free(reply);
    /* During the close the store settles the open bookings, so give it more time than one batch
       takes. */
    return pbk_client_close(client, 2 * BATCH_MS) == PBK_OK && status == PBK_OK ? 0 : 1;
}

#endif
