/*
 * What several examples need and none is about: a peek into JSON, a time in words, a failure in print.
 */
#ifndef PARTNERBOOKING_EXAMPLES_SHARED_H
#define PARTNERBOOKING_EXAMPLES_SHARED_H

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

/*
 * Copies the value of the next member `name` (given with its quotes) out of `json`, and tells where the value ends;
 * NULL and "" when there is no such member, or no room for it. It knows no nesting and leaves escapes as they are. That
 * will do for these examples and for nothing else: the library forces no JSON library on anyone, and a real engine
 * reads replies with the one it has.
 */
static inline const char *json_after(const char *json, const char *name, char *value, size_t size)
{
    const char *start = json == NULL ? NULL : strstr(json, name);
    size_t length = 0;

    value[0] = '\0';
    if (start == NULL)
        return NULL;
    start += strlen(name);
    start += strspn(start, " \t\r\n:");
    if (*start == '"') {
        for (start++; start[length] != '"' && start[length] != '\0'; length++)
            if (start[length] == '\\' && start[length + 1] != '\0')
                length++;
    } else {
        length = strcspn(start, ",}] \t\r\n");
    }
    if (length >= size)
        return NULL;
    memcpy(value, start, length);
    value[length] = '\0';
    return start + length;
}

/* "2030-01-14T10:00:00Z" as the bot says it: "Monday 14 January at 10:00". */
static inline void say_time(const char *start_at, char *text, size_t size)
{
    struct tm day;
    int year, month, hour, minute;
    char date[40];

    memset(&day, 0, sizeof day);
    if (sscanf(start_at, "%d-%d-%dT%d:%d", &year, &month, &day.tm_mday, &hour, &minute) != 5) {
        snprintf(text, size, "%.60s", start_at);
        return;
    }
    day.tm_year = year - 1900;
    day.tm_mon = month - 1;
    day.tm_hour = 12;   /* only to learn the weekday: noon is the same day in every time zone's rules */
    day.tm_isdst = -1;
    mktime(&day);
    strftime(date, sizeof date, "%A %d %B", &day);
    snprintf(text, size, "%s at %02d:%02d", date, hour, minute);
}

/* Prints what a failed call said, and what the status means. */
static inline void report(const char *what, pbk_status status, const char *reply)
{
    printf("    %s failed: %s\n    %s\n", what, pbk_status_text(status), reply == NULL ? "(out of memory)" : reply);
}

#endif
