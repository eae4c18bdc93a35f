/*
 * Reads replies and quotes texts as a host without a JSON library does: with what the library gives, with NULL, and with
 * garbage.
 */
#include <string.h>

#include "support.h"

static void get(const char *json, const char *pointer, const char *expected)
{
    char *value = pbk_json_get(json, pointer);

    check(expected == NULL ? value == NULL : value != NULL && strcmp(value, expected) == 0, "json_get",
          pointer == NULL ? "NULL" : pointer, value);
    pbk_string_free(value);
}

static void quote(const char *text, const char *expected)
{
    char *quoted = pbk_json_quote(text), *back;

    check(quoted != NULL && strcmp(quoted, expected) == 0, "json_quote", text, quoted);
    back = pbk_json_get(quoted, "");
    check(back != NULL, "json_quote", "and back", back);
    pbk_string_free(back);
    pbk_string_free(quoted);
}

/* The document and the pointers of RFC 6901, section 5. */
static void pointers_of_the_rfc(void)
{
    static const char *const json = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,"
        "\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
    static const char *const values[][2] = {
        {"/foo", "[\"bar\",\"baz\"]"}, {"/foo/0", "bar"}, {"/", "0"}, {"/a~1b", "1"}, {"/c%d", "2"}, {"/e^f", "3"},
        {"/g|h", "4"}, {"/i\\j", "5"}, {"/k\"l", "6"}, {"/ ", "7"}, {"/m~0n", "8"},
    };
    static const char *const none[] = {"/foo/-", "/foo/2", "/foo/00", "/foo/+1", "/foo/", "/foo/0/", "/bar", "foo", "/m~n",
                                       "/m~", "/m~2n", "#/foo", "//", "/\xff", "/foo/99999999999999999999"};
    size_t i;

    get(json, "", json);
    for (i = 0; i < sizeof values / sizeof values[0]; i++)
        get(json, values[i][0], values[i][1]);
    for (i = 0; i < sizeof none / sizeof none[0]; i++)
        get(json, none[i], NULL);
}

static void values(void)
{
    get(" {\"a\" : [ 1 , {\"b\":null} ] , \"a\":2}\n", "/a", "[ 1 , {\"b\":null} ]");
    get(" {\"a\" : [ 1 , {\"b\":null} ] , \"a\":2}\n", "", "{\"a\" : [ 1 , {\"b\":null} ] , \"a\":2}");
    get("{\"a\":[1,{\"b\":null}]}", "/a/1/b", "null");
    get("[true,-1.50e+3,\"\"]", "/0", "true");
    get("[true,-1.50e+3,\"\"]", "/1", "-1.50e+3");
    get("[true,-1.50e+3,\"\"]", "/2", "");
    get("\"Zo\\u00eb \\ud83d\\ude00 \\\"\\\\\\/\\n\"", "", "Zo\xc3\xab \xf0\x9f\x98\x80 \"\\/\n");
    get("\"a\\u0000b\"", "", "a\xef\xbf\xbd" "b");
    get("\"a\\ud800b\"", "", "a\xef\xbf\xbd" "b");
    get("{\"\\u0061\":1}", "/a", "1");
    /* Two ways to write one character are two names. */
    get("{\"e\xcc\x81\":1,\"\xc3\xa9\":2}", "/\xc3\xa9", "2");
}

static void garbage(void)
{
    static const char *const texts[] = {"", " ", "{", "{}{}", "nonsense", "\xff", "\"\xc0\xaf\"", "{\"a\":1,}", "[1", "\"a"};
    static char deep[200001];
    size_t i;

    get(NULL, "", NULL);
    get("{}", NULL, NULL);
    get(NULL, NULL, NULL);
    check(pbk_json_quote(NULL) == NULL, "json_quote", "NULL", NULL);
    check(pbk_reply_status(NULL) == PBK_INVALID_ARGUMENT, "status", "NULL", "an argument");
    check(pbk_reply_outcome(NULL) == PBK_OUTCOME_UNKNOWN, "outcome", "NULL", "unknown");
    check(!pbk_reply_retryable(NULL) && pbk_reply_retry_after_ms(NULL) == -1, "retry", "NULL", "no");

    memset(deep, '[', sizeof deep - 1);
    for (i = 0; i <= sizeof texts / sizeof texts[0]; i++) {
        const char *text = i < sizeof texts / sizeof texts[0] ? texts[i] : deep;

        get(text, "", NULL);
        get(text, "/0", NULL);
        check(pbk_reply_status(text) == PBK_INVALID_JSON, "status", text, "not JSON");
        check(pbk_reply_outcome(text) == PBK_OUTCOME_UNKNOWN, "outcome", text, "unknown");
        check(!pbk_reply_retryable(text) && pbk_reply_retry_after_ms(text) == -1, "retry", text, "no");
    }
    check(pbk_reply_status("[]") == PBK_INVALID_JSON, "status", "[]", "no reply");
    check(pbk_reply_status("{\"error\":{}}") == PBK_INVALID_JSON, "status", "an error of nobody", "no reply");
}

static void quotes(void)
{
    quote("", "\"\"");
    quote("Jo\",\"email\":\"x", "\"Jo\\\",\\\"email\\\":\\\"x\"");
    quote("a\\b/c", "\"a\\\\b/c\"");
    quote("\n\r\t\001\037\177", "\"\\n\\r\\t\\u0001\\u001f\177\"");
    quote("Zo\xc3\xab \xf0\x9f\x98\x80", "\"Zo\xc3\xab \xf0\x9f\x98\x80\"");
    quote("M\xfcller", "\"M\xef\xbf\xbdller\"");
    quote("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    quote("half \xe2\x82", "\"half \xef\xbf\xbd\"");
}

/* Every function that gives a reply, against the status that it gave with it. */
static void replies(void)
{
    static const char *const requests[] = {"", "{}", BOOKING, BOOKING_AND(",\"timeout_ms\":1"), SEARCH};
    pbk_client *client = open_client(SANDBOX), *clients[2] = {client, NULL};
    pbk_status status;
    char *error = NULL, *reply;
    size_t i, j;

    for (i = 0; i < 2; i++) {
        for (j = 0; j < sizeof requests / sizeof requests[0]; j++) {
            reply = pbk_search_availability(clients[i], requests[j], &status);
            check(pbk_reply_status(reply) == status && pbk_reply_outcome(reply) == PBK_OUTCOME_NONE, "status", "a search", reply);
            pbk_string_free(reply);
            reply = pbk_create_booking(clients[i], requests[j], &status);
            check(pbk_reply_status(reply) == status, "status", "a booking", reply);
            check((pbk_reply_outcome(reply) == PBK_OUTCOME_NONE) == (status == PBK_OK), "outcome", "a booking", reply);
            pbk_string_free(reply);
        }
        reply = pbk_pending_bookings(clients[i], &status);
        check(pbk_reply_status(reply) == status, "status", "pending bookings", reply);
        pbk_string_free(reply);
    }
    pbk_client_close(client, 1000);

    client = pbk_client_open("{\"endpoint\":7}", &error, &status);
    check(client == NULL && status == PBK_INVALID_CONFIG, "open", "a wrong member", error);
    check(pbk_reply_status(error) == status && !pbk_reply_retryable(error), "status", "an opening", error);
    pbk_string_free(error);
    reply = pbk_booking_key("call-7", "{}", &error, &status);
    check(reply == NULL && status == PBK_INVALID_FIELD, "a key", "of nothing", error);
    check(pbk_reply_status(error) == status, "status", "a key", error);
    pbk_string_free(error);
}

int main(void)
{
    pointers_of_the_rfc();
    values();
    garbage();
    quotes();
    replies();
    printf("%d checks\n", checks);
    return 0;
}
