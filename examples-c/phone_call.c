/*
 * Plays a phone call: a caller, a language model that makes typical mistakes, and the library
 * between them. At the end there is one appointment, the appointment that the caller has heard.
 *
 *     ./phone_call            a scripted caller and a scripted model, on the embedded sandbox
 *     ./phone_call --typed    you are the caller: see typed_model.h
 *
 * An engine sends the `text` of each tool call to the model, and speaks its `say`. The model here
 * is scripted. So the program prints `say`, and `text` only where the script checks it. Exits with
 * 0 only if all went as SCRIPT expects.
 */
#include "phone_line.h"
#include "typed_model.h"

#define FIND "find_appointment_slots"
#define BOOK "book_appointment"

struct turn {
    const char *caller;         /* words before the tool call; NULL: the model acts by itself */
    const char *tool;
    const char *arguments;
    int is_text;                /* 1 when the model sends its JSON in a string */
    int times;                  /* number of tool calls, sent without waiting */
    const char *interruption;   /* words of the caller during the tool call, or NULL */
    const char *result;
    const char *text;           /* the start of the answer's `text`; NULL: not checked */
    const char *why;
};

static const struct turn SCRIPT[] = {
    {"Hi, do you have anything on Wednesday, after three?",
     FIND, "{\"when\":\"Wednesday, 2030-01-15\",\"time\":\"after three\"}", 0, 1, NULL,
     "offered", "Date and weekday did not agree; the weekday was taken. Say the date to the caller.",
     "The fifteenth is a Tuesday. The caller's own word counts, and the model is told."},
    {"Half past three. I'm Ann Smith.",
     BOOK, "{\"slot\":\"wed16-1503v\",\"name\":\"Ann Smith\",\"caller_confirmed\":true}", 0, 1, NULL,
     "not_offered", NULL, "Two digits are swapped. The check letter shows it. No time is guessed."},
    {"As I said: half past three.",
     BOOK, "{\"slot\":\"wed16-1530v\",\"name\":\"Ann Smith\",\"phone\":null}", 1, 1, NULL,
     "readback", NULL, "JSON in a string is read. Not confirmed yet: the caller has to hear it first."},
    {"Yes.",
     BOOK, "{\"slot\":\"WED16 1530\",\"name\":\"Ann Smith\",\"caller_confirmed\":\"true\"}", 0, 1, NULL,
     "slot_gone", NULL, "The slot's name is read in any form. Somebody was faster; the same call has looked for other times."},
    {"Then at four.",
     BOOK, "{\"slot\":\"wed16-1600s\",\"name\":\"Ann Smith\"}", 0, 1, NULL,
     "readback", NULL, "It is another time, so it is read back again."},
    {"Yes, please.",
     BOOK, "{\"slot\":\"wed16-1600s\",\"name\":\"Ann Smith\",\"caller_confirmed\":true}", 0, 2,
     "Oh, wait! Thursday at ten would be better.",
     "cancelled", NULL, "The engine cancels both calls. The booking was sent, and the library lets it end."},
    {NULL,
     FIND, "{\"when\":\"Thursday\",\"time\":\"at ten\"}", 0, 1, NULL,
     "offered", "It is not known yet whether Wednesday, January sixteenth at four in the afternoon is booked.",
     "The booking under way is not forgotten."},
    {"Yes, that one.",
     BOOK, "{\"slot\":\"thu17-1000w\",\"name\":\"Ann Smith\",\"caller_confirmed\":true}", 0, 1, NULL,
     "already", "The caller has an appointment from this call: Wednesday, January sixteenth at four in the afternoon.",
     "First the booking in doubt is settled. It was made, so Thursday is not booked."},
    {"Ah, it went through? Then I keep that one. It's Smyth, with a Y.",
     BOOK, "{\"slot\":\"wed16-1600s\",\"name\":\"Ann Smyth\",\"caller_confirmed\":true}", 0, 1, NULL,
     "already", NULL, "The same appointment with another name is no second appointment."},
};

static void talk_for(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/*
 * Plays an interruption. While the bot asks for a moment, the caller speaks, and the engine cancels
 * the tool calls in flight.
 */
static void interrupt(struct phone_line *line, const char *words, const pbk_ticket *tickets, int count)
{
    pbk_completion_free(next_event(line));
    speak("caller:", words);
    while (count-- > 0)
        pbk_cancel(line->client, tickets[count]);
}

/* Takes the end of a tool call of this turn. Returns 1 if it is as expected. */
static int take_end(struct phone_line *line, const struct turn *turn)
{
    pbk_completion *end = next_end(line);
    char *text = pbk_json_get(pbk_completion_reply(end), "/text");
    char result[32];
    int is_right;

    speak_answer(end, result);
    is_right = strcmp(result, turn->result) == 0
        && (turn->text == NULL || (text != NULL && strncmp(text, turn->text, strlen(turn->text)) == 0));
    printf("         %s%s\n", is_right ? "" : "NOT AS EXPECTED: ", result);
    if (turn->text != NULL)
        printf("         to the model: %s\n", is_right || text == NULL ? turn->text : text);
    pbk_string_free(text);
    pbk_completion_free(end);
    return is_right;
}

/* Plays a turn. Returns 1 if all went as expected. */
static int play(struct phone_line *line, const struct turn *turn)
{
    pbk_ticket tickets[2] = {0, 0};
    int index, is_right = 1;

    line->has_asked_to_wait = 0;
    if (turn->caller != NULL)
        speak("caller:", turn->caller);
    for (index = 0; index < turn->times; index++) {
        printf("model:   %s %s%s%s\n", turn->tool, turn->is_text ? "'" : "", turn->arguments, turn->is_text ? "'" : "");
        if ((tickets[index] = call_tool(line, turn->tool, turn->arguments, turn->is_text)) == 0)
            return 0;
    }
    if (turn->interruption != NULL)
        interrupt(line, turn->interruption, tickets, turn->times);
    for (index = 0; index < turn->times; index++)
        is_right &= take_end(line, turn);
    printf("         (%s)\n\n", turn->why);
    return is_right;
}

static int play_script(void)
{
    struct phone_line line = {NULL, "call-7", 0};
    size_t index;
    int is_right;

    if (!open_line(&line, CONFIG_OF_THE_DEMO))
        return 0;
    is_right = phone_rings(&line);
    speak("bot:", "Good morning, this is the clinic. How can I help?");
    talk_for(1200);     /* the search ends before the caller speaks */
    for (index = 0; index < sizeof SCRIPT / sizeof SCRIPT[0]; index++)
        is_right &= play(&line, &SCRIPT[index]);
    is_right &= hang_up(&line);
    is_right &= print_books(&line) == 1;
    is_right &= pbk_client_close(line.client, 2000) == PBK_OK;
    return is_right;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--typed") != 0) {
        fprintf(stderr, "usage: phone_call [--typed]\n");
        return 2;
    }
    return (argc > 1 ? typed_call() : play_script()) ? 0 : 1;
}
