/*
 * The engine's side of a phone call, for phone_call.c. It opens the client, submits the model's
 * tool calls, and takes their completions.
 */
#ifndef PARTNERBOOKING_EXAMPLES_PHONE_LINE_H
#define PARTNERBOOKING_EXAMPLES_PHONE_LINE_H

#define _POSIX_C_SOURCE 200809L
#include "shared.h"

#define ZONE "America/New_York"
#define BOT "bot_01h2xcejqtf2nbrexx3vqjhp41"
#define CALLER "+12125550123"

/*
 * The clinic answers after one second, and lists whole free windows. Its clock starts on a Monday
 * at eight.
 */
#define CLINIC \
    "\"answer\":\"windows\",\"time_zone\":\"" ZONE "\",\"now\":\"2030-01-14T08:00:00-05:00\",\"latency_ms\":1000"
#define VOICE "\"time_zone\":\"" ZONE "\",\"region\":\"US\",\"cache_ms\":60000"

/* In the demo, another patient takes the slot just before the first booking arrives. */
#define CONFIG_OF_THE_DEMO \
    "{\"endpoint\":\"sandbox\",\"sandbox\":{" CLINIC ",\"faults\":[{\"fault\":\"error\",\"status\":409," \
    "\"code\":\"slot_unavailable\",\"calls\":[1]}]},\"voice\":{" VOICE "}}"
#define CONFIG_OF_THE_TYPED_CALL "{\"endpoint\":\"sandbox\",\"sandbox\":{" CLINIC "},\"voice\":{" VOICE "}}"

struct phone_line {
    pbk_client *client;
    const char *call_id;    /* unique for each phone call, never used again */
    int has_asked_to_wait;  /* 1 when the bot has asked the caller to wait in this turn */
};

static inline void speak(const char *who, const char *words)
{
    printf("%-8s %s\n", who, words);
    fflush(stdout);
}

/* Opens the client once, when the engine starts, not for each phone call. Returns 0 on failure. */
static inline int open_line(struct phone_line *line, const char *config)
{
    char *error = NULL;

    line->client = pbk_client_open(config, &error, NULL);
    if (line->client == NULL)
        fprintf(stderr, "%s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    return line->client != NULL;
}

/* Searches ahead when the phone rings, so that the first wish needs no round trip. */
static inline int phone_rings(struct phone_line *line)
{
    return pbk_prefetch(line->client, "{\"bot_id\":\"" BOT "\"}", NULL) == PBK_OK;
}

/*
 * Submits a tool call of the model and returns at once. The arguments go in unchanged: an object
 * or, with `is_text`, a text that contains an object. Returns the ticket, or 0 on failure.
 */
static inline pbk_ticket call_tool(struct phone_line *line, const char *tool, const char *arguments, int is_text)
{
    const char *form = is_text ? "{\"tool\":$,\"call_id\":$,\"bot_id\":\"" BOT "\",\"arguments\":$,"
                                 "\"caller_phone\":\"" CALLER "\",\"slow_after_ms\":300}"
                               : "{\"tool\":$,\"call_id\":$,\"bot_id\":\"" BOT "\",\"arguments\":#,"
                                 "\"caller_phone\":\"" CALLER "\",\"slow_after_ms\":300}";
    char *request = json_fill(form, tool, line->call_id, arguments), *error;
    pbk_ticket ticket;

    if (pbk_submit(line->client, PBK_CALL_TOOL, request, &ticket, &error, NULL, line) != PBK_OK)
        fprintf(stderr, "refused: %s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    free(request);
    return ticket;
}

/*
 * Waits up to 40 s for the next event of a tool call. Free it. This thread has nothing else to do.
 * An engine puts pbk_client_fd() into its loop, and takes completions with a timeout of 0.
 */
static inline pbk_completion *next_event(struct phone_line *line)
{
    pbk_completion *completion = pbk_next_completion(line->client, 40000, NULL);

    if (pbk_completion_event(completion) == PBK_EVENT_SLOW && !line->has_asked_to_wait) {
        speak("bot:", "One moment, please.");
        line->has_asked_to_wait = 1;
    }
    return completion;
}

/* Takes the end of a tool call. Free it. Returns NULL if it does not come. */
static inline pbk_completion *next_end(struct phone_line *line)
{
    pbk_completion *completion;

    while ((completion = next_event(line)) != NULL && pbk_completion_event(completion) != PBK_EVENT_DONE)
        pbk_completion_free(completion);
    return completion;
}

/*
 * Speaks the answer's `say`, and writes its `result`. If a call has no answer, writes the error's
 * code, such as "cancelled". An engine also sends `text` to the model, as the result of the tool.
 */
static inline void speak_answer(const pbk_completion *end, char result[32])
{
    const char *answer = pbk_completion_reply(end);
    char *say = pbk_json_get(answer, "/say");

    if (!json_copy(answer, "/result", result, 32) && !json_copy(answer, "/error/code", result, 32))
        strcpy(result, "no answer");
    if (say != NULL)
        speak("bot:", say);
    pbk_string_free(say);
}

/*
 * Ends the conversation after the caller has hung up. The offered slots are forgotten. Bookings
 * stay.
 */
static inline int hang_up(struct phone_line *line)
{
    char *request = json_fill("{\"bot_id\":\"" BOT "\",\"call_id\":$}", line->call_id);
    pbk_status status = pbk_conversation_end(line->client, request, NULL);

    free(request);
    return status == PBK_OK;
}

/* Prints the clinic's books, which the caller does not see. Returns the number of appointments. */
static inline int print_books(struct phone_line *line)
{
    char *books = pbk_sandbox_bookings(line->client, NULL), pointer[64], start_at[64];
    int count;

    for (count = 0;; count++) {
        snprintf(pointer, sizeof pointer, "/bookings/%d/start_at", count);
        if (!json_copy(books, pointer, start_at, sizeof start_at))
            break;
        printf("The clinic's books: an appointment at %s\n", start_at);
    }
    if (count == 0)
        puts("The clinic's books: no appointment");
    pbk_string_free(books);
    return count;
}

#endif
