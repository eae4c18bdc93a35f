/*
 * Books an appointment as a voice bot does. It searches the coming week, offers up to three slots,
 * and books the slot that the caller takes. It repeats the booking after an interruption. It has an
 * answer for a second caller who comes too late.
 *
 *     book_appointment
 *         Talks to the embedded sandbox: no network, no account, no files.
 *     book_appointment CONFIG [BOT_ID [NAME]]
 *         Uses another configuration. On the hosted service it really books.
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
#define SLOTS_OFFERED 3
#define MINUTES 30                 /* set your own length: some platforms list a whole free day as one item */
#define OFFSET "-05:00"            /* the clinic's offset: platforms read a plain date differently */
#define NAME "John \"Jo\" Doe"     /* with quotes: a caller may say anything */

struct slot {
    char start_at[64];
};

/*
 * Searches the seven days from tomorrow on. Writes the starts to offer to `slots`. Returns their
 * number.
 */
static int search(pbk_client *client, const char *bot_id, struct slot slots[SLOTS_OFFERED])
{
    char from[32], to[32];
    time_t tomorrow = time(NULL) / DAY * DAY + DAY, a_week_later = tomorrow + 7 * DAY;
    pbk_status status;
    char *request, *reply;
    int count = 0;

    strftime(from, sizeof from, "%Y-%m-%dT%H:%M:%S" OFFSET, gmtime(&tomorrow));
    strftime(to, sizeof to, "%Y-%m-%dT%H:%M:%S" OFFSET, gmtime(&a_week_later));
    printf("    search     %s to %s\n", from, to);
    request = json_fill("{\"bot_id\":$,\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,\"end_at\":$}}}}",
                        bot_id, from, to);
    reply = pbk_search_availability(client, request, &status);
    free(request);
    if (status != PBK_OK) {
        report("the search", status, reply);
    } else {
        while (count < SLOTS_OFFERED
               && find_start(reply, count, MINUTES, slots[count].start_at, sizeof slots[count].start_at))
            count++;
        printf("    found      %d times to offer\n", count);
    }
    pbk_string_free(reply);
    return count;
}

/*
 * Books, in up to three attempts. While the outcome is unknown (a time-out, a broken connection,
 * out of memory), it repeats the call with the same key. That never makes a second booking. If
 * another booking has the key, for example with another name, a repeat is refused. Then it resumes
 * the key, which returns that booking. Free the reply with pbk_string_free().
 */
static char *book(pbk_client *client, const char *bot_id, const char *key, const struct slot *slot, const char *phone,
                  const char *name, pbk_status *status)
{
    char minutes[16], *request, *reply = NULL;
    int attempt;

    snprintf(minutes, sizeof minutes, "%d", MINUTES);
    request = json_fill("{\"bot_id\":$,\"idempotency_key\":$,\"booking\":{\"start_at\":$,\"duration_minutes\":#,"
                        "\"customer\":{\"phone\":$,\"name\":$}}}",
                        bot_id, key, slot->start_at, minutes, phone, name);
    for (attempt = 1; attempt <= 3; attempt++) {
        printf("    book       %s for %s, key %s\n", slot->start_at, name, key);
        pbk_string_free(reply);
        reply = pbk_create_booking(client, request, status);
        if (*status == PBK_OK || pbk_reply_outcome(reply) != PBK_OUTCOME_UNKNOWN)
            break;
        if (*status == PBK_IDEMPOTENCY_KEY_REUSED) {
            free(request);
            request = json_fill("{\"idempotency_key\":$,\"resume\":true}", key);
        }
    }
    free(request);
    return reply;
}

/* Plays the conversation. Returns 1 if all went as described at the top of this file. */
static int converse(pbk_client *client, const char *bot_id, const char *name)
{
    struct slot slots[SLOTS_OFFERED], *chosen;
    char when[80], said[160], key[64], second_key[64], id[300], same_id[300], state[64], code[64];
    pbk_status status;
    char *reply;
    int count, i;

    /*
     * Each booking that the caller asks for gets a new key. Every repeat of it uses the same key.
     */
    snprintf(key, sizeof key, "call-%ld-1", (long)time(NULL));
    snprintf(second_key, sizeof second_key, "call-%ld-2", (long)time(NULL));

    printf("caller:  Hello, I would like to see somebody in the coming days.\n");
    count = search(client, bot_id, slots);
    if (count == 0) {
        printf("bot:     I am sorry, I have nothing free. Let me put you through to a colleague.\n");
        return 0;
    }
    printf("bot:     These are free:\n");
    for (i = 0; i < count; i++) {
        say_time(slots[i].start_at, when, sizeof when);
        printf("         %s,\n", when);
    }
    printf("         which one suits you?\n");

    chosen = &slots[count / 2];
    say_time(chosen->start_at, when, sizeof when);
    printf("caller:  %s, please. I am %s.\n", when, name);
    reply = book(client, bot_id, key, chosen, "+15551234567", name, &status);
    if (status != PBK_OK || !json_copy(reply, "/booking/id", id, sizeof id)) {
        report("the booking", status, reply);
        pbk_string_free(reply);
        return 0;
    }
    json_copy(reply, "/booking/status", state, sizeof state);
    pbk_string_free(reply);
    printf("    booked     %s, %s\n", id, state);

    printf("caller:  Wait, somebody is at the door. All right, go on.\n");
    printf("    (The engine dropped that turn and cannot know how it ended: the same call again, the same key.)\n");
    reply = book(client, bot_id, key, chosen, "+15551234567", name, &status);
    if (status != PBK_OK || !json_copy(reply, "/booking/id", same_id, sizeof same_id)) {
        report("the repeated booking", status, reply);
        pbk_string_free(reply);
        return 0;
    }
    say_booked(reply, said, sizeof said);
    pbk_string_free(reply);
    printf("    booked     %s, %s\n", same_id, strcmp(id, same_id) == 0 ? "the same booking" : "ANOTHER BOOKING");
    if (strcmp(id, same_id) != 0)
        return 0;
    printf("bot:     %s\n\n", said);

    printf("second caller:  %s, please. I am Jane Roe.\n", when);
    reply = book(client, bot_id, second_key, chosen, "+15557654321", "Jane Roe", &status);
    json_copy(reply, "/error/code", code, sizeof code);
    if (status != PBK_SLOT_UNAVAILABLE || strcmp(code, "slot_unavailable") != 0) {
        printf("    This should have been refused:\n    %s\n", reply == NULL ? "(out of memory)" : reply);
        pbk_string_free(reply);
        return 0;
    }
    printf("    refused    %s: %s\n", code, pbk_status_text(status));
    pbk_string_free(reply);
    printf("bot:     I am sorry, somebody was faster. Shall I look for another time?\n");
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
    all_happened = converse(client, bot_id, argc > 3 ? argv[3] : NAME);
    closed = pbk_client_close(client, 1000);
    if (closed != PBK_OK)
        fprintf(stderr, "closing: %s\n", pbk_status_text(closed));
    return all_happened && closed == PBK_OK ? 0 : 1;
}
