/*
 * The table of input forms, Tests/data/input_forms.json, as a C host meets it: each row is taken
 * or refused by its kind, and a row that is taken has the derived key of its canonical form. The
 * program reads the table from this folder.
 */
#include <string.h>

#include "support.h"

#define TABLE_BYTES (1 << 20)
#define REQUEST_BYTES 8192

/* The members of the three base requests. Others are added to their object. */
static const char *const paths[] = {
    "bot_id", "idempotency_key", "booking", "booking.start_at", "booking.duration_minutes", "booking.customer",
    "booking.customer.phone", "booking.customer.name", "query", "query.filter", "query.filter.start_at_range",
    "query.filter.start_at_range.start_at", "query.filter.start_at_range.end_at", "customer", "customer.phone",
};

struct value {
    char text[REQUEST_BYTES];
};

/*
 * Returns a part of a row as it is written, escapes too. Each row is one line, and its members
 * have one order.
 */
static int raw_member(const char *row, const char *name, struct value *value)
{
    static const char *const next[] = {", \"taken\": ", ", \"taken_own\": ", ", \"absent\": ", ", \"refused\": ", ", \"says\": "};
    char start[32];
    const char *begin, *end = row + strlen(row) - 1;
    size_t i;

    snprintf(start, sizeof start, ", \"%s\": ", name);
    begin = strstr(row, start);
    if (begin == NULL)
        return 0;
    begin += strlen(start);
    for (i = 0; i < sizeof next / sizeof next[0]; i++) {
        const char *other = strstr(begin, next[i]);

        if (other != NULL && other < end)
            end = other;
    }
    snprintf(value->text, sizeof value->text, "%.*s", (int)(end - begin), begin);
    return 1;
}

static char *get(const char *json, const char *pointer, const char *what)
{
    char *text = pbk_json_get(json, pointer);

    check(text != NULL, "input_forms", what, json);
    return text;
}

/*
 * One change of a base request. `more` is a member that the base does not have: in the root, in
 * the object there, in a customer.
 */
struct change {
    const char *path;
    const char *value;
    char more[3][REQUEST_BYTES / 4];
};

static const char *chosen(const struct change *change, const char *path, const char *plain)
{
    return strcmp(path, change->path) == 0 ? change->value : plain;
}

static void compose_booking(const struct change *change, char *request)
{
    char customer[REQUEST_BYTES / 2], booking[REQUEST_BYTES - 512];

    snprintf(customer, sizeof customer, "{\"phone\":%s,\"name\":%s%s}",
             chosen(change, "booking.customer.phone", "\"+15550100123\""),
             chosen(change, "booking.customer.name", "\"Ana\""), change->more[2]);
    snprintf(booking, sizeof booking, "{\"start_at\":%s,\"duration_minutes\":%s,\"customer\":%s%s}",
             chosen(change, "booking.start_at", "\"2030-01-15T14:00:00-05:00\""),
             chosen(change, "booking.duration_minutes", "30"), chosen(change, "booking.customer", customer),
             change->more[1]);
    snprintf(request, REQUEST_BYTES, "{\"bot_id\":%s,\"idempotency_key\":%s,\"booking\":%s%s}",
             chosen(change, "bot_id", "\"bot_7\""), chosen(change, "idempotency_key", "\"key-7\""),
             chosen(change, "booking", booking), change->more[0]);
}

static void compose_search(const struct change *change, char *request)
{
    char range[512], filter[1024], query[2048];

    snprintf(range, sizeof range, "{\"start_at\":%s,\"end_at\":%s}",
             chosen(change, "query.filter.start_at_range.start_at", "\"2030-01-15T09:00:00-05:00\""),
             chosen(change, "query.filter.start_at_range.end_at", "\"2030-01-18T17:00:00-05:00\""));
    snprintf(filter, sizeof filter, "{\"start_at_range\":%s}", chosen(change, "query.filter.start_at_range", range));
    snprintf(query, sizeof query, "{\"filter\":%s%s}", chosen(change, "query.filter", filter), change->more[1]);
    snprintf(request, REQUEST_BYTES, "{\"bot_id\":%s,\"query\":%s%s}", chosen(change, "bot_id", "\"bot_7\""),
             chosen(change, "query", query), change->more[0]);
}

/* Writes the base request with one other value. */
static void compose(const char *operation, const char *path, const char *value, char *request)
{
    struct change change = {path, value, {"", "", ""}};
    const char *last = strrchr(path, '.');
    size_t i;
    int is_known = 0;

    for (i = 0; i < sizeof paths / sizeof paths[0]; i++)
        is_known |= strcmp(paths[i], path) == 0;
    if (!is_known) {
        int level = strncmp(path, "booking.customer.", 17) == 0 ? 2 : last == NULL ? 0 : 1;

        snprintf(change.more[level], sizeof change.more[level], ",\"%s\":%s", last == NULL ? path : last + 1, value);
    }
    if (strcmp(operation, "booking") == 0)
        compose_booking(&change, request);
    else if (strcmp(operation, "search") == 0)
        compose_search(&change, request);
    else {
        char customer[REQUEST_BYTES / 2];

        snprintf(customer, sizeof customer, "{\"phone\":%s}", chosen(&change, "customer.phone", "null"));
        snprintf(request, REQUEST_BYTES, "{\"bot_id\":\"bot_7\",\"customer\":%s}", chosen(&change, "customer", customer));
    }
}

static char *call(pbk_client *client, const char *operation, const char *request, pbk_status *status)
{
    if (strcmp(operation, "booking") == 0)
        return pbk_create_booking(client, request, status);
    if (strcmp(operation, "search") == 0)
        return pbk_search_availability(client, request, status);
    return pbk_lookup_customer(client, request, status);
}

static void same_key(const char *form, const char *request, const char *canonical)
{
    char *key = pbk_booking_key("call-7", request, NULL, NULL), *other = pbk_booking_key("call-7", canonical, NULL, NULL);

    check(key != NULL && other != NULL && strcmp(key, other) == 0, "input_forms: one key", form, request);
    pbk_string_free(key);
    pbk_string_free(other);
}

static void row(pbk_client *client, const char *json)
{
    char request[REQUEST_BYTES], canonical[REQUEST_BYTES];
    struct value value, taken;
    char *form = get(json, "/form", "form"), *operation = get(json, "/operation", "operation");
    char *path = get(json, "/path", "path"), *whole = pbk_json_get(json, "/request");
    char *raw = pbk_json_get(json, "/raw"), *kind = pbk_json_get(json, "/refused");
    char *reply, *found;
    pbk_status status = 0;

    if (whole == NULL) {
        check(raw != NULL || raw_member(json, "input", &value), "input_forms", "input", json);
        compose(operation, path, raw != NULL ? raw : value.text, request);
    } else
        snprintf(request, sizeof request, "%s", whole);
    reply = call(client, operation, request, &status);
    if (kind != NULL) {
        found = pbk_json_get(reply, "/error/kind");
        check((status == PBK_INVALID_FIELD || status == PBK_INVALID_JSON) && found != NULL && strcmp(found, kind) == 0,
              "input_forms: refused", form, reply);
        pbk_string_free(found);
    } else {
        /* Whether the sandbox books is not the question. */
        check(status != PBK_INVALID_FIELD && status != PBK_INVALID_JSON, "input_forms: taken", form, reply);
        if (strcmp(operation, "booking") == 0 && raw_member(json, "taken", &taken)) {
            compose(operation, path, taken.text, canonical);
            same_key(form, request, canonical);
        }
    }
    pbk_string_free(reply);
    pbk_string_free(form);
    pbk_string_free(operation);
    pbk_string_free(path);
    pbk_string_free(whole);
    pbk_string_free(raw);
    pbk_string_free(kind);
}

int main(int count, char **arguments)
{
    static char table[TABLE_BYTES];
    FILE *file = fopen(count > 1 ? arguments[1] : "../data/input_forms.json", "rb");
    pbk_client *client = open_client(SANDBOX);
    size_t length;
    int number = 0;

    check(file != NULL, "input_forms", "table", NULL);
    length = fread(table, 1, sizeof table - 1, file);
    fclose(file);
    check(length > 0 && length < sizeof table - 1, "input_forms", "table", NULL);
    for (;;) {
        char pointer[32];
        char *json;

        snprintf(pointer, sizeof pointer, "/rows/%d", number);
        json = pbk_json_get(table, pointer);
        if (json == NULL)
            break;
        row(client, json);
        pbk_string_free(json);
        number++;
    }
    check(number >= 120, "input_forms", "rows", NULL);
    check(pbk_client_close(client, 1000) == PBK_OK, "input_forms", "close", NULL);
    printf("%d rows\n", number);
    return 0;
}
