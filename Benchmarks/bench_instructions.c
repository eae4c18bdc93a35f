/*
 * Makes blocking calls one after another, for callgrind to count: open, CALLS calls, close.
 *
 *     bench_instructions LIBRARY BASE_URL search|book CALLS PAUSE_US
 *
 * Each booking has its own idempotency key and its own slot. The program loads LIBRARY by dlopen(),
 * so that the same program runs any build. It waits PAUSE_US microseconds after each call: the
 * client's thread is asleep again before the next call. instructions.py starts it and subtracts a
 * short run from a long one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

#define CONFIG \
    "{\"api_key\":\"sk_ptnr_bench0123456789abcdef\",\"base_url\":\"%s\",\"keep_warm_ms\":0,\"timeout_ms\":60000%s}"
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T09:00:00Z\",\"end_at\":\"2030-01-14T17:00:00Z\"}}}}"
/* The booking of bench_journal.c. next_booking() overwrites the digits of the key and of the
   start. */
#define BOOKING                                                                                                        \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"bench-0000000000\",\"booking\":{\"start_at\":" \
    "\"2030-01-01T00:00:00Z\",\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\","  \
    "\"email\":\"john@example.com\"},\"notes\":\"Initial consultation\"}}"
#define SLOTS_PER_DAY 48
#define DAYS_PER_MONTH 28 /* every month has these */
#define MOST_CALLS 1000000

typedef char *blocking_call(pbk_client *, const char *, pbk_status *);

static struct {
    pbk_client *(*open)(const char *, char **, pbk_status *);
    pbk_status (*close)(pbk_client *, int32_t);
    blocking_call *search, *book;
    void (*free)(char *);
} pbk;

/* Copies the pointer's bytes: C has no cast from an object pointer to a function pointer. */
static int look_up(void *library, const char *name, void *function, size_t size)
{
    void *symbol = dlsym(library, name);

    if (symbol == NULL || size != sizeof symbol)
        return 0;
    memcpy(function, &symbol, size);
    return 1;
}

static int load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);

    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 0;
    }
    if (!look_up(library, "pbk_client_open", &pbk.open, sizeof pbk.open)
        || !look_up(library, "pbk_client_close", &pbk.close, sizeof pbk.close)
        || !look_up(library, "pbk_search_availability", &pbk.search, sizeof pbk.search)
        || !look_up(library, "pbk_create_booking", &pbk.book, sizeof pbk.book)
        || !look_up(library, "pbk_string_free", &pbk.free, sizeof pbk.free)) {
        fprintf(stderr, "%s is not libpartnerbooking\n", path);
        return 0;
    }
    return 1;
}

static void write_digits(char *end, long value, int count)
{
    while (count-- > 0) {
        *--end = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Writes the digits itself: a call of snprintf() would count as libc's work for the library. */
static void next_booking(char *request, long number)
{
    static size_t key, start;
    long day = number / SLOTS_PER_DAY, month = day / DAYS_PER_MONTH;

    if (key == 0) {
        key = (size_t)(strstr(request, "0000000000") - request);
        start = (size_t)(strstr(request, "2030-") - request);
    }
    write_digits(request + key + 10, number, 10);
    write_digits(request + start + 4, 2030 + month / 12, 4);
    write_digits(request + start + 7, 1 + month % 12, 2);
    write_digits(request + start + 10, 1 + day % DAYS_PER_MONTH, 2);
    write_digits(request + start + 13, number % SLOTS_PER_DAY / 2, 2);
    write_digits(request + start + 16, number % 2 * 30, 2);
}

static int make_calls(pbk_client *client, int is_booking, long count, long pause_us)
{
    const struct timespec pause = { pause_us / 1000000, pause_us % 1000000 * 1000 };
    char booking[] = BOOKING;
    pbk_status status = PBK_OK;
    char *reply;
    long i;

    for (i = 0; i < count && status == PBK_OK; i++) {
        if (is_booking)
            next_booking(booking, i);
        reply = is_booking ? pbk.book(client, booking, &status) : pbk.search(client, SEARCH, &status);
        if (status != PBK_OK)
            fprintf(stderr, "call %ld failed: %s\n", i, reply == NULL ? "out of memory" : reply);
        pbk.free(reply);
        if (pause_us > 0)
            nanosleep(&pause, NULL);
    }
    return status == PBK_OK;
}

/* Drops the line, as a host that only looks at it. */
static void take_line(void *context, pbk_log_level level, const char *line)
{
    (void)level;
    *(size_t *)context += strlen(line);
}

/* Switches the log on for "search:info" and "search:debug". Builds from before the log do the other
   searches only. */
static int watch(const char *library, pbk_client *client, const char *call, size_t *bytes)
{
    pbk_log_level level = strcmp(call, "search:info") == 0 ? PBK_LOG_INFO
        : strcmp(call, "search:debug") == 0                ? PBK_LOG_DEBUG
                                                           : PBK_LOG_OFF;
    pbk_status (*set_log)(pbk_client *, pbk_log_level, pbk_log_callback, void *);

    return level == PBK_LOG_OFF
        || (look_up(dlopen(library, RTLD_NOW), "pbk_client_set_log", &set_log, sizeof set_log)
            && set_log(client, level, take_line, bytes) == PBK_OK);
}

/* A search asks nothing of a ledger: there are no batches, because dead engines are left alone. */
static pbk_client *open_with_ledger(const char *library, const char *config, char **error)
{
    pbk_client *(*open)(const char *, pbk_ledger_callback, void *, char **, pbk_status *);

    return look_up(dlopen(library, RTLD_NOW), "pbk_client_open_with_ledger", &open, sizeof open)
        ? open(config, NULL, NULL, error, NULL) : NULL;
}

int main(int argc, char **argv)
{
    int is_booking = argc == 6 && strcmp(argv[3], "book") == 0, is_search = argc == 6 && strncmp(argv[3], "search", 6) == 0;
    int has_ledger = argc == 6 && strcmp(argv[3], "search:ledger") == 0;
    size_t bytes = 0;
    char config[512], *error = NULL;
    pbk_client *client;
    int fine;

    if ((!is_booking && !is_search) || atol(argv[4]) < 0 || atol(argv[4]) > MOST_CALLS || atol(argv[5]) < 0) {
        fprintf(stderr, "usage: %s LIBRARY BASE_URL search|search:off|search:info|search:debug|search:ledger|book CALLS PAUSE_US\n",
                argv[0]);
        return 2;
    }
    if (!load(argv[1]))
        return 1;
    snprintf(config, sizeof config, CONFIG, argv[2],
             strcmp(argv[3], "search:off") == 0 ? ",\"stats\":false" : has_ledger ? ",\"ledger_takes_over\":false" : "");
    client = has_ledger ? open_with_ledger(argv[1], config, &error) : pbk.open(config, &error, NULL);
    if (client == NULL) {
        fprintf(stderr, "pbk_client_open: %s\n", error == NULL ? "out of memory" : error);
        pbk.free(error);
        return 1;
    }
    fine = watch(argv[1], client, argv[3], &bytes) && make_calls(client, is_booking, atol(argv[4]), atol(argv[5]));
    if (pbk.close(client, 1000) != PBK_OK) {
        fprintf(stderr, "pbk_client_close did not return PBK_OK\n");
        fine = 0;
    }
    return fine ? 0 : 1;
}
