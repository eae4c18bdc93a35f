/*
 * From one free window to "ten thirty" booked, without a JSON library: the caller's words become
 * a range, the platform's reply becomes slots, a slot becomes a booking, and the booking becomes
 * words.
 *
 *     ./ten_thirty ["tomorrow at ten thirty"]
 *
 * The clinic of the sandbox lists whole windows, as many platforms do.
 */
#include "shared.h"

#define ZONE "America/New_York"
#define NOW "2030-01-14T08:00:00-05:00"
#define BOT "bot_01h2xcejqtf2nbrexx3vqjhp41"

static const char CONFIG[] = "{\"endpoint\":\"sandbox\",\"sandbox\":{\"answer\":\"windows\",\"time_zone\":\"" ZONE
                             "\",\"now\":\"" NOW "\"}}";

/* Returns what the caller said as readings, or the error. */
static char *read_wish(const char *words)
{
    char *request = json_fill("{\"when\":$,\"time_zone\":\"" ZONE "\",\"now\":\"" NOW "\"}", words);
    char *wish = pbk_when(request, NULL);

    free(request);
    return wish;
}

/* Searches the days of a reading. */
static char *search(pbk_client *client, const char *wish)
{
    char *start_at = pbk_json_get(wish, "/readings/0/start_at"), *end_at = pbk_json_get(wish, "/readings/0/end_at");
    char *request = json_fill("{\"bot_id\":\"" BOT "\",\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,"
                              "\"end_at\":$}}}}", start_at, end_at);
    char *reply = pbk_search_availability(client, request, NULL);

    free(request);
    pbk_string_free(start_at);
    pbk_string_free(end_at);
    return reply;
}

/* Makes slots of the reply, and chooses some near the time that the caller named. */
static char *slots_near(const char *reply, const char *wish)
{
    char *around = pbk_json_get(wish, "/readings/0/around");
    char *options = json_fill(around == NULL ? "{\"time_zone\":\"" ZONE "\",\"now\":\"" NOW "\",\"offers\":3}"
                                             : "{\"time_zone\":\"" ZONE "\",\"now\":\"" NOW "\",\"offers\":3,\"around\":$}",
                              around);
    char *slots = pbk_slots(reply, options, NULL);

    free(options);
    pbk_string_free(around);
    return slots;
}

/* Books the first offer. */
static char *book(pbk_client *client, const char *slots)
{
    char *start_at = pbk_json_get(slots, "/offers/0/start_at");
    char *phone = pbk_phone("{\"text\":\"five five five, one two three, four five six seven\",\"region\":\"US\"}", NULL);
    char *number = pbk_json_get(phone, "/phone"), *key = pbk_random_key();
    char *request = json_fill("{\"bot_id\":\"" BOT "\",\"idempotency_key\":$,\"booking\":{\"start_at\":$,"
                              "\"duration_minutes\":30,\"customer\":{\"phone\":$,\"name\":\"John Doe\"}}}",
                              key, start_at, number);
    char *reply = pbk_create_booking(client, request, NULL);

    free(request);
    pbk_string_free(start_at);
    pbk_string_free(phone);
    pbk_string_free(number);
    pbk_string_free(key);
    return reply;
}

/* Puts the booking's own start into words, not that of the request. */
static char *words_for(const char *booking)
{
    char *start_at = pbk_json_get(booking, "/booking/start_at");
    char *request = json_fill("{\"start_at\":$,\"time_zone\":\"" ZONE "\",\"now\":\"" NOW "\"}", start_at);
    char *said = pbk_say(request, NULL), *words = pbk_json_get(said, "/say");

    free(request);
    pbk_string_free(start_at);
    pbk_string_free(said);
    return words;
}

int main(int argc, char **argv)
{
    char *error = NULL, *wish, *reply, *slots, *token, *booking, *words;
    pbk_client *client = pbk_client_open(CONFIG, &error, NULL);
    int is_booked;

    if (client == NULL) {
        fprintf(stderr, "%s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    wish = read_wish(argc > 1 ? argv[1] : "tomorrow at ten thirty");
    reply = search(client, wish);
    slots = slots_near(reply, wish);
    token = pbk_json_get(slots, "/offers/0/slot");
    booking = book(client, slots);
    words = words_for(booking);
    is_booked = words != NULL;
    printf("the platform: %s\n", reply);
    printf("the slot: %s\n", token == NULL ? slots : token);
    printf(is_booked ? "say: You are booked for %s.\n" : "not booked: %s\n", is_booked ? words : booking);
    pbk_string_free(wish);
    pbk_string_free(reply);
    pbk_string_free(slots);
    pbk_string_free(token);
    pbk_string_free(booking);
    pbk_string_free(words);
    return pbk_client_close(client, 1000) == PBK_OK && is_booked ? 0 : 1;
}
