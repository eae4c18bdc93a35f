/*
 * Helpers of several examples: a value out of JSON, a request with values in it, a time in words, a
 * failure in print.
 */
#ifndef PARTNERBOOKING_EXAMPLES_SHARED_H
#define PARTNERBOOKING_EXAMPLES_SHARED_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"

/*
 * Copies the value at `pointer` out of a reply. Returns 0, and leaves "" there, when there is no such value or no room
 * for it.
 */
static inline int json_copy(const char *json, const char *pointer, char *value, size_t size)
{
    char *found = pbk_json_get(json, pointer);
    int fits = found != NULL && strlen(found) < size;

    strcpy(value, fits ? found : "");
    pbk_string_free(found);
    return fits;
}

/* Appends to a string of malloc(). Returns 0 when there is nothing to append, or no memory. */
static inline int json_append(char **json, const char *text, size_t length)
{
    size_t used = *json == NULL ? 0 : strlen(*json);
    char *longer = text == NULL ? NULL : (char *)realloc(*json, used + length + 1);

    if (longer == NULL)
        return 0;
    memcpy(longer + used, text, length);
    longer[used + length] = '\0';
    *json = longer;
    return 1;
}

/*
 * Builds a request: in `form` each $ becomes the next argument as a JSON string, and each # the next argument as it is,
 * which is for numbers and other JSON. What a caller said goes in by $, with everything escaped that must be. Returns
 * NULL when an argument is NULL or memory is out; the library refuses a NULL request. To be freed with free().
 */
static inline char *json_fill(const char *form, ...)
{
    char *json = NULL, *quoted;
    const char *value;
    int fits = json_append(&json, "", 0);
    va_list values;

    va_start(values, form);
    while (fits && *form != '\0') {
        size_t plain = strcspn(form, "$#");

        fits = json_append(&json, form, plain);
        form += plain;
        if (!fits || *form == '\0')
            break;
        value = va_arg(values, const char *);
        quoted = *form == '$' ? pbk_json_quote(value) : NULL;
        if (*form++ == '$')
            value = quoted;
        fits = json_append(&json, value, value == NULL ? 0 : strlen(value));
        pbk_string_free(quoted);
    }
    va_end(values);
    if (fits)
        return json;
    free(json);
    return NULL;
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
