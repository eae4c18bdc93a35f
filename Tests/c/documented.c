/*
 * The pieces of C in README.md and docs/, in a program that runs them. Tests/python/test_docs.py
 * finds each piece here, line by line. The code around them is not on the pages. Programs that a
 * page shows whole are run by tests of their own.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "support.h"

static const char *last_said = "";

struct call {
    int replies, slow;
    pbk_status status;
    const char *bot_id, *idempotency_key;
};

static void say(struct call *call, const char *words)
{
    if (call != NULL)
        call->slow++;
    last_said = words;
}

static void on_reply(struct call *call, const pbk_completion *done)
{
    call->replies++;
    call->status = pbk_completion_status(done);
    check(pbk_completion_reply(done) != NULL, "a reply", "of a call", NULL);
}

static void on_refusal(struct call *call)
{
    (void)call;
    check(0, "accepted", "a call", NULL);
}

/* ---- docs/c.md: calls that wait ----------------------------------------------------------------------------------- */

static void offer(const char *reply) { check(strstr(reply, "\"start_at\"") != NULL, "searched", "a day", reply); }

static void report(pbk_status status, const char *reply) { check(0, "searched", pbk_status_text(status), reply); }

#define CLINIC "\"time_zone\":\"America/New_York\",\"now\":\"2030-01-14T08:00:00-05:00\"" /* no "now" in production */

static int calls_that_wait(void)
{
    char *error = NULL;
    pbk_client *client = pbk_client_open(
        "{\"endpoint\":\"sandbox\",\"sandbox\":{" CLINIC "}}", &error, NULL);
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

/* An unknown outcome: the reply of the first attempt is lost, and the repetition finds the booking. */
static char *book(pbk_client *client, const char *request, pbk_status *status)
{
    char *reply = pbk_create_booking(client, request, status);
    int repeats;

    for (repeats = 0; repeats < 2 && pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN; repeats++) {
        pbk_string_free(reply);
        reply = pbk_create_booking(client, request, status);
    }
    return reply;
}

/* A request from what was found and what the caller said. */
#define REQUEST \
    "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-1\",\"booking\":{\"start_at\":%s,\"duration_minutes\":%s," \
    "\"customer\":{\"phone\":\"+15551234567\",\"name\":%s}}}"
#define REQUEST_SIZE(start, name) (sizeof REQUEST + 16 + strlen(start) + strlen(name))

static char *request_for(const char *slots, const char *name)
{
    char *start_at = pbk_json_get(slots, "/offers/0/start_at");        /* NULL: no free slot */
    char *length = pbk_json_get(slots, "/offers/0/duration_minutes");  /* the appointment's, not the item's */
    char *start = pbk_json_quote(start_at), *quoted = pbk_json_quote(name), *request = NULL;

    if (start != NULL && quoted != NULL && length != NULL
        && (request = malloc(REQUEST_SIZE(start, quoted))) != NULL)
        sprintf(request, REQUEST, start, length, quoted);       /* REQUEST has %s, without quotes */
    pbk_string_free(length);
    pbk_string_free(start_at);
    pbk_string_free(start);
    pbk_string_free(quoted);
    return request;
}

static void reading_and_writing(void)
{
    static const char *const said = "Jo\",\"email\":\"x@y.example";
    pbk_client *client = open_client(SANDBOX);
    pbk_status status;
    const char *options = "{\"time_zone\":\"UTC\",\"now\":\"2030-01-14T08:00:00Z\",\"offers\":1}";
    char *found = pbk_search_availability(client, SEARCH, &status), *slots = pbk_slots(found, options, NULL);
    char *request = request_for(slots, said);
    char *reply = pbk_create_booking(client, request, &status), *name = pbk_json_get(reply, "/booking/customer/name");

    check(status == PBK_OK, "booked", request, reply);
    check(name != NULL && strcmp(name, said) == 0, "a name", "arrives as it was said", name);
    check(request_for("{\"offers\":[]}", said) == NULL, "no request", "without a slot", NULL);
    pbk_string_free(name);
    pbk_string_free(reply);
    pbk_string_free(found);
    pbk_string_free(slots);
    free(request);
    pbk_client_close(client, 1000);
}

#define LOSING \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{\"fault\":\"lose_reply\",\"calls\":[1]}]}}"

static void booking_in_doubt(void)
{
    pbk_client *client = open_client(LOSING);
    pbk_status status;
    char *reply = book(client, BOOKING, &status);

    check(status == PBK_OK, "a booking", "whose first reply was lost", reply);
    pbk_string_free(reply);
    pbk_client_close(client, 1000);
}

/* ---- README.md and docs/c.md: without waiting --------------------------------------------------------------------- */

#define SLOW "{\"endpoint\":\"sandbox\",\"slow_after_ms\":20,\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":200}}"

static void take_completions(pbk_client *client)
{
    pbk_completion *done;
    while ((done = pbk_next_completion(client, 0, NULL)) != NULL) {
        struct call *call = pbk_completion_context(done);
        if (pbk_completion_event(done) == PBK_EVENT_SLOW) say(call, "One moment, please.");
        if (pbk_completion_event(done) == PBK_EVENT_DONE) on_reply(call, done);
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

/* ---- docs/c.md: callbacks ------------------------------------------------------------------------------------------ */

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

/* ---- docs/c.md and docs/operations.md: what to say, and what to write down ------------------------------------------ */

static const char *answer_to(const pbk_completion *done)
{
    if (pbk_completion_status(done) == PBK_OK)
        return "You are booked.";
    if (pbk_completion_outcome(done) == PBK_OUTCOME_UNKNOWN)
        return "I am confirming that for you.";     /* and the engine submits it again, with the same key */
    switch (pbk_completion_status(done)) {
    case PBK_SLOT_UNAVAILABLE:
        return "Somebody was faster. Shall I look for another time?";
    case PBK_INVALID_FIELD:
        return "I did not quite get that. Could you say it again, please?";
    case PBK_TIMEOUT:
    case PBK_DNS_FAILED:
    case PBK_CONNECT_FAILED:
    case PBK_CONNECTION_LOST:
    case PBK_CIRCUIT_OPEN:
    case PBK_RATE_LIMITED:
    case PBK_SERVICE_FAILED:
        return "I cannot reach the calendar at the moment. May we call you back?";
    default:
        return "Let me put you through to a colleague.";
    }
}

static FILE *log_file;

/* A line of the library. pbk_client_set_log(client, PBK_LOG_INFO, write_line, log_file) */
static void write_line(void *file, pbk_log_level level, const char *line_json)
{
    (void)level;                                /* the line has it, too */
    fprintf(file, "%s\n", line_json);
}

/* The members of an error that go into the log: five texts, and other JSON. "reply" stays out: it
   may name the customer. */
static const char *const logged[] = {"code", "message", "source", "field", "request_id",
                                     "status", "attempts", "retry_after_ms", "curl_code",
                                     "doubt", "existing"};

static void log_error(const char *reply)
{
    size_t i;

    for (i = 0; i < sizeof logged / sizeof logged[0]; i++) {
        char pointer[64], *value, *quoted;

        snprintf(pointer, sizeof pointer, "/error/%s", logged[i]);
        value = pbk_json_get(reply, pointer);
        quoted = i < 5 ? pbk_json_quote(value) : NULL;
        if (value != NULL && strcmp(value, "null") != 0)
            fprintf(log_file, ",\"%s\":%s", logged[i], quoted != NULL ? quoted : value);
        pbk_string_free(value);
        pbk_string_free(quoted);
    }
}

/* One line of JSON for each call: what it was, how it ended, where its time went. The reply of a
   call that succeeded names the customer and stays out of it. */
static void log_call(const pbk_completion *done)
{
    const struct call *call = pbk_completion_context(done);     /* the engine's own */
    char *tag = pbk_json_quote(pbk_completion_tag(done)), *bot_id = pbk_json_quote(call->bot_id);
    char *key = pbk_json_quote(call->idempotency_key);

    fprintf(log_file, "{\"tag\":%s,\"bot_id\":%s,\"idempotency_key\":%s,\"operation\":%d,",
            tag == NULL ? "null" : tag, bot_id == NULL ? "null" : bot_id,
            key == NULL ? "null" : key, (int)pbk_completion_operation(done));
    fprintf(log_file, "\"pbk_status\":%d,\"outcome\":%d,\"timing\":%s",
            (int)pbk_completion_status(done), (int)pbk_completion_outcome(done),
            pbk_completion_timing(done));
    log_error(pbk_completion_reply(done));      /* writes nothing for a success */
    fputs("}\n", log_file);
    pbk_string_free(tag);
    pbk_string_free(bot_id);
    pbk_string_free(key);
}

static FILE *library_log;

static void answers(const char *config, const char *request, const char *words)
{
    pbk_client *client = open_client(config);
    struct call call = {.bot_id = "bot_1", .idempotency_key = "key-1"};
    pbk_completion *done;

    check(pbk_client_set_log(client, PBK_LOG_INFO, write_line, library_log) == PBK_OK, "set", "the log", NULL);
    pbk_submit(client, PBK_CREATE_BOOKING, request, NULL, NULL, NULL, &call);
    done = pbk_next_completion(client, 20000, NULL);
    check(strcmp(answer_to(done), words) == 0, words, "is the answer to", pbk_completion_reply(done));
    log_call(done);
    pbk_completion_free(done);
    pbk_client_close(client, 1000);
}

#define FAULT(fault) \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{" fault "}]}}"

static void what_to_say(void)
{
    const char *with_reply = "{\"error\":{\"code\":\"x\",\"message\":\"a \\\"reply\\\"\",\"field\":null,\"attempts\":1,"
                             "\"reply\":{\"name\":\"John\"},\"timing\":{}}}";
    char line[4096];
    int lines = 0;

    log_file = tmpfile();
    log_error(with_reply);
    rewind(log_file);
    check(fgets(line, sizeof line, log_file) != NULL, "logged", "an error", with_reply);
    check(strcmp(line, ",\"code\":\"x\",\"message\":\"a \\\"reply\\\"\",\"attempts\":1") == 0, "logged",
          "without what may name the customer", line);
    fclose(log_file);

    log_file = tmpfile();
    library_log = tmpfile();
    answers(SANDBOX, BOOKING_AND(",\"tag\":\"call-7\""), "You are booked.");
    /* Their time is over before the library asks again. */
    answers(LOSING, BOOKING_AND(",\"timeout_ms\":700"), "I am confirming that for you.");
    answers(FAULT("\"fault\":\"lose_request\""), BOOKING_AND(",\"timeout_ms\":700"), "I am confirming that for you.");
    answers(FAULT("\"fault\":\"error\",\"status\":429"), BOOKING,
            "I cannot reach the calendar at the moment. May we call you back?");
    answers(FAULT("\"fault\":\"error\",\"status\":401"), BOOKING, "Let me put you through to a colleague.");
    rewind(log_file);
    while (fgets(line, sizeof line, log_file) != NULL) {
        lines++;
        check(strstr(line, "\"timing\":{\"total_us\":") != NULL && strstr(line, "John") == NULL, "logged", "a call", line);
        check(strstr(line, "\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-1\",\"operation\":2") != NULL, "logged", "by bot", line);
        check((strstr(line, "\"code\":\"") == NULL) == (lines == 1), "logged", "the error of one that failed", line);
    }
    check(lines == 5, "logged", "all of them", NULL);
    fclose(log_file);

    rewind(library_log);
    for (lines = 0; fgets(line, sizeof line, library_log) != NULL;) {
        lines += strstr(line, "\"event\":\"call_ended\"") != NULL;
        check(strstr(line, "John") == NULL && strstr(line, "key-1") == NULL, "logged", "without what callers said", line);
    }
    check(lines == 4, "logged by the library", "the calls that failed", NULL);
    fclose(library_log);
}

/* ---- docs/c.md and docs/operations.md: after a restart --------------------------------------------------------------- */

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

    char *pending = pbk_pending_bookings(client, NULL);                    // after a restart: what nobody has heard the end of
    char *reply = pbk_create_booking(client, "{\"idempotency_key\":\"call-7-booking-1\",\"resume\":true}", &status);

    check(pending != NULL && strstr(pending, "call-7-booking-1") != NULL, "pending", "is the booking", pending);
    check(status == PBK_OK, "resumed", "is the booking", reply);
    pbk_string_free(pending);
    pbk_string_free(reply);
    pbk_client_close(client, 1000);
}

/* ---- docs/platform-webhook.md: a platform ---------------------------------------------------------------------------- */

static int answer(int status, const char *why)
{
    (void)why;
    return status;
}

static int from_the_environment(const char *header, const void *body, size_t body_length)
{
    const char *secret = getenv("WEBHOOK_SECRET");
    pbk_webhook_verdict verdict = pbk_webhook_verify(&secret, 1, header, body, body_length, 0, 0);
    if (verdict != PBK_WEBHOOK_VALID) return answer(401, pbk_webhook_verdict_text(verdict));
    return answer(200, "");
}

static void platform(void)
{
    char *signature = pbk_webhook_sign("whsec_1", "{}", 2, 0);

    setenv("WEBHOOK_SECRET", "whsec_1", 1);
    check(from_the_environment(signature, "{}", 2) == 200, "a webhook", "signed", signature);
    check(from_the_environment(NULL, "{}", 2) == 401, "a webhook", "not signed", NULL);
    pbk_string_free(signature);
}

int main(void)
{
    if (calls_that_wait() != 0)
        return 1;
    reading_and_writing();
    booking_in_doubt();
    without_waiting();
    callbacks();
    what_to_say();
    after_a_restart();
    platform();
    printf("documented: %d checks\n", checks);
    return 0;
}
