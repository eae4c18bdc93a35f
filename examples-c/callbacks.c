/*
 * Searches and books with callbacks. The callback of the search submits the booking. The callback
 * of the booking passes the result to a waiting thread.
 *
 *     callbacks
 *
 * A callback runs on the client's transfer thread, and every other call of that client waits
 * meanwhile. So a callback does three things only: it copies data, submits the next call, and wakes
 * a thread. It never blocks: not on a lock that is held for long, not on a file, not in
 * pbk_search_availability(). That function would return PBK_WOULD_DEADLOCK there.
 *
 * Talks to the embedded sandbox. Exits with 0 only if the appointment was booked.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "partnerbooking.h"
#include "shared.h"

#define CONFIG \
    "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00-05:00\",\"time_zone\":\"-05:00\",\"latency_ms\":50}}"
#define MINUTES 30      /* set your own length, also in BOOKING */
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T09:00:00-05:00\",\"end_at\":\"2030-01-15T17:00:00-05:00\"}}}}"
#define BOOKING \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"call-7-1\",\"booking\":{\"start_at\":$," \
    "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"

/* One caller. Hold the mutex to use the members below it. The client and the slot need no lock. */
struct conversation {
    pbk_client *client;
    char slot[64];

    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int is_over;
    pbk_status status;
    char reply[1024];
};

/* Stores the result and wakes the waiting thread. */
static void finish(struct conversation *conversation, pbk_status status, const char *reply)
{
    pthread_mutex_lock(&conversation->mutex);
    conversation->is_over = 1;
    conversation->status = status;
    snprintf(conversation->reply, sizeof conversation->reply, "%s", reply == NULL ? "(out of memory)" : reply);
    pthread_cond_signal(&conversation->ended);
    pthread_mutex_unlock(&conversation->mutex);
}

/*
 * Takes the end of the booking, on the transfer thread. finish() copies the reply, which is freed
 * with the completion.
 */
static void booking_ended(void *context, pbk_completion *completion)
{
    if (pbk_completion_event(completion) == PBK_EVENT_DONE)
        finish(context, pbk_completion_status(completion), pbk_completion_reply(completion));
    pbk_completion_free(completion);
}

/*
 * Takes the end of the search, on the transfer thread. Submits the booking from here, without
 * another thread.
 */
static void search_ended(void *context, pbk_completion *completion)
{
    struct conversation *conversation = context;
    pbk_status status = pbk_completion_status(completion);
    const char *reply = pbk_completion_reply(completion);
    char *request, *error = NULL;

    if (pbk_completion_event(completion) == PBK_EVENT_DONE) {
        if (status != PBK_OK || !find_start(reply, 0, MINUTES, conversation->slot, sizeof conversation->slot)) {
            finish(conversation, status, reply);
        } else {
            request = json_fill(BOOKING, conversation->slot);
            status = pbk_submit(conversation->client, PBK_CREATE_BOOKING, request, NULL, &error, booking_ended,
                                conversation);
            free(request);
            if (status != PBK_OK)   /* refused: no completion will follow */
                finish(conversation, status, error);
            pbk_string_free(error);
        }
    }
    pbk_completion_free(completion);
}

int main(void)
{
    struct conversation conversation = {.mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    char *error = NULL;
    pbk_status status;
    int booked;

    conversation.client = pbk_client_open(CONFIG, &error, NULL);
    if (conversation.client == NULL) {
        fprintf(stderr, "cannot open a client: %s\n", error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 1;
    }

    status = pbk_submit(conversation.client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, &error, search_ended, &conversation);
    if (status != PBK_OK)
        finish(&conversation, status, error);
    pbk_string_free(error);

    /*
     * Every accepted call ends in exactly one PBK_EVENT_DONE, by its deadline at the latest. So
     * this wait needs no time-out.
     */
    pthread_mutex_lock(&conversation.mutex);
    while (!conversation.is_over)
        pthread_cond_wait(&conversation.ended, &conversation.mutex);
    pthread_mutex_unlock(&conversation.mutex);

    booked = conversation.status == PBK_OK && conversation.slot[0] != '\0';
    printf("slot    %s\nstatus  %s\nreply   %s\n", conversation.slot[0] == '\0' ? "none" : conversation.slot,
           pbk_status_text(conversation.status), conversation.reply);

    /* No callback runs after the close. Only now is it safe to destroy the conversation. */
    status = pbk_client_close(conversation.client, 1000);
    if (status != PBK_OK)
        fprintf(stderr, "closing: %s\n", pbk_status_text(status));
    pthread_cond_destroy(&conversation.ended);
    pthread_mutex_destroy(&conversation.mutex);
    return booked && status == PBK_OK ? 0 : 1;
}
