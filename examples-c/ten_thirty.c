/*
 * Books "ten thirty" from one free window, without a JSON library. The caller's words become a
 * range, and the platform's reply becomes slots. A slot becomes a booking, and the booking becomes
 * words.
 *
 *     ./ten_thirty ["tomorrow at ten thirty"]
 *     ./ten_thirty "next Tuesday at ten thirty" "the second one"
 *
 * If the first text has two meanings, the bot asks which is meant. The second text is the answer.
 * The clinic of the sandbox lists whole windows, as many platforms do.
 */
#include "shared.h"

#define CLINIC "\"time_zone\":\"America/New_York\",\"now\":\"2030-01-14T08:00:00-05:00\"" /* no "now" in production */
#define BOT "bot_01h2xcejqtf2nbrexx3vqjhp41"
#define MINUTES "30"

static const char CONFIG[] = "{\"endpoint\":\"sandbox\",\"sandbox\":{\"answer\":\"windows\"," CLINIC "}}";

/* Returns 1 if a call succeeded. If not, prints the error and a sentence for the caller. */
static int succeeded(const char *reply)
{
    pbk_status status = pbk_reply_status(reply);

    if (status == PBK_OK)
        return 1;
    fprintf(stderr, "%s\n", reply == NULL ? "out of memory" : reply);
    if (status == PBK_TIME_UNCLEAR)
        puts("say: For which day and time, please?");
    else if (status == PBK_PHONE_UNCLEAR)
        puts("say: Could you say your number again, please?");
    else if (status == PBK_SLOT_UNAVAILABLE)
        puts("say: Somebody was faster. Shall I look for another time?");
    else if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN)
        puts("say: I am confirming that for you.");
    else
        puts("say: Let me put you through to a colleague.");
    return 0;
}

/* Reads the caller's words. Returns the possible readings, or the error. */
static char *read_wish(const char *words)
{
    char *request = json_fill("{\"when\":$," CLINIC "}", words);
    char *wish = pbk_when(request, NULL);

    free(request);
    return wish;
}

/*
 * Returns one start for each reading, in the form of a search reply. A reading without a time
 * starts at the end of its day.
 */
static char *starts_of(const char *wish, const char **style)
{
    char pointer[40], day[16], time[16], start[64], *list = json_fill(""), *reply;
    int index;

    for (index = 0, *style = "day"; list != NULL; index++) {
        snprintf(pointer, sizeof pointer, "/readings/%d/from", index);
        if (!json_copy(wish, pointer, day, sizeof day))
            break;
        snprintf(pointer, sizeof pointer, "/readings/%d/around", index);
        if (!json_copy(wish, pointer, time, sizeof time)) {
            snprintf(pointer, sizeof pointer, "/readings/%d/not_before", index);
            json_copy(wish, pointer, time, sizeof time);
        }
        if (time[0] != '\0')
            *style = "full";
        snprintf(start, sizeof start, "%s{\"start_at\":\"%sT%s\"}", index > 0 ? "," : "", day, time[0] ? time : "23:59");
        json_append(&list, start, strlen(start));
    }
    reply = json_fill("{\"availabilities\":[#]}", list);
    free(list);
    return reply;
}

/*
 * Returns the reading that the caller means. If there are two, asks the caller, and looks for the
 * answer among them. Returns NULL if the bot must ask again.
 */
static char *reading_of(const char *wish, const char *answer)
{
    char *clear = pbk_json_get(wish, "/clear"), *reading = NULL;

    if (clear != NULL && strcmp(clear, "true") == 0) {
        reading = pbk_json_get(wish, "/readings/0");
    } else {
        const char *style;
        char *starts = starts_of(wish, &style), *options = json_fill("{" CLINIC ",\"pick\":$}", answer);
        char *slots = pbk_slots(starts, options, NULL), *list = pbk_json_get(slots, "/slots");
        char *request = json_fill("{" CLINIC ",\"slots\":#,\"style\":$}", list, style);
        char *said = pbk_say(request, NULL), *words = pbk_json_get(said, "/say");
        char *picked = pbk_json_get(slots, "/picked/item"), pointer[40];

        printf("say: %s%s?\n", words == NULL ? "Which day" : "Do you mean ", words == NULL ? "" : words);
        if (picked != NULL) {
            snprintf(pointer, sizeof pointer, "/readings/%.8s", picked);
            reading = pbk_json_get(wish, pointer);
        }
        free(starts);
        free(options);
        free(request);
        pbk_string_free(slots);
        pbk_string_free(list);
        pbk_string_free(said);
        pbk_string_free(words);
        pbk_string_free(picked);
    }
    pbk_string_free(clear);
    return reading;
}

/* Searches the days of a reading. */
static char *search(pbk_client *client, const char *reading)
{
    char *start_at = pbk_json_get(reading, "/start_at"), *end_at = pbk_json_get(reading, "/end_at");
    char *request = json_fill("{\"bot_id\":\"" BOT "\",\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,"
                              "\"end_at\":$}}}}", start_at, end_at);
    char *reply = pbk_search_availability(client, request, NULL);

    free(request);
    pbk_string_free(start_at);
    pbk_string_free(end_at);
    return reply;
}

/* Makes slots of the reply, and chooses up to three that match the caller's wish. */
static char *slots_for(const char *reading, const char *reply)
{
    char *options = json_fill("{" CLINIC ",\"duration_minutes\":" MINUTES ",\"offers\":3,\"reading\":#}", reading);
    char *slots = pbk_slots(reply, options, NULL);

    free(options);
    return slots;
}

/* Books a slot. Repeats use the same key, and cannot book it twice. */
static char *book(pbk_client *client, const char *slot, const char *number)
{
    char *start_at = pbk_json_get(slot, "/start_at"), *key = pbk_random_key();
    char *request = json_fill("{\"bot_id\":\"" BOT "\",\"idempotency_key\":$,\"booking\":{\"start_at\":$,"
                              "\"duration_minutes\":" MINUTES ",\"customer\":{\"phone\":$,\"name\":\"John Doe\"}}}",
                              key, start_at, number);
    char *reply = pbk_create_booking(client, request, NULL);
    int repeats;

    for (repeats = 0; repeats < 2 && pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN; repeats++) {
        pbk_string_free(reply);
        reply = pbk_create_booking(client, request, NULL);
    }
    free(request);
    pbk_string_free(start_at);
    pbk_string_free(key);
    return reply;
}

/* Returns a slot, or the booking of a reply, in words. */
static char *words_for(const char *slot)
{
    char *request = json_fill("{\"slot\":#," CLINIC "}", slot);
    char *said = pbk_say(request, NULL), *words = pbk_json_get(said, "/say");

    free(request);
    pbk_string_free(said);
    return words;
}

/* Offers and books the first slot. Returns 1 if it is booked. */
static int book_first(pbk_client *client, const char *slots)
{
    char *slot = pbk_json_get(slots, "/offers/0"), *offer = words_for(slot);
    char *phone = pbk_phone("{\"text\":\"five five five, one two three, four five six seven\",\"region\":\"US\"}", NULL);
    char *number = pbk_json_get(phone, "/phone"), *reply = NULL, *booking = NULL, *words = NULL;
    int is_booked = 0;

    if (slot == NULL) {
        puts("say: Nothing is free then. Which other day suits you?");
    } else if (succeeded(phone)) {
        printf("say: I have %s.\n", offer == NULL ? "a slot" : offer);
        reply = book(client, slot, number);
        is_booked = succeeded(reply);
    }
    if (is_booked) {
        booking = pbk_json_get(reply, "/booking");
        words = words_for(booking);         /* the booking's own start, not that of the request */
        printf("say: You are booked for %s.\n", words == NULL ? "that time" : words);
    }
    pbk_string_free(slot);
    pbk_string_free(offer);
    pbk_string_free(phone);
    pbk_string_free(number);
    pbk_string_free(reply);
    pbk_string_free(booking);
    pbk_string_free(words);
    return is_booked;
}

int main(int argc, char **argv)
{
    char *error = NULL, *wish, *reading = NULL, *reply = NULL, *slots = NULL;
    pbk_client *client = pbk_client_open(CONFIG, &error, NULL);
    int is_booked;

    if (client == NULL) {
        fprintf(stderr, "%s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    wish = read_wish(argc > 1 ? argv[1] : "tomorrow at ten thirty");
    is_booked = succeeded(wish)
        && (reading = reading_of(wish, argc > 2 ? argv[2] : "")) != NULL
        && succeeded(reply = search(client, reading))
        && succeeded(slots = slots_for(reading, reply))
        && book_first(client, slots);
    pbk_string_free(wish);
    pbk_string_free(reading);
    pbk_string_free(reply);
    pbk_string_free(slots);
    return pbk_client_close(client, 1000) == PBK_OK && is_booked ? 0 : 1;
}
