/*
 * Sixteen threads make 10,000 calls on one client of the sandbox. Every call has a half hour of its own: a search must
 * find that one slot and no other, a booking must come back with its own start. Anything else means that a caller was
 * handed somebody else's reply.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

#define THREADS 16
#define CALLS 625
#define SLOT_SECONDS (30 * 60)

/* Open day and night, so that 10,000 half hours follow one another: 209 days. */
#define HOURS "[\"00:00-24:00\"]"
#define CONFIG \
    "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-13T12:00:00Z\",\"days\":366,\"opening_hours\":{" \
    "\"monday\":" HOURS ",\"tuesday\":" HOURS ",\"wednesday\":" HOURS ",\"thursday\":" HOURS ",\"friday\":" HOURS "," \
    "\"saturday\":" HOURS ",\"sunday\":" HOURS "}}}"
#define FIRST_SLOT 1894579200L  /* 2030-01-14T00:00:00Z */

struct caller {
    pthread_t thread;
    pbk_client *client;
    int number;
    int failures;
};

static void format_time(long seconds, char *text, size_t size)
{
    time_t moment = (time_t)seconds;
    struct tm parts;

    gmtime_r(&moment, &parts);
    strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static int occurrences(const char *text, const char *of)
{
    int count = 0;

    while ((text = strstr(text, of)) != NULL) {
        text += strlen(of);
        count++;
    }
    return count;
}

/* One search or one booking of the half hour with this number. Returns 1 if the reply was this call's own. */
static int call(pbk_client *client, int number)
{
    char start[32], end[32], own[64], request[512];
    pbk_status status;
    char *reply;
    int searching = number % 2 == 0, right;

    format_time(FIRST_SLOT + (long)number * SLOT_SECONDS, start, sizeof start);
    format_time(FIRST_SLOT + (long)(number + 1) * SLOT_SECONDS, end, sizeof end);
    snprintf(own, sizeof own, "\"start_at\":\"%s\"", start);
    if (searching) {
        snprintf(request, sizeof request,
                 "{\"bot_id\":\"bot_1\",\"query\":{\"filter\":{\"start_at_range\":{%s,\"end_at\":\"%s\"}}}}", own, end);
        reply = pbk_search_availability(client, request, &status);
    } else {
        snprintf(request, sizeof request,
                 "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-%d\",\"booking\":{%s,\"duration_minutes\":30,"
                 "\"customer\":{\"phone\":\"+1555%07d\",\"name\":\"Caller %d\"}}}", number, own, number, number);
        reply = pbk_create_booking(client, request, &status);
    }
    right = status == PBK_OK && reply != NULL && strstr(reply, own) != NULL && occurrences(reply, "\"start_at\"") == 1;
    if (!right)
        fprintf(stderr, "call %d for %s: status %d: %.300s\n", number, start, (int)status, reply == NULL ? "" : reply);
    pbk_string_free(reply);
    return right;
}

static void *run(void *context)
{
    struct caller *caller = context;
    int i;

    for (i = 0; i < CALLS; i++)
        if (!call(caller->client, i * THREADS + caller->number))
            caller->failures++;
    return NULL;
}

int main(void)
{
    struct caller callers[THREADS];
    char *error = NULL;
    pbk_client *client = pbk_client_open(CONFIG, &error, NULL);
    int i, started = 0, failures = 0;

    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    for (i = 0; i < THREADS; i++) {
        callers[i].client = client;
        callers[i].number = i;
        callers[i].failures = 0;
        if (pthread_create(&callers[i].thread, NULL, run, &callers[i]) != 0)
            break;
        started++;
    }
    for (i = 0; i < started; i++) {
        pthread_join(callers[i].thread, NULL);
        failures += callers[i].failures;
    }
    if (pbk_client_close(client, 1000) != PBK_OK || started != THREADS)
        failures++;
    printf("%d calls from %d threads, %d went wrong\n", started * CALLS, started, failures);
    return failures == 0 ? 0 : 1;
}
