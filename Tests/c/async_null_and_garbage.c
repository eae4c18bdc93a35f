/*
 * Calls every function of the asynchronous half with NULL, with handles that are closed, garbage or foreign, with tickets
 * that were never given, and with requests that must be refused. Prints one line per check and ends with 1 at the first
 * wrong answer.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "support.h"

#define REQUEST_LIMIT 262144

static int called_back;

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    called_back++;
    pbk_completion_free(completion);
}

/* A call that must be refused, in every combination of outputs: no ticket, and an error that says why. */
static void check_refused(pbk_client *client, pbk_operation operation, const char *request, const char *input,
                          pbk_status due, const char *code)
{
    /* A client that is closed may have booked under the key. */
    const char *outcome = due == PBK_CLIENT_CLOSED ? "\"outcome\":\"unknown\"" : "\"outcome\":\"not_sent\"";
    pbk_ticket ticket = 7;
    char member[64], *error = (char *)"not touched";
    pbk_status status = pbk_submit(client, operation, request, &ticket, &error, NULL, NULL);

    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    check(status == due && ticket == 0 && error != NULL && strncmp(error, "{\"error\":{", 10) == 0
              && strstr(error, member) != NULL
              && (operation != PBK_CREATE_BOOKING || strstr(error, outcome) != NULL),
          "submit", input, error);
    pbk_string_free(error);

    ticket = 7;
    error = NULL;
    check(pbk_submit(client, operation, request, NULL, NULL, NULL, NULL) == due, "submit", input, "without outputs");
    check(pbk_submit(client, operation, request, &ticket, NULL, on_completion, NULL) == due && ticket == 0, "submit", input,
          "with a callback");
    check(pbk_submit(client, operation, request, NULL, &error, on_completion, &ticket) == due && error != NULL, "submit",
          input, "with a callback and a context");
    pbk_string_free(error);
}

static void check_both_refused(pbk_client *client, const char *search, const char *booking, const char *input,
                               pbk_status due, const char *code)
{
    check_refused(client, PBK_SEARCH_AVAILABILITY, search, input, due, code);
    check_refused(client, PBK_CREATE_BOOKING, booking, input, due, code);
}

/* A handle that is none: every function says `due`, and none waits. */
static void check_handle(pbk_client *handle, const char *input, pbk_status due, const char *code)
{
    static const int32_t timeouts[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
    pbk_status status;
    double begun = seconds();
    size_t i;

    check_both_refused(handle, SEARCH, BOOKING, input, due, code);
    check_both_refused(handle, NULL, NULL, input, due, code);   /* the handle is told first */
    check(pbk_cancel(handle, 0) == due, "cancel, ticket 0", input, code);
    check(pbk_cancel(handle, 1) == due, "cancel, ticket 1", input, code);
    check(pbk_cancel(handle, UINT64_MAX) == due, "cancel, the largest ticket", input, code);
    check(pbk_prewarm(handle) == due, "prewarm", input, code);
    check(pbk_client_fd(handle) == -1, "completion fd", input, "-1");
    for (i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        status = PBK_OK;
        check(pbk_next_completion(handle, timeouts[i], &status) == NULL && status == due, "next completion", input, code);
        check(pbk_next_completion(handle, timeouts[i], NULL) == NULL, "next completion", input, "without a status");
    }
    check(seconds() - begun < 10, "nothing waits", input, "at once");
}

static void handles(pbk_client *client, pbk_client *closed)
{
    int here = 0;
    void *heap = malloc(8);
    const struct { const char *name; pbk_client *handle; } garbage[] = {
        {"NULL", NULL}, {"1", (pbk_client *)(uintptr_t)1}, {"all ones", (pbk_client *)UINTPTR_MAX},
        {"the largest signed", (pbk_client *)(uintptr_t)INTPTR_MAX}, {"DEADBEEF", (pbk_client *)(uintptr_t)0xdeadbeef},
        {"the stack", (pbk_client *)(void *)&here}, {"the heap", heap},
        {"a string", (pbk_client *)(void *)(uintptr_t)SEARCH},
        {"beside a handle", (pbk_client *)((uintptr_t)client + 1)},
        {"the handle of a client to come", (pbk_client *)((uintptr_t)client + 160)},
    };
    size_t i;

    for (i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        check_handle(garbage[i].handle, garbage[i].name, PBK_INVALID_CLIENT, "invalid_client");
    free(heap);
    check_handle(closed, "a closed client", PBK_CLIENT_CLOSED, "client_closed");
}

static void completion_of_null(void)
{
    check(pbk_completion_event(NULL) == 0, "event", "NULL", "0");
    check(pbk_completion_ticket(NULL) == 0, "ticket", "NULL", "0");
    check(pbk_completion_context(NULL) == NULL, "context", "NULL", "NULL");
    check(pbk_completion_status(NULL) == PBK_INVALID_ARGUMENT, "status", "NULL", "invalid_argument");
    check(pbk_completion_reply(NULL) == NULL, "reply", "NULL", "NULL");
    check(pbk_completion_reply_length(NULL) == 0, "reply length", "NULL", "0");
    check(pbk_completion_tag(NULL) == NULL, "tag", "NULL", "NULL");
    check(pbk_completion_key(NULL) == NULL, "key", "NULL", "NULL");
    check(pbk_completion_timing(NULL) == NULL, "timing", "NULL", "NULL");
    pbk_completion_free(NULL);
    check(1, "free", "NULL", "still here");
}

static void requests(pbk_client *client)
{
    static const int operations[] = {0, -1, 5, 100, INT32_MAX, INT32_MIN};
    static const struct { const char *name, *member; } fields[] = {
        {"slow_after_ms of 0", ",\"slow_after_ms\":0"}, {"slow_after_ms beyond its range", ",\"slow_after_ms\":600001"},
        {"slow_after_ms that is text", ",\"slow_after_ms\":\"1\""}, {"timeout_ms that is a fraction", ",\"timeout_ms\":1.5"},
        {"a member twice", ",\"tag\":\"a\",\"tag\":\"b\""}, {"a tag that is a number", ",\"tag\":1"},
    };
    char *error = NULL, *text = malloc(REQUEST_LIMIT + 2), request[512];
    pbk_status status;
    size_t i;

    for (i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        status = pbk_submit(client, (pbk_operation)operations[i], SEARCH, NULL, &error, NULL, NULL);
        check(status == PBK_INVALID_ARGUMENT, "submit", "an unknown operation", error);
        pbk_string_free(error);
        check(pbk_submit(client, (pbk_operation)operations[i], NULL, NULL, NULL, NULL, NULL) == PBK_INVALID_ARGUMENT,
              "submit", "an unknown operation and NULL", "invalid_argument");
    }
    check_both_refused(client, NULL, NULL, "NULL", PBK_INVALID_ARGUMENT, "invalid_argument");
    check_both_refused(client, "", "", "an empty text", PBK_INVALID_JSON, "invalid_json");
    check_both_refused(client, "{\"bot_id\":\"\xff\"}", "{\"bot_id\":\"\xff\"}", "byte FF", PBK_INVALID_JSON,
                       "invalid_json");
    check_both_refused(client, "{}", "{}", "an empty object", PBK_INVALID_FIELD, "invalid_field");
    check_both_refused(client, BOOKING, SEARCH, "the other operation's request", PBK_INVALID_FIELD, "invalid_field");
    if (text == NULL)
        exit(1);
    memset(text, ' ', REQUEST_LIMIT + 1);
    memcpy(text, "{}", 2);
    text[REQUEST_LIMIT + 1] = '\0';
    check_both_refused(client, text, text, "262,145 bytes", PBK_INVALID_ARGUMENT, "invalid_argument");
    free(text);
    for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        snprintf(request, sizeof request, "%.*s%s}", (int)strlen(SEARCH) - 1, SEARCH, fields[i].member);
        check_refused(client, PBK_SEARCH_AVAILABILITY, request, fields[i].name, PBK_INVALID_FIELD, "invalid_field");
        snprintf(request, sizeof request, "%.*s%s}", (int)strlen(BOOKING) - 1, BOOKING, fields[i].member);
        check_refused(client, PBK_CREATE_BOOKING, request, fields[i].name, PBK_INVALID_FIELD, "invalid_field");
    }
    check_refused(client, PBK_CREATE_BOOKING, BOOKING_AND(",\"detach\":1"), "detach that is a number", PBK_INVALID_FIELD,
                  "invalid_field");
}

/* The completion of a good call: everything in it is right, also when the client is long gone. */
static void check_completion(pbk_completion *completion, pbk_ticket ticket, void *context)
{
    const char *reply = pbk_completion_reply(completion), *tag = pbk_completion_tag(completion);
    const char *timing = pbk_completion_timing(completion);

    check(pbk_completion_event(completion) == PBK_EVENT_DONE, "event", "a completion", "done");
    check(pbk_completion_status(completion) == PBK_OK, "status", "a completion", "ok");
    check(pbk_completion_ticket(completion) == ticket, "ticket", "a completion", "that of the submission");
    check(pbk_completion_context(completion) == context, "context", "a completion", "that of the submission");
    check(reply != NULL && strncmp(reply, "{\"availabilities\":[", 19) == 0, "reply", "a completion", reply);
    check(pbk_completion_reply_length(completion) == strlen(reply), "reply length", "a completion", "that of the reply");
    check(tag != NULL && strcmp(tag, "call-7") == 0, "tag", "a completion", tag);
    check(pbk_completion_key(completion) == NULL, "key", "a completion of a search", "NULL");
    check(timing != NULL && strstr(timing, "\"total_us\":") != NULL, "timing", "a completion", timing);
}

/* Tickets that were never given, and tickets of calls that are over. */
static void tickets(pbk_client *client)
{
    pbk_ticket ticket = 0;
    pbk_completion *completion;
    pbk_status status = PBK_OK;

    check(pbk_cancel(client, 0) == PBK_INVALID_ARGUMENT, "cancel", "ticket 0", "invalid_argument");
    check(pbk_cancel(client, UINT64_MAX) == PBK_INVALID_ARGUMENT, "cancel", "the largest ticket", "invalid_argument");
    check(pbk_cancel(client, UINT64_C(1) << 63) == PBK_INVALID_ARGUMENT, "cancel", "2^63", "invalid_argument");
    check(pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH_AND(",\"tag\":\"call-7\""), &ticket, NULL, NULL, &ticket)
              == PBK_OK && ticket != 0, "submit", "a search", "a ticket");
    check(pbk_cancel(client, ticket + 1) == PBK_INVALID_ARGUMENT, "cancel", "a ticket to come", "invalid_argument");
    completion = pbk_next_completion(client, INT32_MAX, &status);
    check(completion != NULL && status == PBK_OK, "next completion, INT32_MAX ms", "a search", "a completion");
    check_completion(completion, ticket, &ticket);
    pbk_completion_free(completion);
    check(pbk_cancel(client, ticket) == PBK_OK, "cancel", "a call that is over", "ok");
    check(pbk_cancel(client, ticket) == PBK_OK, "cancel, again", "a call that is over", "ok");
    check(pbk_next_completion(client, INT32_MIN, &status) == NULL && status == PBK_TIMEOUT,
          "next completion, INT32_MIN ms", "an empty queue", "timeout");
}

/* A completion that waits when its client is closed can be taken afterwards, once. */
static void leftovers(void)
{
    pbk_client *client = open_client(SANDBOX);
    pbk_completion *completion;
    pbk_ticket ticket = 0;
    pbk_status status = PBK_OK;
    struct pollfd readable = {pbk_client_fd(client), POLLIN, 0};

    check(readable.fd >= 0 && pbk_client_fd(client) == readable.fd, "completion fd", "twice", "the same");
    check(poll(&readable, 1, 0) == 0, "completion fd", "an empty queue", "not readable");
    check(pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH_AND(",\"tag\":\"call-7\""), &ticket, NULL, NULL, client)
              == PBK_OK, "submit", "a search", "ok");
    check(poll(&readable, 1, 10000) == 1, "completion fd", "a completion", "readable");
    check(pbk_client_close(client, 1000) == PBK_OK, "close", "a completion waits", "ok");
    check(pbk_client_fd(client) == -1, "completion fd", "closed, a completion waits", "-1");
    check(pbk_cancel(client, ticket) == PBK_CLIENT_CLOSED, "cancel", "closed, a completion waits", "client_closed");
    completion = pbk_next_completion(client, 0, &status);
    check(completion != NULL && status == PBK_OK, "next completion", "closed, a completion waits", "it");
    check(pbk_next_completion(client, INT32_MAX, &status) == NULL && status == PBK_CLIENT_CLOSED, "next completion",
          "closed, all were taken", "client_closed");
    check_completion(completion, ticket, client);
    pbk_completion_free(completion);
}

static void *wait_for_completion(void *client)
{
    pbk_status status = PBK_OK;

    return pbk_next_completion(client, INT32_MAX, &status) == NULL && status == PBK_CLIENT_CLOSED ? client : NULL;
}

/* Threads that wait for a completion when the client is closed are told so at once. */
static void closed_under_waiters(void)
{
    pbk_client *client = open_client(SANDBOX);
    pthread_t waiters[2];
    void *told;
    int i;

    for (i = 0; i < 2; i++)
        if (pthread_create(&waiters[i], NULL, wait_for_completion, client) != 0)
            exit(1);
    sleep_ms(100);
    check(pbk_client_close(client, 0) == PBK_OK, "close", "two threads wait for completions", "ok");
    for (i = 0; i < 2; i++)
        check(pthread_join(waiters[i], &told) == 0 && told == client, "next completion, INT32_MAX ms",
              "closed meanwhile", "client_closed");
}

int main(void)
{
    pbk_client *closed = open_client(SANDBOX), *client = open_client(SANDBOX);
    pbk_status status;

    check(pbk_client_close(closed, 0) == PBK_OK, "close", "a client", "ok");
    completion_of_null();
    handles(client, closed);
    requests(client);
    check(called_back == 0, "callback", "calls that were refused", "never called");
    check(pbk_next_completion(client, 0, &status) == NULL && status == PBK_TIMEOUT, "next completion",
          "calls that were refused", "none");
    tickets(client);
    check(pbk_prewarm(client) == PBK_OK, "prewarm", "a sandbox", "ok");
    check(pbk_client_close(client, 1000) == PBK_OK, "close", "a client with nothing to do", "ok");
    leftovers();
    closed_under_waiters();
    printf("%d checks\n", checks);
    return 0;
}
