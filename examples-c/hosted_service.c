/*
 * Talks to the hosted service: prints the free slots of the next seven days, or books one.
 *
 *     hosted_service
 *     hosted_service --book START_AT PHONE NAME KEY
 *
 * START_AT is a slot's "start_at" as the search printed it; 30 minutes are booked. KEY is the idempotency key: when the
 * outcome is unknown, run the same command again with the same KEY.
 *
 * From the environment:
 *
 *     PARTNER_API_KEY    required: sk_ptnr_...
 *     PARTNER_BOT_ID     the bot that asks
 *     PARTNER_API_URL    another base URL than the service's own
 *     PARTNER_CA_FILE    a PEM file of certificates to trust instead of the system's
 *
 * Ends with 0 when the service said yes, 1 when the call failed, 2 when something is missing or wrong on the command
 * line or in the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

/* Appends `text` to the string `json`, which has room for `size` bytes. Returns 0 when it does not fit. */
static int put(char *json, size_t size, const char *text)
{
    size_t used = strlen(json), length = strlen(text);

    if (length >= size - used)
        return 0;
    memcpy(json + used, text, length + 1);
    return 1;
}

/* Appends `text` as a JSON string: in quotes, with everything escaped that must be. */
static int put_string(char *json, size_t size, const char *text)
{
    char piece[8];
    int fits = put(json, size, "\"");

    for (; fits && *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            snprintf(piece, sizeof piece, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            snprintf(piece, sizeof piece, "\\u%04x", (unsigned)*text);
        else
            snprintf(piece, sizeof piece, "%c", *text);
        fits = put(json, size, piece);
    }
    return fits && put(json, size, "\"");
}

static int build_config(char *json, size_t size, const char *api_key)
{
    const char *base_url = getenv("PARTNER_API_URL"), *ca_file = getenv("PARTNER_CA_FILE");

    json[0] = '\0';
    if (!put(json, size, "{\"api_key\":") || !put_string(json, size, api_key))
        return 0;
    if (base_url != NULL && (!put(json, size, ",\"base_url\":") || !put_string(json, size, base_url)))
        return 0;
    if (ca_file != NULL && (!put(json, size, ",\"tls\":{\"ca_file\":") || !put_string(json, size, ca_file)
                            || !put(json, size, "}")))
        return 0;
    return put(json, size, "}");
}

static int build_search(char *json, size_t size, const char *bot_id)
{
    time_t now = time(NULL), a_week_later = now + 7 * 24 * 60 * 60;
    char from[32], to[32];

    strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    strftime(to, sizeof to, "%Y-%m-%dT%H:%M:%SZ", gmtime(&a_week_later));
    json[0] = '\0';
    return put(json, size, "{\"bot_id\":") && put_string(json, size, bot_id)
        && put(json, size, ",\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":") && put_string(json, size, from)
        && put(json, size, ",\"end_at\":") && put_string(json, size, to)
        && put(json, size, "}}}}");
}

static int build_booking(char *json, size_t size, const char *bot_id, const char *start_at, const char *phone,
                         const char *name, const char *key)
{
    json[0] = '\0';
    return put(json, size, "{\"bot_id\":") && put_string(json, size, bot_id)
        && put(json, size, ",\"idempotency_key\":") && put_string(json, size, key)
        && put(json, size, ",\"booking\":{\"start_at\":") && put_string(json, size, start_at)
        && put(json, size, ",\"duration_minutes\":30,\"customer\":{\"phone\":") && put_string(json, size, phone)
        && put(json, size, ",\"name\":") && put_string(json, size, name)
        && put(json, size, "}}}");
}

int main(int argc, char **argv)
{
    const char *api_key = getenv("PARTNER_API_KEY"), *bot_id = getenv("PARTNER_BOT_ID");
    int booking = argc == 6 && strcmp(argv[1], "--book") == 0;
    char config[8192], request[8192];
    char *error = NULL, *reply;
    pbk_client *client;
    pbk_status status;

    if (argc != 1 && !booking) {
        fprintf(stderr, "usage: %s [--book START_AT PHONE NAME KEY]\n", argv[0]);
        return 2;
    }
    if (api_key == NULL || api_key[0] == '\0') {
        fprintf(stderr, "PARTNER_API_KEY is not set. Put your partner key there; it starts with sk_ptnr_.\n");
        return 2;
    }
    if (bot_id == NULL || bot_id[0] == '\0') {
        bot_id = "bot_01h2xcejqtf2nbrexx3vqjhp41";
        fprintf(stderr, "PARTNER_BOT_ID is not set. Asking for the documentation's %s, which the service may refuse.\n",
                bot_id);
    }
    if (!build_config(config, sizeof config, api_key)
        || !(booking ? build_booking(request, sizeof request, bot_id, argv[2], argv[3], argv[4], argv[5])
                     : build_search(request, sizeof request, bot_id))) {
        fprintf(stderr, "An argument or a variable is too long.\n");
        return 2;
    }

    client = pbk_client_open(config, &error);
    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 2;
    }
    reply = booking ? pbk_create_booking(client, request, &status) : pbk_search_availability(client, request, &status);
    if (status == PBK_OK) {
        puts(reply);
    } else {
        fprintf(stderr, "%s\n%s\n", pbk_status_text(status), reply == NULL ? "(out of memory)" : reply);
        if (booking && (reply == NULL || strstr(reply, "\"outcome\":\"unknown\"") != NULL))
            fprintf(stderr, "It may have been booked. Run the same command again with the same key, %s.\n", argv[5]);
    }
    pbk_string_free(reply);
    pbk_client_close(client, 1000);
    return status == PBK_OK ? 0 : 1;
}
