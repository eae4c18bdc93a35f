/*
 * Calls the functions that open, close and wait with NULL, with handles that are closed, garbage or
 * foreign, and with text that is not UTF-8, not JSON, too long or too deep. Prints one line per
 * check and ends with 1 at the first wrong answer.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <string.h>

#include "support.h"

#define REQUEST_LIMIT 262144
#define DEPTH_LIMIT 128

/* The status and the reply of a call that must fail: the status that is due, and an error object
   with the same code. */
static void check_reply(const char *what, const char *input, char *reply, pbk_status status, pbk_status due,
                        const char *code)
{
    char member[64];

    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    check(status == due && reply != NULL && strncmp(reply, "{\"error\":{", 10) == 0 && strstr(reply, member) != NULL,
          what, input, reply);
    pbk_string_free(reply);
}

/* Every operation with the same input. A booking that was refused here cannot have been sent. */
static void check_all(pbk_client *client, const char *search, const char *booking, const char *input, pbk_status due,
                      const char *code)
{
    /* A client that is closed may have booked under the key. */
    const char *outcome = due == PBK_CLIENT_CLOSED ? "\"outcome\":\"unknown\"" : "\"outcome\":\"not_sent\"";
    pbk_status status = PBK_OK;
    char *reply = pbk_search_availability(client, search, &status);

    check_reply("search", input, reply, status, due, code);
    status = PBK_OK;
    reply = pbk_lookup_customer(client, search, &status);
    check_reply("look-up", input, reply, status, due, code);
    status = PBK_OK;
    reply = pbk_create_booking(client, booking, &status);
    check(reply != NULL && strstr(reply, outcome) != NULL, "outcome of a booking", input, reply);
    check_reply("booking", input, reply, status, due, code);
    if (due != PBK_CLIENT_CLOSED) { /* without "voice" a request that is right is refused for that */
        status = PBK_OK;
        reply = pbk_call_tool(client, search, &status);
        check_reply("tool call", input, reply, status, due, code);
        status = pbk_prefetch(client, search, &reply);
        check_reply("prefetch", input, reply, status, due, code);
        check(pbk_prefetch(client, search, NULL) == due, "prefetch without a place for the error", input, "NULL");
        status = pbk_conversation_end(client, search, &reply);
        check_reply("hang-up", input, reply, status, due, code);
    }

    /* The same without a place for the status. */
    pbk_string_free(pbk_search_availability(client, search, NULL));
    pbk_string_free(pbk_lookup_customer(client, search, NULL));
    pbk_string_free(pbk_create_booking(client, booking, NULL));
    pbk_string_free(pbk_call_tool(client, search, NULL));
}

static void check_open(const char *config, const char *input, pbk_status due, const char *code)
{
    char member[64], *error = NULL;
    pbk_status status = PBK_OK;
    pbk_client *client = pbk_client_open(config, &error, &status);

    snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    check(client == NULL && status == due && error != NULL && strstr(error, member) != NULL, "open", input, error);
    pbk_string_free(error);
    status = PBK_OK;
    check(pbk_client_open(config, NULL, &status) == NULL && status == due, "open without a place for the error", input,
          pbk_status_text(status));
    check(pbk_client_open(config, NULL, NULL) == NULL, "open without a place for error and status", input, "NULL");
    client = pbk_client_open_with_ledger(config, NULL, NULL, &error, &status);
    check(client == NULL && status == due && error != NULL && strstr(error, member) != NULL, "open with a ledger", input, error);
    pbk_string_free(error);
}

/* A client whose batches nobody has taken yet. */
static void check_ledger(void)
{
    static const char *const garbage[] = {NULL, "", "{", "[]", "{}", "{\"results\":{}}", "{\"results\":[{}]}",
                                          "{\"results\":[]}", "{\"results\":[{\"id\":\"99\",\"result\":\"done\"}]}"};
    pbk_client *client = pbk_client_open_with_ledger("{\"endpoint\":\"sandbox\"}", NULL, NULL, NULL, NULL);
    pbk_client *other = pbk_client_open("{\"endpoint\":\"sandbox\"}", NULL, NULL);
    pbk_status status = PBK_OK;
    uint64_t batch = 0;
    char *error = NULL, *operations = pbk_next_ledger_batch(client, 10000, &batch, &status);
    size_t i;

    check(operations != NULL && batch == 1 && status == PBK_OK, "ledger", "the first batch", operations);
    for (i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        status = pbk_ledger_answer(client, batch, garbage[i], &error);
        check(status == PBK_INVALID_JSON || status == PBK_INVALID_ARGUMENT, "ledger answer", garbage[i], pbk_status_text(status));
        check(error != NULL, "ledger answer without an error", garbage[i], error);
        pbk_string_free(error);
    }
    check(pbk_ledger_answer(client, 7, "{\"error\":{}}", NULL) == PBK_INVALID_ARGUMENT, "ledger answer", "no such batch", NULL);
    check(pbk_ledger_answer(client, batch, "{\"error\":{}}", NULL) == PBK_OK, "ledger answer", "an error", NULL);
    check(pbk_ledger_answer(client, batch, "{\"error\":{}}", NULL) == PBK_INVALID_ARGUMENT, "ledger answer", "twice", NULL);
    check(pbk_ledger_answer(other, 1, "{}", NULL) == PBK_INVALID_ARGUMENT, "ledger answer", "no ledger", NULL);
    check(pbk_ledger_answer(NULL, 1, "{}", NULL) == PBK_INVALID_CLIENT, "ledger answer", "NULL", NULL);
    check(pbk_next_ledger_batch(other, 0, &batch, &status) == NULL && status == PBK_INVALID_ARGUMENT, "ledger", "none", NULL);
    check(pbk_next_ledger_batch(NULL, 0, NULL, NULL) == NULL, "ledger", "NULL", NULL);
    pbk_string_free(operations);
    pbk_client_close(other, 1000);
    pbk_client_close(client, 1000);
    check(pbk_ledger_answer(client, 1, "{}", NULL) == PBK_CLIENT_CLOSED, "ledger answer", "closed", NULL);
    check(pbk_next_ledger_batch(client, -1, &batch, &status) == NULL && status == PBK_CLIENT_CLOSED, "ledger", "closed", NULL);
}

static char *filled(size_t length, int byte)
{
    char *text = malloc(length + 1);

    if (text == NULL)
        exit(1);
    memset(text, byte, length);
    text[length] = '\0';
    return text;
}

static void texts(pbk_client *client)
{
    static const struct { const char *name, *text; } not_json[] = {
        {"empty", ""}, {"blank", " \t\r\n"}, {"half an object", "{\"bot_id\":"}, {"text after the end", "{}{}"},
        {"a word", "nonsense"}, {"NaN", "{\"bot_id\":NaN}"}, {"a comma too many", "{\"bot_id\":\"b\",}"},
        {"a control character in a string", "{\"bot_id\":\"\001\"}"},
        {"half a surrogate pair", "{\"bot_id\":\"\\ud800\"}"},
        {"a byte order mark", "\xef\xbb\xbf{}"}, {"byte FF", "\xff"}, {"byte 80", "{\"bot_id\":\"\x80\"}"},
        {"an overlong slash", "{\"bot_id\":\"\xc0\xaf\"}"}, {"half a character", "{\"bot_id\":\"\xe2\x82\"}"},
        {"half a character at the end", "{\"bot_id\":\"\xf0\x9f\x98"}, {"a surrogate", "{\"bot_id\":\"\xed\xa0\x80\"}"},
        {"beyond U+10FFFF", "{\"bot_id\":\"\xf4\x90\x80\x80\"}"}, {"Latin-1", "{\"bot_id\":\"M\xfcller\"}"},
    };
    char *text;
    size_t i;

    for (i = 0; i < sizeof not_json / sizeof not_json[0]; i++) {
        check_all(client, not_json[i].text, not_json[i].text, not_json[i].name, PBK_INVALID_JSON, "invalid_json");
        check_open(not_json[i].text, not_json[i].name, PBK_INVALID_JSON, "invalid_json");
    }

    text = filled(DEPTH_LIMIT + 1, '[');
    check_all(client, text, text, "129 brackets", PBK_INVALID_JSON, "invalid_json");
    check_open(text, "129 brackets", PBK_INVALID_JSON, "invalid_json");
    free(text);

    text = filled(100000, '[');
    check_all(client, text, text, "100,000 brackets", PBK_INVALID_JSON, "invalid_json");
    check_open(text, "100,000 brackets", PBK_INVALID_JSON, "invalid_json");
    free(text);

    text = filled(REQUEST_LIMIT + 1, ' ');
    memcpy(text, "{}", 2);
    check_all(client, text, text, "262,145 bytes", PBK_INVALID_ARGUMENT, "invalid_argument");
    free(text);

    check_all(client, "{}", "{}", "an empty object", PBK_INVALID_FIELD, "invalid_field");
    check_open("{}", "an empty object", PBK_INVALID_CONFIG, "invalid_config");
    check_open("{\"endpoint\":\"sandbox\",\"nonsense\":1}", "an unknown member",
               PBK_INVALID_CONFIG, "invalid_config");
}

static void handles(pbk_client *client, pbk_client *closed)
{
    int here = 0;
    const struct { const char *name; pbk_client *handle; } garbage[] = {
        {"NULL", NULL}, {"1", (pbk_client *)(uintptr_t)1}, {"all ones", (pbk_client *)UINTPTR_MAX},
        {"the largest signed", (pbk_client *)(uintptr_t)INTPTR_MAX}, {"DEADBEEF", (pbk_client *)(uintptr_t)0xdeadbeef},
        {"the stack", (pbk_client *)(void *)&here}, {"the heap", (pbk_client *)(void *)filled(8, 'x')},
        {"a string", (pbk_client *)(void *)(uintptr_t)SEARCH},
        {"beside a handle", (pbk_client *)((uintptr_t)client + 1)},
    };
    const size_t count = sizeof garbage / sizeof garbage[0];
    size_t i;
    pbk_status status;
    char *reply;

    for (i = 0; i < count; i++) {
        check_all(garbage[i].handle, SEARCH, BOOKING, garbage[i].name, PBK_INVALID_CLIENT, "invalid_client");
        check(pbk_client_close(garbage[i].handle, 0) == PBK_INVALID_CLIENT, "close", garbage[i].name, "invalid_client");
        check(pbk_client_close(garbage[i].handle, INT32_MIN) == PBK_INVALID_CLIENT, "close, INT32_MIN ms",
              garbage[i].name, "invalid_client");
    }
    free(garbage[6].handle);

    check_all(closed, SEARCH, BOOKING, "a closed client", PBK_CLIENT_CLOSED, "client_closed");
    check(pbk_client_close(closed, 0) == PBK_CLIENT_CLOSED, "close", "a closed client", "client_closed");
    check(pbk_client_close(closed, INT32_MAX) == PBK_CLIENT_CLOSED, "close, INT32_MAX ms", "a closed client",
          "client_closed");

    /* Handle and request both wrong: either may be named, and nothing may break. */
    reply = pbk_create_booking(NULL, NULL, &status);
    check(reply != NULL && (status == PBK_INVALID_CLIENT || status == PBK_INVALID_ARGUMENT), "booking",
          "NULL and NULL", reply);
    pbk_string_free(reply);
    reply = pbk_search_availability(closed, NULL, &status);
    check(reply != NULL && (status == PBK_CLIENT_CLOSED || status == PBK_INVALID_ARGUMENT), "search",
          "closed and NULL", reply);
    pbk_string_free(reply);
}

int main(void)
{
    static const int unknown[] = {-1, 9, 19, 65, 70, 79, 85, 100, 2147483647, -2147483647 - 1};
    char *error = (char *)"not touched", *reply;
    pbk_client *client, *closed;
    pbk_status status;
    size_t i;

    check(strcmp(pbk_version(), PBK_VERSION) == 0, "version", "that of the header", pbk_version());
    for (i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        check(pbk_status_text((pbk_status)unknown[i]) != NULL, "status text", "an unknown status",
              pbk_status_text((pbk_status)unknown[i]));
    check_ledger();
    pbk_string_free(NULL);
    check(1, "string free", "NULL", "still here");

    check_open(NULL, "NULL", PBK_INVALID_ARGUMENT, "invalid_argument");
    closed = pbk_client_open("{\"endpoint\":\"sandbox\"}", NULL, NULL);
    check(closed != NULL, "open", "the sandbox, without a place for the error", "a client");
    check(pbk_client_close(closed, INT32_MIN) == PBK_OK, "close, INT32_MIN ms", "a client", "ok");
    status = PBK_TIMEOUT;
    client = pbk_client_open("{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"}}", &error, &status);
    check(client != NULL && error == NULL && status == PBK_OK, "open", "the sandbox", "a client, and NULL for the error");
    check(client != closed, "open", "another client", "another handle");

    handles(client, closed);
    check_all(client, NULL, NULL, "NULL", PBK_INVALID_ARGUMENT, "invalid_argument");
    texts(client);

    /* After all that the client still works, and the booking was made by no call above. */
    reply = pbk_search_availability(client, SEARCH, &status);
    check(status == PBK_OK && strstr(reply, "2030-01-14T10:00:00Z") != NULL, "search", "a good request", reply);
    pbk_string_free(reply);
    reply = pbk_create_booking(client, BOOKING, &status);
    check(status == PBK_OK && strstr(reply, "2030-01-14T10:00:00Z") != NULL, "booking", "a good request", reply);
    pbk_string_free(reply);
    check(pbk_client_close(client, INT32_MAX) == PBK_OK, "close, INT32_MAX ms", "a client with nothing to do", "ok");
    printf("%d checks\n", checks);
    return 0;
}
