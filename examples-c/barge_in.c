/*
 * Plays a caller who interrupts a search, and then hangs up during a booking. Shows how
 * pbk_cancel() ends a search, and how "detach" protects a booking from it.
 *
 *     barge_in
 *
 * Talks to the embedded sandbox, where each reply takes 400 ms. Exits with 0 only if all three acts
 * below succeed.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "partnerbooking.h"
#include "shared.h"

#define CONFIG \
    "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00-05:00\",\"time_zone\":\"-05:00\",\"latency_ms\":400}}"
#define MINUTES 30      /* set your own length, also in BOOKING */
#define SEARCH(day) \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"" day "T09:00:00-05:00\",\"end_at\":\"" day "T17:00:00-05:00\"}}}}"
#define BOOKING \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"call-7-1\",\"detach\":true," \
    "\"booking\":{\"start_at\":$,\"duration_minutes\":30," \
    "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"

static double milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Waits while the bot speaks. The call in flight goes on meanwhile. */
static void talk_for(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&time, NULL);
}

/* Submits a call, and prints the error if it is refused. Returns its ticket, or 0. */
static pbk_ticket submit(pbk_client *client, pbk_operation operation, const char *request)
{
    pbk_ticket ticket;
    char *error;

    if (pbk_submit(client, operation, request, &ticket, &error, NULL, NULL) != PBK_OK)
        printf("    refused: %s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    return ticket;
}

/*
 * Waits for the completion of this call, the only call in flight. Free the completion. Returns NULL
 * if the call was refused or no completion comes within 5 s. An engine with other work serves its
 * loop instead of waiting: see epoll_engine.c.
 */
static pbk_completion *ended(pbk_client *client, pbk_ticket ticket)
{
    pbk_completion *completion = ticket == 0 ? NULL : pbk_next_completion(client, 5000, NULL);

    if (pbk_completion_ticket(completion) == ticket)
        return completion;
    pbk_completion_free(completion);
    return NULL;
}

/* Plays act 1: the caller speaks during the search. Returns 1 if that cancelled it. */
static int interrupted_search(pbk_client *client)
{
    pbk_ticket search;
    pbk_completion *completion;
    double cancelled;
    pbk_status status;

    printf("caller:  Do you have anything on Monday?\n");
    search = submit(client, PBK_SEARCH_AVAILABILITY, SEARCH("2030-01-14"));
    printf("bot:     Let me see what we have on ...\n");
    talk_for(100);
    printf("caller:  Sorry, Tuesday, I meant.\n");
    cancelled = milliseconds();
    status = pbk_cancel(client, search);
    completion = ended(client, search);
    printf("    %s, %.3f ms after the caller spoke\n", pbk_status_text(pbk_completion_status(completion)),
           milliseconds() - cancelled);
    status = status == PBK_OK ? pbk_completion_status(completion) : status;
    pbk_completion_free(completion);
    return status == PBK_CANCELLED;
}

/* Plays act 2: the search that the caller wants. Returns 1 if there is a slot. */
static int second_search(pbk_client *client, char slot[64])
{
    pbk_completion *completion = ended(client, submit(client, PBK_SEARCH_AVAILABILITY, SEARCH("2030-01-15")));
    const char *reply = pbk_completion_reply(completion);   /* NULL if there is no completion */
    int found = find_start(reply, 0, MINUTES, slot, 64);

    if (found)
        printf("bot:     I can offer you %s.\n", slot);
    else
        printf("    no slot: %s\n", reply == NULL ? "(no reply)" : reply);
    pbk_completion_free(completion);
    return found;
}

/*
 * Plays act 3: the caller hangs up during the booking, and the engine cancels all calls in flight.
 * A search should end then. A booking should reach its end, so that the engine knows whether there
 * is an appointment. Therefore it has "detach". Returns 1 if it is booked.
 */
static int detached_booking(pbk_client *client, const char *slot)
{
    char *request = json_fill(BOOKING, slot);
    pbk_ticket booking;
    pbk_completion *completion;
    const char *reply;
    double hung_up;
    int booked;

    printf("caller:  Take it.\n");
    booking = submit(client, PBK_CREATE_BOOKING, request);
    free(request);
    talk_for(100);
    printf("    (The caller hangs up.)\n");
    hung_up = milliseconds();
    if (pbk_cancel(client, booking) != PBK_OK)
        return 0;
    completion = ended(client, booking);
    reply = pbk_completion_reply(completion);
    booked = completion != NULL && pbk_completion_status(completion) == PBK_OK;
    printf("    %s, %.0f ms after the caller hung up:\n    %s\n", booked ? "booked" : "NOT BOOKED",
           milliseconds() - hung_up, reply == NULL ? "(no reply)" : reply);
    pbk_completion_free(completion);
    return booked;
}

int main(void)
{
    char slot[64], *error = NULL;
    pbk_client *client = pbk_client_open(CONFIG, &error, NULL);
    int fine;

    if (client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }
    fine = interrupted_search(client) && second_search(client, slot) && detached_booking(client, slot);
    if (pbk_client_close(client, 1000) != PBK_OK)
        fine = 0;
    return fine ? 0 : 1;
}
