/*
 * The typed call of phone_call.c. A person types the words of the caller. A few rules replace the
 * language model.
 *
 *     when tomorrow after three    asks for times; so does a line without a command
 *     more                         asks for other times
 *     book the second one          wants that time
 *     name Ann Smith               gives the name; `phone two one two ...` gives another number
 *     yes, no                      answers the question of the bot
 *     another                      wants a second appointment with the next `book`
 *     bye                          hangs up, as does the end of the input
 */
#ifndef PARTNERBOOKING_EXAMPLES_TYPED_MODEL_H
#define PARTNERBOOKING_EXAMPLES_TYPED_MODEL_H

#include <unistd.h>

#include "phone_line.h"

/* The memory of the model. "" means unknown: the library reads it as null. */
struct model {
    char slot[256], name[256], phone[256], another[8];
    char result[32];    /* result of its last tool call */
};

/* Returns the text after the word, or NULL if the line does not begin with the word. */
static inline const char *after_word(const char *line, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(line, word, length) != 0 || (line[length] != ' ' && line[length] != '\0'))
        return NULL;
    return line[length] == ' ' ? line + length + 1 : line + length;
}

/* Calls the tool, waits for the answer and speaks it. Frees the arguments. After a read-back,
   remembers the slot by its name. */
static inline void ask(struct phone_line *line, struct model *model, const char *tool, char *arguments)
{
    pbk_completion *end = NULL;

    printf("model:   %s %s\n", tool, arguments == NULL ? "(out of memory)" : arguments);
    if (arguments != NULL && call_tool(line, tool, arguments, 0) != 0)
        end = next_end(line);
    speak_answer(end, model->result);
    if (strcmp(model->result, "readback") == 0)
        json_copy(pbk_completion_reply(end), "/slots/0/slot", model->slot, sizeof model->slot);
    pbk_completion_free(end);
    free(arguments);
}

static inline void find_times(struct phone_line *line, struct model *model, const char *when, const char *more)
{
    ask(line, model, "find_appointment_slots",
        json_fill("{\"when\":$,\"time\":null,\"service\":null,\"more\":#}", when, more));
}

static inline void book(struct phone_line *line, struct model *model, const char *confirmed)
{
    ask(line, model, "book_appointment",
        json_fill("{\"slot\":$,\"name\":$,\"phone\":$,\"caller_confirmed\":#,\"another\":$}", model->slot, model->name,
                  model->phone, confirmed, model->another));
    if (strcmp(model->result, "booked") == 0)
        model->another[0] = '\0';
}

/* Acts on a line of the caller, in place of the model. */
static inline void hear(struct phone_line *line, struct model *model, const char *words)
{
    const char *rest;

    if ((rest = after_word(words, "name")) != NULL)
        snprintf(model->name, sizeof model->name, "%s", rest);
    else if ((rest = after_word(words, "phone")) != NULL)
        snprintf(model->phone, sizeof model->phone, "%s", rest);
    else if ((rest = after_word(words, "book")) != NULL)
        snprintf(model->slot, sizeof model->slot, "%s", rest);
    else if (after_word(words, "another") != NULL)
        strcpy(model->another, "true");

    if (rest != NULL && model->slot[0] == '\0')
        speak("bot:", "Thank you. Which day and time would suit you?");
    else if (rest != NULL)
        book(line, model, "false");
    else if (after_word(words, "yes") != NULL && strcmp(model->result, "readback") == 0)
        book(line, model, "true");
    else if (after_word(words, "yes") != NULL || after_word(words, "no") != NULL)
        speak("bot:", "Which day and time would suit you?");
    else if (after_word(words, "another") != NULL)
        speak("bot:", "Another appointment. Which day and time would suit you?");
    else if (after_word(words, "more") != NULL)
        find_times(line, model, "", "true");
    else
        find_times(line, model, (rest = after_word(words, "when")) == NULL ? words : rest, "false");
}

static inline int typed_call(void)
{
    struct phone_line line = {NULL, "typed-call-1", 0};
    struct model model = {"", "", "", "", ""};
    char words[256];
    int is_right;

    if (!open_line(&line, CONFIG_OF_THE_TYPED_CALL))
        return 0;
    is_right = phone_rings(&line);
    puts("At the clinic it is Monday, January 14, 2030, at eight. You call from " CALLER ".\n"
         "Type: when tomorrow after three | more | book the second one | name Ann Smith | yes | no | bye");
    speak("bot:", "Good morning, this is the clinic. How can I help?");
    while (fputs("caller:  ", stdout), fflush(stdout), fgets(words, sizeof words, stdin) != NULL) {
        words[strcspn(words, "\r\n")] = '\0';
        if (!isatty(STDIN_FILENO))
            puts(words);    /* so that the output shows the whole call */
        line.has_asked_to_wait = 0;
        if (after_word(words, "bye") != NULL)
            break;
        if (words[0] != '\0')
            hear(&line, &model, words);
    }
    puts("");
    is_right &= hang_up(&line);
    print_books(&line);
    return pbk_client_close(line.client, 2000) == PBK_OK && is_right;
}

#endif
