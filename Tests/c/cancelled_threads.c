/*
 * Threads of the host are cancelled in the middle of every function that waits or takes a lock.
 * The client goes on, completions of others still come, and the client closes in time.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

#define CONFIG "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":2},\"journal_path\":\"%s\"," \
    "\"voice\":{\"time_zone\":\"America/New_York\",\"cache_ms\":0}}"
#define FIND "{\"tool\":\"find_appointment_slots\",\"call_id\":\"call-7\",\"bot_id\":\"bot_1\",\"arguments\":{\"when\":\"tomorrow\"}}"
#define ROUNDS 1500

static pbk_client *client, *spare;
static char config[512];

static void free_string(void *string) { pbk_string_free(string); }
static void free_completion(void *completion) { pbk_completion_free(completion); }

/* A cancellation that came meanwhile takes effect here. */
static void drop(char *string)
{
    pthread_cleanup_push(free_string, string);
    pthread_testcancel();
    pthread_cleanup_pop(1);
}

static void search(void) { drop(pbk_search_availability(client, SEARCH, NULL)); }
static void look_up(void) { drop(pbk_lookup_customer(client, "{\"bot_id\":\"b\",\"customer\":{\"phone\":\"+15551234567\"}}", NULL)); }
static void find(void) { drop(pbk_call_tool(client, FIND, NULL)); }
static void hang_up(void) { pbk_conversation_end(client, "{\"bot_id\":\"bot_1\",\"call_id\":\"call-7\"}", NULL); }
static void list(void) { drop(pbk_pending_bookings(client, NULL)); }
static void list_sandbox(void) { drop(pbk_sandbox_bookings(client, NULL)); }
static void key(void) { drop(pbk_random_key()); }
static void descriptor(void) { pbk_client_fd(client); }
static void prewarm(void) { pbk_prewarm(client); }

static void book(void)
{
    char request[512];

    snprintf(request, sizeof request, "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-%d\",\"booking\":{\"start_at\":"
             "\"2030-01-14T10:00:00Z\",\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"J\"}}}",
             rand() % 20);
    drop(pbk_create_booking(client, request, NULL));
}

static void submit_and_cancel(void)
{
    pbk_ticket ticket = 0;

    pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, &ticket, NULL, NULL, NULL);
    pbk_cancel(client, ticket);
}

static void take(void)
{
    pbk_completion *completion = pbk_next_completion(client, 20, NULL);

    pthread_cleanup_push(free_completion, completion);
    pthread_testcancel();
    pthread_cleanup_pop(1);
}

static void close_spare(void) { pbk_client_close(spare, 100); }

static void open_and_close(void)
{
    pbk_client *mine = pbk_client_open(SANDBOX, NULL, NULL);

    pbk_client_close(mine, 100);
}

static const struct { const char *name; void (*body)(void); } functions[] = {
    {"search", search}, {"book", book}, {"look up", look_up}, {"tool call", find},
    {"hang up", hang_up}, {"submit and cancel", submit_and_cancel},
    {"next completion", take}, {"pending", list}, {"sandbox bookings", list_sandbox}, {"random key", key},
    {"descriptor", descriptor}, {"prewarm", prewarm}, {"open and close", open_and_close},
};

static void *run(void *context)
{
    void (*body)(void) = *(void (**)(void))context;

    for (;;) {
        body();
        pthread_testcancel();
    }
    return NULL;
}

static void *run_once(void *context)
{
    (*(void (**)(void))context)();
    return NULL;
}

/* Whether the client still does all that it should. */
static void check_client(const char *after)
{
    pbk_status status = PBK_TIMEOUT;
    pbk_ticket ticket = 0;
    pbk_completion *completion;
    double begun = seconds();
    int found = 0;
    char *reply = pbk_search_availability(client, SEARCH_AND(",\"timeout_ms\":5000"), &status);

    check(status == PBK_OK, "a search works, cancelled before", after, reply);
    pbk_string_free(reply);
    while ((completion = pbk_next_completion(client, 0, NULL)) != NULL)
        pbk_completion_free(completion);
    check(pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, &ticket, NULL, NULL, NULL) == PBK_OK, "submit", after, "");
    while (!found && seconds() < begun + 10) {
        completion = pbk_next_completion(client, 1000, NULL);
        found = completion != NULL && pbk_completion_ticket(completion) == ticket;
        pbk_completion_free(completion);
    }
    check(found, "its completion comes", after, "");
}

int main(void)
{
    char folder[] = "/tmp/pbk-cancel-XXXXXX", path[128];
    unsigned seed = (unsigned)getpid(), number;
    double begun;
    int round;

    check(mkdtemp(folder) != NULL, "folder", folder, "");
    snprintf(path, sizeof path, "%s/journal", folder);
    snprintf(config, sizeof config, CONFIG, path);
    client = open_client(config);
    srand(seed);
    for (number = 0; number < sizeof functions / sizeof *functions; number++) {
        for (round = 0; round < ROUNDS / 10; round++) {
            pthread_t threads[2];
            void (*body)(void) = functions[number].body;
            int i;

            for (i = 0; i < 2; i++)
                pthread_create(&threads[i], NULL, run, &body);
            usleep((useconds_t)(rand() % 3000));
            for (i = 0; i < 2; i++) {
                pthread_cancel(threads[i]);
                pthread_join(threads[i], NULL);
            }
        }
        check_client(functions[number].name);
    }
    for (round = 0; round < 50; round++) {
        void (*body)(void) = close_spare;
        pthread_t thread;

        spare = open_client(SANDBOX);
        pbk_submit(spare, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, NULL);
        pthread_create(&thread, NULL, run_once, &body);
        usleep((useconds_t)(rand() % 500));
        pthread_cancel(thread);
        pthread_join(thread, NULL);
        check(pbk_client_close(spare, 1000) == PBK_CLIENT_CLOSED, "closed by the thread that was cancelled", "close", "");
    }
    check_client("close");
    begun = seconds();
    check(pbk_client_close(client, 5000) == PBK_OK && seconds() < begun + 5, "the client closes", "seed", "");
    unlink(path);
    rmdir(folder);
    printf("%d checks, none went wrong\n", checks);
    return 0;
}
