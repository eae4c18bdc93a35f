/*
 * The pieces of C in docs/operations.md about logs, and in docs/platform-webhook.md: as
 * documented.c.
 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>

#include "support.h"

struct call {
    const char *bot_id, *idempotency_key;
};

#define LOSING \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{\"fault\":\"lose_reply\",\"calls\":[1]}]}}"

/* ---- docs/operations.md: what to write down -------------------------------------------------- */

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

static void log_booking(const char *config, const char *request)
{
    pbk_client *client = open_client(config);
    struct call call = {.bot_id = "bot_1", .idempotency_key = "key-1"};
    pbk_completion *done;

    check(pbk_client_set_log(client, PBK_LOG_INFO, write_line, library_log) == PBK_OK, "set", "the log", NULL);
    pbk_submit(client, PBK_CREATE_BOOKING, request, NULL, NULL, NULL, &call);
    done = pbk_next_completion(client, 20000, NULL);
    log_call(done);
    pbk_completion_free(done);
    pbk_client_close(client, 1000);
}

#define FAULT(fault) \
    "{\"endpoint\":\"sandbox\",\"retry\":{\"max_attempts\":1}," \
    "\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"faults\":[{" fault "}]}}"

static void logs(void)
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
    log_booking(SANDBOX, BOOKING_AND(",\"tag\":\"call-7\""));
    /* Their time is over before the library asks again. */
    log_booking(LOSING, BOOKING_AND(",\"timeout_ms\":700"));
    log_booking(FAULT("\"fault\":\"lose_request\""), BOOKING_AND(",\"timeout_ms\":700"));
    log_booking(FAULT("\"fault\":\"error\",\"status\":429"), BOOKING);
    log_booking(FAULT("\"fault\":\"error\",\"status\":401"), BOOKING);
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

/* ---- docs/platform-webhook.md: a platform ---------------------------------------------------- */

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
    logs();
    platform();
    printf("documented_logs: %d checks\n", checks);
    return 0;
}
