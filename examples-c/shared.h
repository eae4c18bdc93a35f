/*
 * Helpers of several examples: JSON values, requests, starts to offer, times in words, and errors.
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
 * Copies the value at `pointer` out of a reply. If there is no such value, or no room for it,
 * writes "" and returns 0.
 */
static inline int json_copy(const char *json, const char *pointer, char *value, size_t size)
{
    char *found = pbk_json_get(json, pointer);
    int fits = found != NULL && strlen(found) < size;

    strcpy(value, fits ? found : "");
    pbk_string_free(found);
    return fits;
}

/* Appends to a string from malloc(). Returns 0 when `text` is NULL or memory is out. */
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
 * Builds a request from `form`. Each $ becomes the next argument as a JSON string, with all
 * escapes. Each # becomes the next argument as it is, for numbers and other JSON. Use $ for the
 * caller's words. Returns NULL when an argument is NULL or memory is out. The library refuses a
 * NULL request. Free the request with free().
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

/*
 * Cuts a free item of a search into appointments of `minutes`. Writes the start of appointment
 * `number`, counted from 0, if there is one. The first start is rounded up to full five minutes.
 * Appointments after midnight are left out. Returns the number of appointments in the item.
 */
static inline int cut_item(const char *item, int item_minutes, int minutes, int number, char *start_at, size_t size)
{
    int year, month, day, hour, minute, second, begin, end, count;
    const char *zone = strlen(item) < 19 ? NULL : strpbrk(item + 19, "Zz+-");

    if (zone == NULL || sscanf(item, "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) != 6)
        return 0;
    begin = hour * 60 + minute;
    end = item_minutes < 24 * 60 - begin ? begin + item_minutes : 24 * 60;
    begin = (begin + (second > 0 || item[19] == '.') + 4) / 5 * 5;
    count = end < begin ? 0 : (end - begin) / minutes;
    begin += number * minutes;
    if (number < count)
        snprintf(start_at, size, "%.11s%02d:%02d:00%s", item, begin / 60, begin % 60, zone);
    return count;
}

/*
 * Finds free appointment `number`, counted from 0, in the reply of a search. Writes its start. The
 * program sets its length, `minutes`. Some platforms list slots: shorter slots are left out. Others
 * list whole free windows, such as a day of 480 minutes: these are cut. If there is none, writes ""
 * and returns 0.
 */
static inline int find_start(const char *reply, int number, int minutes, char *start_at, size_t size)
{
    char pointer[64], item[64], length[16];
    int index, item_minutes, count;

    start_at[0] = '\0';
    for (index = 0; number >= 0; index++) {
        snprintf(pointer, sizeof pointer, "/availabilities/%d/start_at", index);
        if (!json_copy(reply, pointer, item, sizeof item))
            return 0;
        snprintf(pointer, sizeof pointer, "/availabilities/%d/duration_minutes", index);
        item_minutes = json_copy(reply, pointer, length, sizeof length) ? atoi(length) : minutes;
        if (item_minutes < minutes)
            continue;
        count = item_minutes == minutes ? 1 : cut_item(item, item_minutes, minutes, number, start_at, size);
        if (item_minutes == minutes && number == 0)
            snprintf(start_at, size, "%s", item);   /* a slot: its start, as the platform writes it */
        if (number < count)
            return start_at[0] != '\0';
        number -= count;
    }
    return 0;
}

/* Writes a time as the bot says it: 2030-01-14T10:00:00Z is "Monday 14 January at 10:00". */
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
    day.tm_hour = 12;   /* only to get the weekday: noon is on the same day in every time zone */
    day.tm_isdst = -1;
    mktime(&day);
    strftime(date, sizeof date, "%A %d %B", &day);
    snprintf(text, size, "%s at %02d:%02d", date, hour, minute);
}

/*
 * Writes the words of the bot for a booking that was made. They have the start and status of the
 * reply, not those of the request. A platform may confirm later.
 */
static inline void say_booked(const char *reply, char *text, size_t size)
{
    char start_at[64], status[64], when[80];

    json_copy(reply, "/booking/start_at", start_at, sizeof start_at);
    json_copy(reply, "/booking/status", status, sizeof status);
    say_time(start_at, when, sizeof when);
    if (strcmp(status, "confirmed") == 0 || strcmp(status, "accepted") == 0)
        snprintf(text, size, "You are booked for %s.", when);
    else
        snprintf(text, size, "I have noted %s for you. The clinic will confirm it.", when);
}

/* Prints the reply of a failed call, and the meaning of its status. */
static inline void report(const char *what, pbk_status status, const char *reply)
{
    printf("    %s failed: %s\n    %s\n", what, pbk_status_text(status), reply == NULL ? "(out of memory)" : reply);
}

#endif
