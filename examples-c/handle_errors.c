/*
 * Shows how calls fail, and how a voice bot decides what to do. It uses "outcome", "field" and
 * "retryable", not a list of codes. docs/errors.md has the whole table.
 *
 *     handle_errors
 *
 * Every failure here is real. It comes from the embedded sandbox, or from a loopback port without a
 * listener. Exits with 0 only if each failure was the expected one.
 */
#include <stdio.h>
#include <string.h>

#include "partnerbooking.h"
#include "shared.h"

/* Each run starts on the same Monday morning, so this example prints the same every day. */
#define SANDBOX "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"}}"
#define SLOW_SANDBOX "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":300}}"
#define NOBODY_THERE "{\"api_key\":\"sk_ptnr_example\",\"base_url\":\"http://127.0.0.1:1\",\"timeout_ms\":2000}"

#define BOOKING(key, phone, more) \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"" key "\"," \
    "\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\",\"duration_minutes\":30," \
    "\"customer\":{\"phone\":\"" phone "\",\"name\":\"John Doe\"}}" more "}"

/* Returns the words of the bot after a failed call. The order of the checks matters. */
static const char *what_the_bot_says(pbk_status status, const char *reply)
{
    char field[64];

    json_copy(reply, "/error/field", field, sizeof field);

    /*
     * 0. Another booking has the key. A repeat of this request would be refused again. "existing"
     * describes that booking.
     */
    if (status == PBK_IDEMPOTENCY_KEY_REUSED)
        return "You have an appointment already. One moment. (The engine resumes the key, and reads out its start.)";

    /* 1. It may be booked. Do not deny it, and repeat the call with the same key. */
    if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN)
        return "I am confirming that for you. (The engine repeats the call with the same key.)";

    /*
     * 2. The most common refusal: the slot is taken. The next slot is another booking, so it gets a
     * new key.
     */
    if (status == PBK_SLOT_UNAVAILABLE)
        return "I am sorry, somebody was faster. Shall I look for another time?";

    /* 3. The caller can say this value again. Other fields are the engine's own matter. */
    if (strcmp(field, "booking.customer.phone") == 0)
        return "I did not get your number. Could you say it again, please?";
    if (strncmp(field, "booking.", 8) == 0 || strncmp(field, "query.", 6) == 0)
        return "I did not quite get that. Could you say it again, please?";

    /*
     * 4. The language model wrote text that is not JSON. It can write the request again, without
     * the caller.
     */
    if (status == PBK_INVALID_JSON)
        return "One moment, please. (The engine has the language model build the request again.)";

    /*
     * 5. Nothing was booked, and a later call may succeed. The library has already tried more than
     * once.
     */
    if (pbk_reply_retryable(reply))
        return "I cannot reach the calendar at the moment. May we call you back?";

    /* 6. The call would fail again. Log the error, and let a person take over. */
    return "Let me put you through to a colleague.";
}

/* Prints one failure and frees its reply. Returns 1 if status, code and outcome are as expected. */
static int show(const char *what, pbk_status status, char *reply, pbk_status expected_status, const char *expected_code,
                const char *expected_outcome)
{
    static const char *const names[] = {"code", "message", "field", "retryable", "outcome"};
    char pointer[32], value[512], code[64], outcome[16];
    size_t i;
    int expected;

    printf("%s\n    %-10s %d, %s\n", what, "status", (int)status, pbk_status_text(status));
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(pointer, sizeof pointer, "/error/%s", names[i]);
        json_copy(reply, pointer, value, sizeof value);
        printf("    %-10s %s\n", names[i], value[0] == '\0' ? "(none)" : value);
    }
    if (pbk_reply_retry_after_ms(reply) >= 0)
        printf("    %-10s %ld ms\n", "wait", (long)pbk_reply_retry_after_ms(reply));
    printf("    %-10s %s\n", "bot", what_the_bot_says(status, reply));

    json_copy(reply, "/error/code", code, sizeof code);
    json_copy(reply, "/error/outcome", outcome, sizeof outcome);
    expected = status == expected_status && pbk_reply_status(reply) == status
        && strcmp(code, expected_code) == 0 && strcmp(outcome, expected_outcome) == 0;
    if (!expected)
        printf("    NOT AS EXPECTED: %d, %s, %s\n", (int)expected_status, expected_code, expected_outcome);
    printf("\n");
    pbk_string_free(reply);
    return expected;
}

int main(void)
{
    const char *good = BOOKING("call-7-1", "+15551234567", "");
    pbk_client *sandbox, *slow, *nobody;
    pbk_status status;
    char *reply, *error = NULL;
    int fine = 1;

    sandbox = pbk_client_open(SANDBOX, &error, NULL);
    slow = sandbox == NULL ? NULL : pbk_client_open(SLOW_SANDBOX, &error, NULL);
    nobody = slow == NULL ? NULL : pbk_client_open(NOBODY_THERE, &error, NULL);
    if (nobody == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        pbk_client_close(sandbox, 0);   /* NULL is allowed; the return value reports it */
        pbk_client_close(slow, 0);
        return 1;
    }

    /* The words of the caller do not make a phone number. */
    reply = pbk_create_booking(sandbox, BOOKING("call-7-0", "five five five", ""), &status);
    fine &= show("a wrong field", status, reply, PBK_INVALID_FIELD, "invalid_field", "not_sent");

    /* The language model stopped in the middle of its JSON. */
    reply = pbk_create_booking(sandbox, "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",", &status);
    fine &= show("not JSON", status, reply, PBK_INVALID_JSON, "invalid_json", "not_sent");

    reply = pbk_create_booking(sandbox, NULL, &status);
    fine &= show("a NULL request", status, reply, PBK_INVALID_ARGUMENT, "invalid_argument", "not_sent");

    /* This booking takes the slot, and must succeed. */
    reply = pbk_create_booking(sandbox, good, &status);
    if (status != PBK_OK) {
        printf("the first booking failed: %s\n", reply == NULL ? "out of memory" : reply);
        fine = 0;
    }
    pbk_string_free(reply);
    reply = pbk_create_booking(sandbox, BOOKING("call-7-1", "+15557654321", ""), &status);
    fine &= show("a key that has another booking", status, reply, PBK_IDEMPOTENCY_KEY_REUSED, "idempotency_key_reused",
                 "unknown");
    reply = pbk_create_booking(sandbox, BOOKING("call-8-1", "+15557654321", ""), &status);
    fine &= show("a slot that is taken", status, reply, PBK_SLOT_UNAVAILABLE, "slot_unavailable", "rejected");

    reply = pbk_create_booking(nobody, good, &status);
    fine &= show("nobody listens there", status, reply, PBK_CONNECT_FAILED, "connect_failed", "not_sent");

    /*
     * The service takes longer than this call waits. The booking may be made or not. A repeat with
     * the same key finds out.
     */
    reply = pbk_create_booking(slow, BOOKING("call-9-1", "+15551234567", ",\"timeout_ms\":50"), &status);
    fine &= show("no answer in time", status, reply, PBK_TIMEOUT, "timeout", "unknown");
    reply = pbk_create_booking(slow, BOOKING("call-9-1", "+15551234567", ",\"timeout_ms\":5000"), &status);
    printf("the same call with the same key and more time\n    %s\n\n", reply == NULL ? "(out of memory)" : reply);
    fine &= status == PBK_OK;
    pbk_string_free(reply);

    fine &= pbk_client_close(slow, 1000) == PBK_OK;
    fine &= pbk_client_close(nobody, 1000) == PBK_OK;
    fine &= pbk_client_close(sandbox, 1000) == PBK_OK;

    reply = pbk_create_booking(sandbox, good, &status);
    fine &= show("a client that is closed", status, reply, PBK_CLIENT_CLOSED, "client_closed", "unknown");
    return fine ? 0 : 1;
}
