/*
 * pbk_stats and pbk_client_set_log: what a host's thread, a callback and the log's own receiver may
 * do with them; that no line holds what must not be in a log; and that a receiver from before is
 * never called again. Prints one line per check and ends with 1 at the first wrong answer.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "support.h"

#define KEY "sk_ptnr_observed0123456789abcdef"
#define FAULTS ",\"faults\":[{\"fault\":\"error\",\"status\":503,\"operation\":\"search_availability\",\"calls\":[1]},{\"fault\":\"lose_reply\",\"operation\":" \
    "\"create_booking\",\"calls\":[1]}]"
#define CONFIG "{\"endpoint\":\"sandbox\",\"api_key\":\"" KEY "\",\"voice\":{\"time_zone\":\"America/New_York\"}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"" FAULTS "}}"
#define FIND "{\"tool\":\"find_appointment_slots\",\"call_id\":\"call-7\",\"bot_id\":\"bot_1\"," \
    "\"arguments\":{\"when\":\"tomorrow for Ottilie\"}}"

struct log {
    pthread_mutex_t mutex;
    pthread_t thread;
    int lines, threads, is_over, after;
    char text[1 << 18];
    size_t used;
    pbk_client *client;
};

static void take_line(void *context, pbk_log_level level, const char *line)
{
    struct log *log = context;
    size_t length = strlen(line);

    pthread_mutex_lock(&log->mutex);
    log->after += log->is_over;
    if (log->lines == 0 || !pthread_equal(log->thread, pthread_self()))
        log->threads++;
    log->thread = pthread_self();
    log->lines++;
    if (level < PBK_LOG_ERROR || level > PBK_LOG_DEBUG || line[0] != '{' || line[length - 1] != '}')
        abort();
    if (log->used + length + 2 < sizeof log->text) {
        memcpy(log->text + log->used, line, length);
        log->used += length;
        log->text[log->used++] = '\n';
    }
    pthread_mutex_unlock(&log->mutex);
}

/* The number at a pointer of pbk_stats. */
static long number(pbk_client *client, const char *pointer)
{
    char *stats = pbk_stats(client, NULL), *value = pbk_json_get(stats, pointer);
    long found = value == NULL ? -1 : strtol(value, NULL, 10);

    pbk_string_free(value);
    pbk_string_free(stats);
    return found;
}

static void check_lines(void)
{
    static struct log log = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    static const char *const forbidden[] = {KEY, "key-1", "John Doe", "15551234567", "Ottilie", "sk_ptnr"};
    static const char *const due[] = {
        "\"event\":\"attempt_ended\"", "\"event\":\"retry\"", "\"event\":\"call_ended\"", "\"event\":\"call_refused\"",
        "\"tag\":\"call-7\"", "\"operation\":\"call_tool\"", "\"status\":\"invalid_field\"", "\"result\":\"http_5xx\""};
    pbk_client *client = open_client(CONFIG);
    size_t i;

    check(pbk_client_set_log(client, PBK_LOG_DEBUG, take_line, &log) == PBK_OK, "set_log", "debug", "ok");
    pbk_string_free(pbk_search_availability(client, SEARCH_AND(",\"tag\":\"call-7\""), NULL));
    pbk_string_free(pbk_create_booking(client, BOOKING_AND(",\"timeout_ms\":3000"), NULL));
    pbk_string_free(pbk_create_booking(client, "{\"bot_id\":\"bot_1\",\"booking\":{\"start_at\":\"John Doe\"}}", NULL));
    pbk_string_free(pbk_call_tool(client, FIND, NULL));
    check(number(client, "/calls/0/count") >= 1, "stats", "calls", "counted");
    check(number(client, "/retries") >= 1, "stats", "retries", "counted");
    check(number(client, "/log_lines_dropped") == 0, "stats", "log_lines_dropped", "none");
    check(pbk_client_close(client, 5000) == PBK_OK, "close", "with a log", "ok");
    log.is_over = 1;
    log.text[log.used] = '\0';
    check(log.threads == 1, "the receiver runs on one thread", "debug", "one");
    for (i = 0; i < sizeof due / sizeof due[0]; i++)
        check(strstr(log.text, due[i]) != NULL, "a line has", due[i], log.text);
    for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        check(strstr(log.text, forbidden[i]) == NULL, "no line has", forbidden[i], "none");
    check(log.after == 0, "lines after the close", "none", "none");
}

/* ---- A receiver that calls the library --------------------------------------------------------------------------- */

static void call_everything(void *context, pbk_log_level level, const char *line)
{
    struct log *log = context;
    pbk_status status;

    (void)level;
    (void)line;
    pbk_string_free(pbk_stats(log->client, NULL));
    pbk_conversation_end(log->client, "{\"bot_id\":\"bot_1\",\"call_id\":\"call-9\"}", NULL);
    pbk_string_free(pbk_search_availability(log->client, SEARCH, &status));
    if (status != PBK_WOULD_DEADLOCK && status != PBK_CLIENT_CLOSED)
        abort();
    log->lines++;
    if (log->lines == 5)
        pbk_client_set_log(log->client, PBK_LOG_INFO, call_everything, log);
}

static void check_calls_of_the_receiver(void)
{
    static struct log log;
    pbk_client *client = open_client(CONFIG);
    int i;

    log.client = client;
    pbk_client_set_log(client, PBK_LOG_DEBUG, call_everything, &log);
    for (i = 0; i < 5; i++) {
        pbk_string_free(pbk_call_tool(client, FIND, NULL));
        pbk_string_free(pbk_call_tool(client, "{\"tool\":7}", NULL));
    }
    check(pbk_client_close(client, 5000) == PBK_OK && log.lines > 5, "a receiver that calls the library", "debug", "no deadlock");
}

/* A receiver that sets another client's log: two of them would wait for each other. */
static void set_the_other(void *context, pbk_log_level level, const char *line)
{
    struct log *log = context;

    (void)level;
    (void)line;
    log->after = pbk_client_set_log(log->client, PBK_LOG_OFF, NULL, NULL);
    log->lines++;
}

static void check_two_clients(void)
{
    static struct log logs[2];
    pbk_client *clients[2] = {open_client(SANDBOX), open_client(SANDBOX)};
    int i;

    for (i = 0; i < 2; i++) {
        logs[i].client = clients[1 - i];
        pbk_client_set_log(clients[i], PBK_LOG_DEBUG, set_the_other, &logs[i]);
    }
    for (i = 0; i < 2; i++)
        pbk_string_free(pbk_search_availability(clients[i], SEARCH, NULL));
    for (i = 0; i < 2; i++)
        check(pbk_client_close(clients[i], 5000) == PBK_OK, "close", "receivers that set each other's log", "ok");
    check(logs[0].lines > 0 && logs[0].after == PBK_WOULD_DEADLOCK, "set_log", "callback of another client", "refused");
}

/* ---- What was refused -------------------------------------------------------------------------------------------- */

/* Calls that wait in vain, one that finds no room, and one that is wrong. */
static void check_refusals(void)
{
    pbk_client *client = open_client("{\"endpoint\":\"sandbox\",\"max_in_flight\":1,\"max_queued\":2,"
                                     "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":3000}}");
    pbk_status status;
    int i;

    pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, NULL);
    for (i = 0; i < 2; i++)
        pbk_submit(client, PBK_CREATE_BOOKING, BOOKING_AND(",\"timeout_ms\":50"), NULL, NULL, NULL, NULL);
    pbk_string_free(pbk_create_booking(client, BOOKING, &status));
    check(status == PBK_QUEUE_FULL, "a booking", "no room", pbk_status_text(status));
    check(number(client, "/booking_outcomes/0/count") == 1, "stats", "its outcome", "counted");
    pbk_completion_free(pbk_next_completion(client, 5000, NULL));
    pbk_completion_free(pbk_next_completion(client, 5000, NULL));
    for (i = 0; i < 200 && number(client, "/queued") != 0; i++)
        sleep_ms(10);
    check(number(client, "/queued") == 0, "stats", "calls that have ended are not queued", "0");
    check(number(client, "/in_flight") == 1, "stats", "in_flight", "1");
    pbk_client_close(client, 0);
}

/* ---- Switching while it runs ------------------------------------------------------------------------------------- */

static volatile int is_done;

static void *search_on(void *context)
{
    while (!is_done) {
        pbk_string_free(pbk_search_availability(context, SEARCH, NULL));
        pbk_string_free(pbk_search_availability(context, "{}", NULL));
    }
    return NULL;
}

static void check_switching(void)
{
    static struct log logs[2] = {{.mutex = PTHREAD_MUTEX_INITIALIZER}, {.mutex = PTHREAD_MUTEX_INITIALIZER}};
    pbk_client *client = open_client(SANDBOX);
    pthread_t threads[2];
    int i;

    for (i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, search_on, client);
    for (i = 0; i < 400; i++) {
        struct log *log = &logs[i % 2], *before = &logs[(i + 1) % 2];

        pthread_mutex_lock(&log->mutex);
        log->is_over = 0;
        pthread_mutex_unlock(&log->mutex);
        pbk_client_set_log(client, i % 5 == 4 ? PBK_LOG_OFF : PBK_LOG_DEBUG, take_line, log);
        pthread_mutex_lock(&before->mutex);
        before->is_over = 1;
        pthread_mutex_unlock(&before->mutex);
        sleep_ms(1);
    }
    is_done = 1;
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    check(logs[0].lines > 0 && logs[1].lines > 0, "switching", "both receivers", "had lines");
    check(logs[0].after == 0 && logs[1].after == 0, "a receiver from before", "is not called", "never");
    check(pbk_client_close(client, 0) == PBK_OK, "close", "after switching", "ok");
}

static void check_misuse(void)
{
    pbk_client *client = open_client(SANDBOX);
    pbk_status status;

    check(pbk_client_set_log(client, PBK_LOG_INFO, NULL, NULL) == PBK_INVALID_ARGUMENT, "set_log", "no callback", "refused");
    check(pbk_client_set_log(client, (pbk_log_level)9, take_line, NULL) == PBK_INVALID_ARGUMENT, "set_log", "level 9", "refused");
    check(pbk_client_set_log(client, PBK_LOG_OFF, NULL, NULL) == PBK_OK, "set_log", "off", "ok");
    check(pbk_client_set_log(NULL, PBK_LOG_OFF, NULL, NULL) == PBK_INVALID_CLIENT, "set_log", "NULL", "refused");
    pbk_client_close(client, 0);
    check(pbk_client_set_log(client, PBK_LOG_OFF, NULL, NULL) == PBK_CLIENT_CLOSED, "set_log", "closed", "refused");
    pbk_string_free(pbk_stats(client, &status));
    check(status == PBK_CLIENT_CLOSED, "stats", "closed", "refused");
    pbk_string_free(pbk_stats(NULL, &status));
    check(status == PBK_INVALID_CLIENT, "stats", "NULL", "refused");
    pbk_string_free(pbk_stats(NULL, NULL));
}

static void check_operations(void)
{
    static const struct { pbk_operation operation; const char *request; } calls[] = {
        {PBK_SEARCH_AVAILABILITY, SEARCH}, {PBK_CREATE_BOOKING, BOOKING}, {PBK_CALL_TOOL, FIND},
        {PBK_LOOKUP_CUSTOMER, "{\"bot_id\":\"bot_1\",\"customer\":{\"phone\":\"+15551234567\"}}"}};
    pbk_client *client = open_client(CONFIG);
    size_t i;

    for (i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        pbk_completion *done;

        check(pbk_submit(client, calls[i].operation, calls[i].request, NULL, NULL, NULL, NULL) == PBK_OK, "submit",
              calls[i].request, "ok");
        done = pbk_next_completion(client, 10000, NULL);
        check(pbk_completion_operation(done) == calls[i].operation, "operation of the completion", calls[i].request, "same");
        pbk_completion_free(done);
    }
    check(pbk_completion_operation(NULL) == 0, "operation", "NULL", "0");
    pbk_client_close(client, 0);
}

int main(void)
{
    check_misuse();
    check_operations();
    check_lines();
    check_calls_of_the_receiver();
    check_two_clients();
    check_refusals();
    check_switching();
    printf("%d checks\n", checks);
    return 0;
}
