/*
 * What a callback may do and may not: functions that do not wait work there, those that wait say PBK_WOULD_DEADLOCK and
 * change nothing; its completion may be freed later, elsewhere; and none runs after pbk_client_close(). Prints one line per
 * check and ends with 1 at the first wrong answer.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "support.h"

#define SLOW_SANDBOX SANDBOX_AND(",\"latency_ms\":300")
#define CHAIN 1000

/* What callbacks tell the main thread. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static int tellings;

static void tell(void)
{
    pthread_mutex_lock(&mutex);
    tellings++;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&mutex);
}

/* Waits for so many tellings since the last wait. */
static void await(int count)
{
    pthread_mutex_lock(&mutex);
    while (tellings < count)
        pthread_cond_wait(&told, &mutex);
    tellings -= count;
    pthread_mutex_unlock(&mutex);
}

static int told_by_now(void)
{
    int count;

    pthread_mutex_lock(&mutex);
    count = tellings;
    pthread_mutex_unlock(&mutex);
    return count;
}

static void submit(pbk_client *client, const char *request, pbk_ticket *ticket, pbk_callback callback, void *context)
{
    char *error = NULL;
    pbk_status status = pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, ticket, &error, callback, context);

    check(status == PBK_OK && error == NULL, "submit", "a search", error == NULL ? "ok" : error);
}

/* ---- One callback that calls everything --------------------------------------------------------------------------- */

struct everything {
    pbk_client *own, *other, *opened;
    pbk_status search, search_other, booking, close, close_other, submit, submit_queued, submit_slow, cancel_own,
        cancel_slow, prewarm, prewarm_other, take, take_none;
    char *search_reply, *booking_reply;
    int fd;
    pbk_ticket own_ticket, seen_ticket, taken_ticket, booking_ticket, slow_ticket;
    double seconds_waited;
    pbk_status booked, cancelled;
};

static void on_booked(void *context, pbk_completion *completion)
{
    ((struct everything *)context)->booked = pbk_completion_status(completion);
    pbk_completion_free(completion);
    tell();
}

static void on_cancelled(void *context, pbk_completion *completion)
{
    ((struct everything *)context)->cancelled = pbk_completion_status(completion);
    pbk_completion_free(completion);
    tell();
}

static void call_everything(void *context, pbk_completion *completion)
{
    struct everything *it = context;
    pbk_completion *taken;
    double begun;

    it->seen_ticket = pbk_completion_ticket(completion);
    pbk_completion_free(completion);
    pbk_completion_free(NULL);
    pbk_string_free(NULL);

    /* What waits. */
    it->search_reply = pbk_search_availability(it->own, SEARCH, &it->search);
    pbk_string_free(pbk_search_availability(it->other, SEARCH, &it->search_other));
    it->booking_reply = pbk_create_booking(it->own, BOOKING, &it->booking);
    it->close = pbk_client_close(it->own, 1000);
    it->close_other = pbk_client_close(it->other, 1000);

    /* What does not. */
    taken = pbk_next_completion(it->own, 0, &it->take);
    it->taken_ticket = pbk_completion_ticket(taken);
    pbk_completion_free(taken);
    begun = seconds();
    taken = pbk_next_completion(it->own, INT32_MAX, &it->take_none);
    it->seconds_waited = seconds() - begun;
    pbk_completion_free(taken);
    it->fd = pbk_client_fd(it->own);
    it->prewarm = pbk_prewarm(it->own);
    it->prewarm_other = pbk_prewarm(it->other);
    it->cancel_own = pbk_cancel(it->own, it->seen_ticket);
    it->submit = pbk_submit(it->own, PBK_CREATE_BOOKING, BOOKING, &it->booking_ticket, NULL, on_booked, it);
    it->submit_queued = pbk_submit(it->own, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, it);
    it->submit_slow = pbk_submit(it->other, PBK_SEARCH_AVAILABILITY, SEARCH, &it->slow_ticket, NULL, on_cancelled, it);
    it->cancel_slow = pbk_cancel(it->other, it->slow_ticket);
    it->opened = pbk_client_open(SANDBOX, NULL, NULL);
    tell();
}

static void check_would_deadlock(const char *what, pbk_status status, char *reply)
{
    check(status == PBK_WOULD_DEADLOCK && reply != NULL && strstr(reply, "\"code\":\"would_deadlock\"") != NULL, what,
          "in a callback", reply);
    pbk_string_free(reply);
}

static void everything(void)
{
    struct everything it;
    pbk_completion *completion;
    pbk_ticket waiting = 0;
    pbk_status status;

    memset(&it, 0, sizeof it);
    it.own = open_client(SANDBOX);
    it.other = open_client(SLOW_SANDBOX);
    submit(it.own, SEARCH, &waiting, NULL, NULL);               /* a completion for the callback to take ... */
    submit(it.own, SEARCH, &it.own_ticket, call_everything, &it);   /* ... which is there, since calls start in turn */
    await(3);

    check_would_deadlock("search", it.search, it.search_reply);
    check(it.search_other == PBK_WOULD_DEADLOCK, "search of another client", "in a callback", "would_deadlock");
    check(it.booking_reply != NULL && strstr(it.booking_reply, "\"outcome\":\"not_sent\"") != NULL, "outcome of a booking",
          "in a callback", it.booking_reply);
    check_would_deadlock("booking", it.booking, it.booking_reply);
    check(it.close == PBK_WOULD_DEADLOCK, "close", "in a callback", pbk_status_text(it.close));
    check(it.close_other == PBK_WOULD_DEADLOCK, "close of another client", "in a callback",
          pbk_status_text(it.close_other));

    check(it.seen_ticket == it.own_ticket, "ticket", "in a callback", "that of the submission");
    check(it.take == PBK_OK && it.taken_ticket == waiting, "next completion, one waits", "in a callback",
          pbk_status_text(it.take));
    check(it.take_none == PBK_TIMEOUT && it.seconds_waited < 10, "next completion, INT32_MAX ms", "in a callback",
          "did not wait");
    check(it.fd >= 0, "completion fd", "in a callback", "a descriptor");
    check(it.prewarm == PBK_OK && it.prewarm_other == PBK_OK, "prewarm", "in a callback", "ok");
    check(it.cancel_own == PBK_OK, "cancel of its own call", "in a callback", pbk_status_text(it.cancel_own));
    check(it.submit == PBK_OK && it.booking_ticket != 0 && it.booked == PBK_OK, "submit of a booking", "in a callback",
          pbk_status_text(it.booked));
    check(it.submit_slow == PBK_OK && it.cancel_slow == PBK_OK && it.cancelled == PBK_CANCELLED,
          "submit and cancel, another client", "in a callback", pbk_status_text(it.cancelled));
    check(it.submit_queued == PBK_OK, "submit to the queue", "in a callback", pbk_status_text(it.submit_queued));
    completion = pbk_next_completion(it.own, 10000, &status);
    check(status == PBK_OK && pbk_completion_context(completion) == &it, "next completion", "submitted in a callback",
          pbk_completion_reply(completion));
    pbk_completion_free(completion);
    check(it.opened != NULL, "open", "in a callback", "a client");
    check(pbk_client_close(it.opened, 1000) == PBK_OK, "close", "a client opened in a callback", "ok");

    /* The refused closes have closed nothing. */
    check(pbk_client_close(it.other, 1000) == PBK_OK, "close", "another client", "ok");
    check(pbk_client_close(it.own, 1000) == PBK_OK, "close", "the client", "ok");
}

/* ---- The smaller rules -------------------------------------------------------------------------------------------- */

static void keep(void *context, pbk_completion *completion)
{
    *(pbk_completion **)context = completion;
    tell();
}

static void *free_elsewhere(void *completion)
{
    pbk_completion_free(completion);
    return NULL;
}

static void *read_timing(void *completion)
{
    return (void *)(uintptr_t)pbk_completion_timing(completion);
}

/* A completion outlives its callback and its client; several threads may read it at once, and any may free it. */
static void freed_later(void)
{
    pbk_client *client = open_client(SANDBOX);
    pbk_completion *kept = NULL;
    pthread_t thread, readers[4];
    void *timings[4];
    int i;

    submit(client, SEARCH_AND(",\"tag\":\"call-7\""), NULL, keep, &kept);
    await(1);
    check(pbk_client_close(client, 1000) == PBK_OK, "close", "a completion is kept", "ok");
    check(pbk_completion_status(kept) == PBK_OK && strcmp(pbk_completion_tag(kept), "call-7") == 0
              && strlen(pbk_completion_reply(kept)) == pbk_completion_reply_length(kept),
          "a completion", "after the close", pbk_completion_reply(kept));
    for (i = 0; i < 4; i++)
        if (pthread_create(&readers[i], NULL, read_timing, kept) != 0)
            exit(1);
    for (i = 0; i < 4; i++)
        pthread_join(readers[i], &timings[i]);
    for (i = 0; i < 4; i++)
        check(timings[i] != NULL && timings[i] == timings[0], "timing", "read by four threads at once", timings[i]);
    check(pthread_create(&thread, NULL, free_elsewhere, kept) == 0 && pthread_join(thread, NULL) == 0, "free",
          "on another thread", "ok");
}

struct events {
    int count;
    pbk_event seen[3];
    pbk_ticket tickets[3];
    int slow_reply_is_null;
};

static void note_event(void *context, pbk_completion *completion)
{
    struct events *events = context;
    pbk_event event = pbk_completion_event(completion);

    if (events->count < 3) {
        events->seen[events->count] = event;
        events->tickets[events->count] = pbk_completion_ticket(completion);
    }
    events->count++;
    if (event == PBK_EVENT_SLOW)
        events->slow_reply_is_null = pbk_completion_reply(completion) == NULL
            && pbk_completion_reply_length(completion) == 0 && pbk_completion_status(completion) == PBK_OK
            && pbk_completion_timing(completion) != NULL;
    pbk_completion_free(completion);
    tell();
}

static void slow_then_done(void)
{
    pbk_client *client = open_client(SLOW_SANDBOX);
    struct events events;
    pbk_ticket ticket = 0;

    memset(&events, 0, sizeof events);
    submit(client, SEARCH_AND(",\"slow_after_ms\":20"), &ticket, note_event, &events);
    await(2);
    check(pbk_client_close(client, 1000) == PBK_OK, "close", "a call that was slow", "ok");
    check(events.count == 2 && events.seen[0] == PBK_EVENT_SLOW && events.seen[1] == PBK_EVENT_DONE
              && events.tickets[0] == ticket && events.tickets[1] == ticket,
          "events", "a slow call", "slow, then done");
    check(events.slow_reply_is_null, "a slow completion", "reply and status", "NULL and ok");
}

/* Each callback submits the next call. The client has room for one, so its place must be free when the callback runs. */
struct chain {
    pbk_client *client;
    pbk_ticket ticket;
    int left, wrong;
};

static void submit_next(void *context, pbk_completion *completion)
{
    struct chain *chain = context;

    chain->wrong += pbk_completion_ticket(completion) != chain->ticket || pbk_completion_status(completion) != PBK_OK;
    pbk_completion_free(completion);
    if (--chain->left == 0
        || pbk_submit(chain->client, PBK_SEARCH_AVAILABILITY, SEARCH, &chain->ticket, NULL, submit_next, chain) != PBK_OK)
        tell();
}

static void chain(void)
{
    struct chain chain = {NULL, 0, CHAIN, 0};

    chain.client = open_client("{\"endpoint\":\"sandbox\",\"max_in_flight\":1,\"max_queued\":0}");
    submit(chain.client, SEARCH, &chain.ticket, submit_next, &chain);
    await(1);
    check(chain.left == 0, "a chain of calls", "one place", "never refused");
    check(chain.wrong == 0, "a chain of calls", "tickets", "each written before its callback ran");
    check(pbk_client_close(chain.client, 1000) == PBK_OK, "close", "a chain of calls", "ok");
}

struct closing {
    pbk_client *client;
    pbk_status ended, submit, cancel, close, take;
};

static void on_closing(void *context, pbk_completion *completion)
{
    struct closing *closing = context;
    pbk_ticket ticket = pbk_completion_ticket(completion);

    closing->ended = pbk_completion_status(completion);
    pbk_completion_free(completion);
    closing->submit = pbk_submit(closing->client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_closing, closing);
    closing->cancel = pbk_cancel(closing->client, ticket);
    closing->close = pbk_client_close(closing->client, 0);
    pbk_completion_free(pbk_next_completion(closing->client, 1000, &closing->take));
    tell();
}

/* The close ends a call: its callback runs before the close returns, finds everything closed, and is the last. */
static void closing(void)
{
    struct closing closing = {open_client(SLOW_SANDBOX), PBK_OK, PBK_OK, PBK_OK, PBK_OK, PBK_OK};

    submit(closing.client, SEARCH, NULL, on_closing, &closing);
    check(pbk_client_close(closing.client, 0) == PBK_TIMEOUT, "close, 0 ms", "a call is under way", "timeout");
    check(told_by_now() == 1, "the callback", "when the close has returned", "has run");
    await(1);
    check(closing.ended == PBK_CLIENT_CLOSED, "completion", "of the call that was ended", pbk_status_text(closing.ended));
    check(closing.submit == PBK_CLIENT_CLOSED, "submit", "in its callback", pbk_status_text(closing.submit));
    check(closing.cancel == PBK_CLIENT_CLOSED, "cancel", "in its callback", pbk_status_text(closing.cancel));
    check(closing.close == PBK_WOULD_DEADLOCK, "close", "in its callback", pbk_status_text(closing.close));
    check(closing.take == PBK_TIMEOUT, "next completion", "in its callback", pbk_status_text(closing.take));
    sleep_ms(350);
    check(told_by_now() == 0, "callbacks", "after the close", "none");
}

static void sleep_long(void *context, pbk_completion *completion)
{
    (void)context;
    pbk_completion_free(completion);
    tell();
    sleep_ms(4000);
    tell();
}

/* A callback that breaks the rules and does not return holds up the close for two seconds, not for longer. */
static void callback_that_waits(void)
{
    pbk_client *client = open_client(SANDBOX);
    double begun;

    submit(client, SEARCH, NULL, sleep_long, NULL);
    await(1);
    begun = seconds();
    check(pbk_client_close(client, 0) == PBK_TIMEOUT, "close, 0 ms", "a callback that does not return", "timeout");
    check(seconds() - begun < 3.5, "close, 0 ms", "a callback that does not return", "two seconds and a bit");
    check(told_by_now() == 0, "close, 0 ms", "a callback that does not return", "is left behind");
    await(1);
    sleep_ms(100);  /* its thread goes on to its end */
}

int main(void)
{
    everything();
    freed_later();
    slow_then_done();
    chain();
    closing();
    callback_that_waits();
    printf("%d checks\n", checks);
    return 0;
}
