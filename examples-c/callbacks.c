/*
 * Callback style: the search's callback submits the booking, the booking's callback hands the
 * result to a thread that waits for it.
 *
 *     callbacks
 *
 * A callback runs on the client's transfer thread, and every other call of that client waits
 * meanwhile. So it does three things and no more: it copies what it needs, submits what comes
 * next, and wakes whoever cares. It never waits: not for a lock that somebody holds for long, not
 * for a file, not in pbk_search_availability(), which would give PBK_WOULD_DEADLOCK there.
 *
 * Talks to the embedded sandbox. Ends with 0 only if the appointment was booked.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "partnerbooking.h"
#include "shared.h"

#define CONFIG \
    "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00-05:00\",\"time_zone\":\"-05:00\",\"latency_ms\":50}}"
#define MINUTES 30      /* yours to decide, also in BOOKING */
#define SEARCH \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14T09:00:00-05:00\",\"end_at\":\"2030-01-15T17:00:00-05:00\"}}}}"
#define BOOKING \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"call-7-1\",\"booking\":{\"start_at\":$," \
    "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}"

/*
 * One caller. What stands below the mutex is touched with it held; the client and the slot need
 * no lock.
 */
struct conversation {
    pbk_client *client;
    char slot[64];

    pthread_mutex_t mutex;
    pthread_cond_t ended;
    int is_over;
    pbk_status status;
    char reply[1024];
};

/* Leaves the result where the waiting thread finds it. */
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
 * Transfer thread: the booking has ended. The reply goes with the completion, so it is copied
 * first.
 */
static void booking_ended(void *context, pbk_completion *completion)
{
    if (pbk_completion_event(completion) == PBK_EVENT_DONE)
        finish(context, pbk_completion_status(completion), pbk_completion_reply(completion));
    pbk_completion_free(completion);
}

/*
 * Transfer thread: the search has ended. The booking goes out from here, without a detour over
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
            if (status != PBK_OK)   /* refused: it has no completion, so nobody else will tell */
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
     * Every accepted call ends in exactly one PBK_EVENT_DONE, at the latest by its deadline: no
     * time-out is needed here.
     */
    pthread_mutex_lock(&conversation.mutex);
    while (!conversation.is_over)
        pthread_cond_wait(&conversation.ended, &conversation.mutex);
    pthread_mutex_unlock(&conversation.mutex);

    booked = conversation.status == PBK_OK && conversation.slot[0] != '\0';
    printf("slot    %s\nstatus  %s\nreply   %s\n", conversation.slot[0] == '\0' ? "none" : conversation.slot,
           pbk_status_text(conversation.status), conversation.reply);

    /* No callback runs after the close: only now may the conversation go. */
    status = pbk_client_close(conversation.client, 1000);
    if (status != PBK_OK)
        fprintf(stderr, "closing: %s\n", pbk_status_text(status));
    pthread_cond_destroy(&conversation.ended);
    pthread_mutex_destroy(&conversation.mutex);
    return booked && status == PBK_OK ? 0 : 1;
}
