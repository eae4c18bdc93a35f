/*
 * Talks to the hosted service. Prints the free slots of the next seven days, or books a slot.
 *
 *     hosted_service
 *     hosted_service --book START_AT PHONE NAME KEY
 *
 * START_AT is a time that the search printed, or a time inside a free window. The program books 30
 * minutes, so take an item with a "duration_minutes" of at least 30. KEY is the idempotency key.
 * When the outcome is unknown, run the same command again with the same KEY.
 *
 * Environment:
 *
 *     PARTNER_API_KEY    required: sk_ptnr_...
 *     PARTNER_BOT_ID     the bot that asks
 *     PARTNER_API_URL    another base URL than the service's own
 *     PARTNER_CA_FILE    a PEM file of certificates to trust instead of the system's
 *
 * Exits with 0 on success, and with 1 when the call failed. Exits with 2 when the command line or
 * the environment is incomplete or wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"
#include "shared.h"

/* Returns the configuration, from the environment. Free it with free(). */
static char *build_config(const char *api_key)
{
    const char *base_url = getenv("PARTNER_API_URL"), *ca_file = getenv("PARTNER_CA_FILE");
    char *url = base_url == NULL ? json_fill("") : json_fill(",\"base_url\":$", base_url);
    char *tls = ca_file == NULL ? json_fill("") : json_fill(",\"tls\":{\"ca_file\":$}", ca_file);
    char *config = json_fill("{\"api_key\":$##}", api_key, url, tls);

    free(url);
    free(tls);
    return config;
}

/* Returns the search request for the next seven days. "Z" is right for a moment such as now. For
   a day at the clinic, write the clinic's offset. Free the request with free(). */
static char *build_search(const char *bot_id)
{
    time_t now = time(NULL), a_week_later = now + 7 * 24 * 60 * 60;
    char from[32], to[32];

    strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
    strftime(to, sizeof to, "%Y-%m-%dT%H:%M:%SZ", gmtime(&a_week_later));
    return json_fill("{\"bot_id\":$,\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,\"end_at\":$}}}}",
                     bot_id, from, to);
}

/* Returns the booking request. Free it with free(). */
static char *build_booking(const char *bot_id, const char *start_at, const char *phone, const char *name, const char *key)
{
    return json_fill("{\"bot_id\":$,\"idempotency_key\":$,\"booking\":{\"start_at\":$,\"duration_minutes\":30,"
                     "\"customer\":{\"phone\":$,\"name\":$}}}",
                     bot_id, key, start_at, phone, name);
}

int main(int argc, char **argv)
{
    const char *api_key = getenv("PARTNER_API_KEY"), *bot_id = getenv("PARTNER_BOT_ID");
    int booking = argc == 6 && strcmp(argv[1], "--book") == 0;
    char *config, *request, *reply, *error = NULL;
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

    config = build_config(api_key);
    client = pbk_client_open(config, &error, NULL);
    free(config);
    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 2;
    }
    request = booking ? build_booking(bot_id, argv[2], argv[3], argv[4], argv[5]) : build_search(bot_id);
    reply = booking ? pbk_create_booking(client, request, &status) : pbk_search_availability(client, request, &status);
    if (status == PBK_OK) {
        puts(reply);
    } else {
        fprintf(stderr, "%s\n%s\n", pbk_status_text(status), reply == NULL ? "(out of memory)" : reply);
        if (booking && pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN)
            fprintf(stderr, "It may have been booked. Run the same command again with the same key, %s.\n", argv[5]);
    }
    pbk_string_free(reply);
    free(request);
    pbk_client_close(client, 1000);
    return status == PBK_OK ? 0 : 1;
}
