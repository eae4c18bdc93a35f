/*
 * Greets a caller by name. The program looks the number up while the phone rings. There are three
 * greetings: for a caller with an appointment, for a known caller without an appointment, and for a
 * stranger. Here a stranger books, hangs up and calls again. Then the bot greets the caller by name
 * and says the appointment.
 *
 *     returning_caller
 *         Talks to the embedded sandbox: no network, no account, no files.
 *     returning_caller CONFIG [BOT_ID]
 *         Uses another configuration, and really books. Its endpoint must look customers up:
 *         {"endpoint":"platform_webhook",...}
 *
 * Exits with 0 only if all of that happened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"
#include "shared.h"

#define DAY (24 * 60 * 60)
#define MINUTES 30      /* set your own length, also in book() */
#define OFFSET "-05:00" /* the clinic's offset: platforms read a plain date differently */
#define NAME "Jane Roe"

enum known { STRANGER, KNOWN, WITH_APPOINTMENT };

struct caller {
    pbk_status status;      /* result of the look-up */
    enum known known;
    char name[128];
    char start_at[64];      /* start of the appointment */
};

/*
 * Looks the caller up, for at most 3 s, the time of a ring. A caller who is greeted without a name
 * loses little. A caller who gets no answer hangs up. So a failed look-up makes the caller a
 * stranger, and prints a line to the log.
 */
static struct caller look_up(pbk_client *client, const char *bot_id, const char *phone)
{
    struct caller caller = {PBK_OK, STRANGER, "", ""};
    char *request = json_fill("{\"bot_id\":$,\"customer\":{\"phone\":$},\"timeout_ms\":3000}", bot_id, phone);
    char *reply = pbk_lookup_customer(client, request, &caller.status);
    char found[8];

    free(request);
    json_copy(reply, "/found", found, sizeof found);
    if (caller.status != PBK_OK) {
        report("the look-up", caller.status, reply);
    } else if (strcmp(found, "true") == 0) {
        caller.known = KNOWN;
        json_copy(reply, "/customer/name", caller.name, sizeof caller.name);
        if (json_copy(reply, "/customer/existing_appointment/start_at", caller.start_at, sizeof caller.start_at))
            caller.known = WITH_APPOINTMENT;
    }
    pbk_string_free(reply);
    return caller;
}

/* Answers the phone: looks the caller up while it rings, and greets the caller. */
static struct caller answer(pbk_client *client, const char *bot_id, const char *phone)
{
    struct caller caller;
    char when[80];

    printf("    rings      %s\n", phone);
    caller = look_up(client, bot_id, phone);
    switch (caller.known) {
    case WITH_APPOINTMENT:
        say_time(caller.start_at, when, sizeof when);
        printf("bot:     Hello %s! You are coming on %s. Is it about that?\n", caller.name, when);
        break;
    case KNOWN:
        printf("bot:     Hello %s, good to hear from you again! What can I do for you?\n", caller.name);
        break;
    case STRANGER:
        printf("bot:     Hello, this is the clinic. Who is calling, please?\n");
        break;
    }
    return caller;
}

/* Finds the first free half hour in the seven days from tomorrow on. Returns 1 if there is one. */
static int find_slot(pbk_client *client, const char *bot_id, char *start_at, size_t size)
{
    char from[32], to[32];
    time_t tomorrow = time(NULL) + DAY, a_week_later = tomorrow + 7 * DAY;
    pbk_status status;
    char *request, *reply;
    int is_found;

    strftime(from, sizeof from, "%Y-%m-%dT00:00:00" OFFSET, gmtime(&tomorrow));
    strftime(to, sizeof to, "%Y-%m-%dT00:00:00" OFFSET, gmtime(&a_week_later));
    request = json_fill("{\"bot_id\":$,\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,\"end_at\":$}}}}",
                        bot_id, from, to);
    reply = pbk_search_availability(client, request, &status);
    free(request);
    is_found = find_start(reply, 0, MINUTES, start_at, size);
    if (!is_found)
        report("the search for a free slot", status, reply);
    pbk_string_free(reply);
    return is_found;
}

/*
 * Books half an hour, in up to three attempts. While the outcome is unknown, it repeats the call
 * with the same key. Returns 1 if it is booked, and writes the start of the reply to `start_at`.
 */
static int book(pbk_client *client, const char *bot_id, const char *phone, char *start_at, size_t size)
{
    char *key = pbk_random_key(), *reply = NULL;
    char *request = json_fill("{\"bot_id\":$,\"idempotency_key\":$,\"booking\":{\"start_at\":$,\"duration_minutes\":30,"
                              "\"customer\":{\"phone\":$,\"name\":\"" NAME "\"}}}",
                              bot_id, key, start_at, phone);
    pbk_status status = PBK_RESOURCE_UNAVAILABLE;
    int attempt, is_booked;

    /* A NULL reply means that memory was out. Its outcome is unknown. */
    for (attempt = 1; attempt <= 3 && pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN; attempt++) {
        pbk_string_free(reply);
        reply = pbk_create_booking(client, request, &status);
    }
    free(request);
    is_booked = json_copy(reply, "/booking/start_at", start_at, size);
    if (!is_booked)
        report("the booking", status, reply);
    pbk_string_free(reply);
    pbk_string_free(key);
    return is_booked;
}

/* Plays both phone calls. Returns 1 if all went as described at the top of this file. */
static int converse(pbk_client *client, const char *bot_id)
{
    struct caller first, second;
    char phone[32], start_at[64], when[80];

    /* A new number in each run, so that the caller is a stranger. */
    snprintf(phone, sizeof phone, "+1555%07ld", (long)(time(NULL) % 10000000));

    first = answer(client, bot_id, phone);
    if (first.status != PBK_OK || first.known != STRANGER)
        return 0;
    printf("caller:  " NAME ". I would like to see somebody in the coming days.\n");
    if (!find_slot(client, bot_id, start_at, sizeof start_at))
        return 0;
    say_time(start_at, when, sizeof when);
    printf("bot:     The first that I have is %s. Shall I book it?\n", when);
    printf("caller:  Yes, please.\n");
    if (!book(client, bot_id, phone, start_at, sizeof start_at))
        return 0;
    printf("    booked     %s for " NAME "\n", start_at);
    say_time(start_at, when, sizeof when);   /* the reply's own start */
    printf("bot:     You are booked for %s. Goodbye!\n    hangs up\n\n", when);

    second = answer(client, bot_id, phone);
    if (second.known != WITH_APPOINTMENT || strcmp(second.name, NAME) != 0 || strcmp(second.start_at, start_at) != 0) {
        printf("    This should have been " NAME " with the appointment of %s.\n", start_at);
        return 0;
    }
    printf("caller:  It is, I only wanted to be sure. Goodbye!\n    hangs up\n");
    return 1;
}

int main(int argc, char **argv)
{
    const char *config = argc > 1 ? argv[1] : "{\"endpoint\":\"sandbox\",\"sandbox\":{\"time_zone\":\"" OFFSET "\"}}";
    const char *bot_id = argc > 2 ? argv[2] : "bot_01h2xcejqtf2nbrexx3vqjhp41";
    char *error = NULL;
    pbk_client *client;
    pbk_status closed;
    int all_happened;

    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);  /* print each line at once, also into a pipe */
    client = pbk_client_open(config, &error, NULL);
    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    all_happened = converse(client, bot_id);
    closed = pbk_client_close(client, 1000);
    if (closed != PBK_OK)
        fprintf(stderr, "closing: %s\n", pbk_status_text(closed));
    return all_happened && closed == PBK_OK ? 0 : 1;
}
