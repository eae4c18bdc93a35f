/*
 * The pieces of C in README.md and docs/, in a program that runs them. Tests/python/test_docs.py
 * finds each piece here or in documented_logs.c, line by line. The code around them is not on the
 * pages. Programs that a page shows whole are run by tests of their own.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "support.h"

static const char *last_said = "";

struct call {
    int replies, slow, repeats, has_hung_up;
    pbk_status status;
    pbk_client *client;
    pbk_ticket booking;
    const char *id, *caller;
    char request[1024];
};

static void say(struct call *call, const char *words)
{
    if (call != NULL)
        call->slow++;
    last_said = words;
}

static void on_refusal(const struct call *call)
{
    (void)call;
    check(0, "accepted", "a call", NULL);
}

/* ---- docs/c.md: calls that wait -------------------------------------------------------------- */

static void offer(const char *reply) { check(strstr(reply, "\"start_at\"") != NULL, "searched", "a day", reply); }

static void report(pbk_status status, const char *reply) { check(0, "searched", pbk_status_text(status), reply); }

static int calls_that_wait(const char *config)
{
    char *error = NULL;
    pbk_client *client = pbk_client_open(config, &error, NULL);
    if (client == NULL) {
        fprintf(stderr, "%s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }

    const char *request = SEARCH;

    pbk_status status;
    char *reply = pbk_search_availability(client, request, &status);
    if (status == PBK_OK)
        offer(reply);
    else
        report(status, reply);
    pbk_string_free(reply);

    request = "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\","
        "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}";
    char *key = pbk_booking_key("call-7", request, &error, &status);
    if (key == NULL)
        report(status, error);
    char *same_key = pbk_booking_key("call-7", request, NULL, NULL);
    check(status == PBK_OK && same_key != NULL && strcmp(key, same_key) == 0, "a key", "twice", same_key);
    pbk_string_free(same_key);
    pbk_string_free(key);

    switch (pbk_client_close(client, 5000)) {
    case PBK_OK: break;                                     /* every call had come to its end */
    case PBK_TIMEOUT: puts("some calls were ended"); break; /* each of them has been told so */
    default: puts("it was closed already");
    }
    return 0;
}

#define LOSING \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{\"fault\":\"lose_reply\",\"calls\":[1]}]}}"

/* ---- docs/c.md: what to say ------------------------------------------------------------------ */

static const char *answer_to(const char *reply)     /* of a function, a completion or a refused pbk_submit */
{
    pbk_status status = pbk_reply_status(reply);

    if (status == PBK_OK)
        return "You are booked.";
    if (status == PBK_IDEMPOTENCY_KEY_REUSED)
        return "You have an appointment already. One moment.";      /* resume the key */
    if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN)
        return "I am confirming that for you.";                     /* repeat the request */
    switch (status) {                                               /* nothing was booked */
    case PBK_CANCELLED:
        return "";                                                  /* the caller speaks */
    case PBK_SLOT_UNAVAILABLE:
    case PBK_NOT_CONFIRMED:
    case PBK_NOT_RECORDED:
        return "That time is not free. Shall I look for another one?";
    case PBK_INVALID_FIELD:
        return "I did not quite get that. Could you say it again, please?";
    default:
        return pbk_reply_retryable(reply) ? "I cannot reach the calendar. May we call you back?"
                                          : "Let me put you through to a colleague.";
    }
}

/* ---- docs/c.md: a booking without waiting ---------------------------------------------------- */

#define BOOKING_REQUEST \
    "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"%s\",\"detach\":true,\"tag\":%s,\"conversation\":%s," \
    "\"booking\":{\"start_at\":\"%s\",\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":%s}}}"

static void booking_refused(struct call *call, const char *error) { check(0, "accepted", call->id, error); }

static int write_booking(struct call *call, const char *key, const char *start_at)
{
    char *id = pbk_json_quote(call->id), *name = pbk_json_quote(call->caller);  /* "Jo", with its quotes */
    int length = snprintf(call->request, sizeof call->request, BOOKING_REQUEST, key, id, id, start_at, name);

    pbk_string_free(id);
    pbk_string_free(name);
    return length < (int)sizeof call->request;
}

static void submit_booking(struct call *call)
{
    char *error = NULL;

    if (pbk_submit(call->client, PBK_CREATE_BOOKING, call->request, &call->booking, &error, NULL, call) != PBK_OK)
        booking_refused(call, error);       /* no completion will follow; its outcome counts */
    pbk_string_free(error);
}

static void start_booking(struct call *call, const char *start_at)
{
    char *key = NULL;

    if (write_booking(call, "", start_at))
        key = pbk_booking_key(call->id, call->request, NULL, NULL);     /* the same for the same wish */
    if (key != NULL && write_booking(call, key, start_at))
        submit_booking(call);
    pbk_string_free(key);
}

static void resume(struct call *call, const char *reply)
{
    check(0, "one booking", call->id, reply);
}

static void booking_ended(struct call *call, const char *reply)
{
    if (!call->has_hung_up)
        say(call, answer_to(reply));
    if (pbk_reply_status(reply) == PBK_IDEMPOTENCY_KEY_REUSED)
        resume(call, reply);
    else if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN && call->repeats++ < 2)
        submit_booking(call);               /* the same request: the same key */
}

static void on_reply(struct call *call, const pbk_completion *done)
{
    call->replies++;
    call->status = pbk_completion_status(done);
    if (pbk_completion_operation(done) == PBK_CREATE_BOOKING)
        booking_ended(call, pbk_completion_reply(done));    /* NULL: memory was out, the outcome is unknown */
}

/* ---- docs/c.md: the end of a booking after a hang-up ----------------------------------------- */

static char made_later[64], not_made[64];

static void tell_customer(const char *call_id, const char *key, const char *reply)
{
    check(strcmp(key, "key-1") == 0, "settled", "a booking", reply);
    snprintf(made_later, sizeof made_later, "%s", call_id);
}

static void call_back(const char *call_id, const char *key)
{
    check(strcmp(key, "key-1") == 0, "settled", "a refusal", key);
    snprintf(not_made, sizeof not_made, "%s", call_id);
}

static void on_settled(const pbk_completion *done)
{
    const char *call_id = pbk_completion_tag(done), *key = pbk_completion_key(done);    /* tag: NULL after a restart */

    if (pbk_completion_status(done) == PBK_OK)
        tell_customer(call_id, key, pbk_completion_reply(done));    /* made: the reply has its start */
    else
        call_back(call_id, key);            /* not made: "rejected" or "not_sent" */
}
/* ---- README.md and docs/c.md: without waiting ------------------------------------------------ */

#define SLOW "{\"endpoint\":\"sandbox\",\"slow_after_ms\":20,\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":200}}"

static void take_completions(pbk_client *client)
{
    pbk_completion *done;
    while ((done = pbk_next_completion(client, 0, NULL)) != NULL) {
        struct call *call = pbk_completion_context(done);
        if (pbk_completion_event(done) == PBK_EVENT_SLOW) say(call, "One moment, please.");
        if (pbk_completion_event(done) == PBK_EVENT_DONE) on_reply(call, done);
        if (pbk_completion_event(done) == PBK_EVENT_SETTLED) on_settled(done);
        pbk_completion_free(done);
    }
}

static void without_waiting(void)
{
    pbk_client *client = open_client(SLOW);
    const char *request = SEARCH;
    struct call one = {0}, *call = &one;

    pbk_ticket search;                                      // `call`: a pointer of yours
    if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, &search, NULL, NULL, call) != PBK_OK)
        on_refusal(call);                                   // no completion will follow

    struct pollfd descriptors[] = {{pbk_client_fd(client), POLLIN, 0}};     /* and those of your engine */
    while (call->replies == 0 && poll(descriptors, 1, -1) >= 0)
        take_completions(client);
    check(call->slow == 1 && call->status == PBK_OK, "a search", "without waiting", last_said);

    pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, &search, NULL, NULL, call);
    pbk_cancel(client, search);                             // the caller speaks
    while (call->replies == 1 && poll(descriptors, 1, -1) >= 0)
        take_completions(client);
    check(call->status == PBK_CANCELLED, "a search", "that the caller interrupts", pbk_status_text(call->status));
    pbk_client_close(client, 1000);
}

static void booking_without_waiting(void)
{
    pbk_client *client = open_client(LOSING);
    struct call call = {.client = client, .id = "call \"7\"", .caller = "Jo\",\"email\":\"x@y.example"};
    struct pollfd descriptors[] = {{pbk_client_fd(client), POLLIN, 0}};

    start_booking(&call, "2030-01-14T10:00:00Z");
    pbk_cancel(client, call.booking);       /* it is detached: this does not end it */
    while (call.status != PBK_OK || call.replies == 0) {
        check(poll(descriptors, 1, 20000) > 0, "a completion", "of a booking", NULL);
        take_completions(client);
    }
    check(strcmp(last_said, "You are booked.") == 0, "booked", "without waiting", last_said);
    pbk_client_close(client, 1000);
}

#define REPORTING(fault) \
    "{\"endpoint\":\"sandbox\",\"report_settled\":true,\"platform_keys\":\"first\",\"platform_limit_ms\":1000," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":300,\"faults\":[" fault "]}}"

static int in_flight(pbk_client *client)
{
    char *stats = pbk_stats(client, NULL), *count = pbk_json_get(stats, "/in_flight");
    int calls = count == NULL ? 0 : atoi(count);

    pbk_string_free(count);
    pbk_string_free(stats);
    return calls;
}

/* The caller hangs up, and the booking is not detached: its answer is reported. */
static void hang_up(const char *config, const char *told)
{
    pbk_client *client = open_client(config);
    struct call call = {.client = client, .id = "call-7", .has_hung_up = 1, .repeats = 2};
    struct pollfd descriptors[] = {{pbk_client_fd(client), POLLIN, 0}};

    snprintf(call.request, sizeof call.request, "%s", BOOKING_AND(",\"tag\":\"call-7\""));
    submit_booking(&call);
    while (in_flight(client) == 0)
        sleep_ms(1);
    pbk_cancel(client, call.booking);
    while (*told == '\0') {
        check(poll(descriptors, 1, 20000) > 0, "a report", "after a hang-up", NULL);
        take_completions(client);
    }
    check(call.status == PBK_CANCELLED && strcmp(told, "call-7") == 0, "told", "after a hang-up", told);
    pbk_client_close(client, 1000);
}

/* ---- docs/c.md: callbacks -------------------------------------------------------------------- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static pbk_completion *posted;

static void post_to_engine(void *context, pbk_completion *completion)
{
    pthread_mutex_lock(&mutex);
    (void)context;
    posted = completion;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&mutex);
}

static void on_completion(void *context, pbk_completion *completion)
{
    post_to_engine(context, completion);    /* your engine's own queue; the engine frees the completion */
}

static void callbacks(void)
{
    pbk_client *client = open_client(SANDBOX);
    const char *request = SEARCH;
    struct call one = {0}, *call = &one;

    char *error;
    if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, NULL, &error, on_completion, call) != PBK_OK) {
        puts(error == NULL ? "out of memory" : error);      /* refused: there will be no completion */
        pbk_string_free(error);
    }

    pthread_mutex_lock(&mutex);
    while (posted == NULL)
        pthread_cond_wait(&told, &mutex);
    pthread_mutex_unlock(&mutex);
    check(pbk_completion_context(posted) == call, "a callback", "hands on", pbk_completion_reply(posted));
    pbk_completion_free(posted);
    pbk_client_close(client, 1000);
}

/* ---- docs/c.md: what to say, tried ----------------------------------------------------------- */

#define FAULT(fault) \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{" fault "}]}}"

static void answers(const char *config, const char *request, const char *words)
{
    pbk_client *client = open_client(config);
    char *reply = pbk_create_booking(client, request, NULL);

    check(strcmp(answer_to(reply), words) == 0, words, "is the answer to", reply);
    pbk_string_free(reply);
    pbk_client_close(client, 1000);
}

static void what_to_say(void)
{
    answers(SANDBOX, BOOKING, "You are booked.");
    /* Its time is over before the library asks again. */
    answers(LOSING, BOOKING_AND(",\"timeout_ms\":700"), "I am confirming that for you.");
    answers(FAULT("\"fault\":\"error\",\"status\":429"), BOOKING, "I cannot reach the calendar. May we call you back?");
    answers(FAULT("\"fault\":\"error\",\"status\":401"), BOOKING, "Let me put you through to a colleague.");
    answers(FAULT("\"fault\":\"error\",\"status\":409,\"code\":\"slot_taken\""), BOOKING,
            "That time is not free. Shall I look for another one?");
    answers(SANDBOX, "{\"bot_id\":7}", "I did not quite get that. Could you say it again, please?");
    check(strcmp(answer_to(NULL), "I am confirming that for you.") == 0, "out of memory", "is unknown", NULL);
}

/* ---- docs/c.md and docs/operations.md: after a restart --------------------------------------- */

static void after_a_restart(void)
{
    pbk_client *client = open_client(LOSING);
    pbk_status status;
    char *first = pbk_create_booking(client,
        "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"call-7-booking-1\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\","
        "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}},\"timeout_ms\":700}",
        &status);

    check(status == PBK_IN_DOUBT, "a booking", "in doubt", first);
    pbk_string_free(first);

    char *pending = pbk_pending_bookings(client, NULL);
    char *reply = pbk_create_booking(client, "{\"idempotency_key\":\"call-7-booking-1\",\"resume\":true}", &status);

    check(pending != NULL && strstr(pending, "call-7-booking-1") != NULL, "pending", "is the booking", pending);
    check(status == PBK_OK, "resumed", "is the booking", reply);
    pbk_string_free(pending);
    pbk_string_free(reply);
    pbk_client_close(client, 1000);
}

int main(void)
{
    if (calls_that_wait(SANDBOX) != 0)
        return 1;
    without_waiting();
    booking_without_waiting();
    hang_up(REPORTING(""), made_later);
    hang_up(REPORTING("{\"fault\":\"error\",\"status\":422}"), not_made);
    callbacks();
    what_to_say();
    after_a_restart();
    printf("documented: %d checks\n", checks);
    return 0;
}
