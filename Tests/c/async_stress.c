/*
 * Sixteen threads do everything at once to four shared clients, in an order drawn by a seeded random: submit good and bad
 * calls, to callbacks and to the queue, cancel, take completions, poll the descriptor, prewarm, close and reopen.
 *
 *     async_stress [OPERATIONS [SEED]]
 *
 * OPERATIONS may also stand in PBK_STRESS_OPERATIONS. Whatever happens, every ticket must end in exactly one completion of
 * PBK_EVENT_DONE, with its own tag and context; a call that was refused must have none; no callback may run after its
 * client was closed; and no thread or descriptor may be left behind.
 */
#define _POSIX_C_SOURCE 200809L
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "support.h"

#define THREADS 16
#define CLIENTS 4
#define REMEMBERED 8                /* tickets that a thread keeps for cancelling */
#define ONE_CLOSE_IN 400            /* operations */
#define DEFAULT_OPERATIONS 100000

/* One client from its opening to its close, shared by all threads. */
struct opening {
    pbk_client *client;
    int is_closed;                  /* pbk_client_close() has returned */
};

/* One submission. It is the context of its call; the counts are what its completions have told. */
struct call {
    struct opening *opening;
    pbk_ticket ticket;
    int accepted, done, slow;
};

enum counted {
    ACCEPTED, REFUSED_WRONG, REFUSED_FULL, REFUSED_CLOSED, FROM_CALLBACK,
    DONE_OK, DONE_CANCELLED, DONE_TIMEOUT, DONE_CLOSED, DONE_TAKEN, SLOW,
    CANCELS, TAKES, POLLS, READABLE, PREWARMS, BLOCKING, CLOSES, COUNTED
};

static const char *const names[COUNTED] = {
    "accepted", "refused: wrong", "refused: full", "refused: closed", "submitted in a callback",
    "done: ok", "done: cancelled", "done: timeout", "done: client closed", "done: slot taken", "slow",
    "cancels", "takes", "polls", "readable", "prewarms", "blocking calls", "closes",
};

/* The clients differ in how long they take and in how many calls they accept. */
static const char *const configs[CLIENTS] = {
    "{\"endpoint\":\"sandbox\",\"slow_after_ms\":2,\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"capacity\":3}}",
    "{\"endpoint\":\"sandbox\",\"max_in_flight\":64,\"max_queued\":64,\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\","
        "\"latency_ms\":1}}",
    "{\"endpoint\":\"sandbox\",\"max_in_flight\":4,\"max_queued\":12,\"slow_after_ms\":3,\"sandbox\":{"
        "\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":3}}",
    "{\"endpoint\":\"sandbox\",\"slow_after_ms\":10,\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\",\"latency_ms\":25}}",
};

static struct opening *openings, *shared[CLIENTS];
static long opened;

static struct call *calls;
static long call_limit, call_count, counts[COUNTED], failures;

/* ---- Small tools: C99 has no atomics, both compilers have these --------------------------------------------------- */

static void count(enum counted what) { __atomic_add_fetch(&counts[what], 1, __ATOMIC_RELAXED); }

static void fail(const char *what, const char *detail)
{
    if (__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED) <= 10)
        fprintf(stderr, "WRONG  %s: %.300s\n", what, detail == NULL ? "NULL" : detail);
}

/* Sebastiano Vigna's SplitMix64. */
static uint64_t draw(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static int below(uint64_t *state, int limit) { return (int)(draw(state) % (uint64_t)limit); }

static struct opening *opening_of(int slot) { return __atomic_load_n(&shared[slot], __ATOMIC_ACQUIRE); }

/* ---- Completions -------------------------------------------------------------------------------------------------- */

static void count_done(pbk_status status, const char *reply)
{
    switch (status) {
    case PBK_OK: count(DONE_OK); break;
    case PBK_CANCELLED: count(DONE_CANCELLED); break;
    case PBK_TIMEOUT: count(DONE_TIMEOUT); break;
    case PBK_CLIENT_CLOSED: count(DONE_CLOSED); break;
    case PBK_SLOT_UNAVAILABLE: count(DONE_TAKEN); break;
    default: fail("a call ended as none should", reply);
    }
}

/* Takes down what a completion tells, compares it with its call, and frees it. Gives the call. */
static struct call *settle(pbk_completion *completion)
{
    struct call *call = pbk_completion_context(completion);
    pbk_status status = pbk_completion_status(completion);
    const char *reply = pbk_completion_reply(completion), *tag = pbk_completion_tag(completion);
    char own_tag[32];

    if (call < calls || call >= calls + call_limit) {
        fail("a context that nobody gave", reply);
        pbk_completion_free(completion);
        return NULL;
    }
    snprintf(own_tag, sizeof own_tag, "call-%ld", (long)(call - calls));
    if (pbk_completion_ticket(completion) != call->ticket)
        fail("a ticket of another call", own_tag);
    if (tag == NULL || strcmp(tag, own_tag) != 0)
        fail("a tag of another call", tag);
    if (pbk_completion_timing(completion) == NULL)
        fail("no timing", own_tag);

    if (pbk_completion_event(completion) == PBK_EVENT_SLOW) {
        count(SLOW);
        if (__atomic_add_fetch(&call->slow, 1, __ATOMIC_RELAXED) != 1)
            fail("slow twice", own_tag);
        if (reply != NULL || pbk_completion_reply_length(completion) != 0)
            fail("slow with a reply", reply);
    } else {
        count_done(status, reply);
        if (__atomic_add_fetch(&call->done, 1, __ATOMIC_RELAXED) != 1)
            fail("done twice", own_tag);
        if (reply == NULL || strlen(reply) != pbk_completion_reply_length(completion)
            || (strncmp(reply, "{\"error\":{", 10) == 0) != (status != PBK_OK))
            fail("a reply that does not fit its status", reply);
    }
    pbk_completion_free(completion);
    return call;
}

static pbk_status submit(struct opening *opening, uint64_t *random, pbk_callback callback, struct call **submitted);

/* Every eighth call that ended submits another one from here, every eighth cancels something. */
static void on_completion(void *context, pbk_completion *completion)
{
    int is_done = pbk_completion_event(completion) == PBK_EVENT_DONE;
    struct call *call = context;
    uint64_t random;

    if (!is_done && call->done != 0)
        fail("slow after done", "");
    call = settle(completion);
    if (call != context)
        fail("a callback of another call", "");
    if (call == NULL)
        return;
    if (__atomic_load_n(&call->opening->is_closed, __ATOMIC_ACQUIRE))
        fail("a callback after the close", "");
    if (!is_done)
        return;
    random = call->ticket ^ (uint64_t)(call - calls) << 32;
    switch (below(&random, 8)) {
    case 0:
        if (submit(call->opening, &random, below(&random, 2) ? on_completion : NULL, NULL) == PBK_OK)
            count(FROM_CALLBACK);
        break;
    case 1:
        pbk_cancel(call->opening->client, call->ticket + draw(&random) % 8);
        break;
    default:
        break;
    }
}

/* Takes completions until there are none; waits so long for the first. Gives the status that came last. */
static pbk_status take_all(pbk_client *client, int timeout_ms)
{
    pbk_status status;
    pbk_completion *completion;

    while ((completion = pbk_next_completion(client, timeout_ms, &status)) != NULL) {
        if (status != PBK_OK)
            fail("a completion with a status", pbk_status_text(status));
        settle(completion);
        timeout_ms = 0;
    }
    if (status != PBK_TIMEOUT && status != PBK_CLIENT_CLOSED)
        fail("next completion", pbk_status_text(status));
    return status;
}

/* ---- What the threads do ------------------------------------------------------------------------------------------ */

/* A request: one in eight is wrong, some are in a hurry, some bookings are detached. Returns 1 if it is a good one. */
static int make_request(char *request, size_t size, long number, uint64_t *random, pbk_operation *operation)
{
    static const char *const wrong[] = {
        "{\"bot_id\":", "{}", "\xff", "[]", "{\"bot_id\":\"b\",\"query\":{\"filter\":{\"start_at_range\":null}}}",
    };
    char more[96];
    int day = 14 + below(random, 5), half_hour = below(random, 16);

    *operation = below(random, 3) == 0 ? PBK_CREATE_BOOKING : PBK_SEARCH_AVAILABILITY;
    if (below(random, 8) == 0) {
        snprintf(request, size, "%s", wrong[below(random, 5)]);
        return 0;
    }
    snprintf(more, sizeof more, "\"tag\":\"call-%ld\"%s%s", number, below(random, 16) == 0 ? ",\"timeout_ms\":2" : "",
             below(random, 16) == 0 ? ",\"slow_after_ms\":1" : "");
    if (*operation == PBK_SEARCH_AVAILABILITY)
        snprintf(request, size,
                 "{\"bot_id\":\"bot_1\",%s,\"query\":{\"filter\":{\"start_at_range\":{"
                 "\"start_at\":\"2030-01-%dT09:00:00Z\",\"end_at\":\"2030-01-%dT12:00:00Z\"}}}}", more, day, day);
    else
        snprintf(request, size,
                 "{\"bot_id\":\"bot_1\",%s%s,\"idempotency_key\":\"key-%ld\",\"booking\":{"
                 "\"start_at\":\"2030-01-%dT%02d:%02d:00Z\",\"duration_minutes\":30,"
                 "\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}",
                 more, below(random, 4) == 0 ? ",\"detach\":true" : "", number, day, 9 + half_hour / 2,
                 half_hour % 2 * 30);
    return 1;
}

/* Submits a new call. `submitted`, when there is one, gets the call if it was accepted. */
static pbk_status submit(struct opening *opening, uint64_t *random, pbk_callback callback, struct call **submitted)
{
    long number = __atomic_fetch_add(&call_count, 1, __ATOMIC_RELAXED);
    struct call *call = &calls[number];
    char request[512], *error = NULL;
    pbk_operation operation;
    pbk_status status;
    int good;

    if (number >= call_limit)
        return PBK_QUEUE_FULL;
    call->opening = opening;
    good = make_request(request, sizeof request, number, random, &operation);
    status = pbk_submit(opening->client, operation, request, &call->ticket, &error, callback, call);
    if (status == PBK_OK) {
        call->accepted = 1;
        count(ACCEPTED);
        if (submitted != NULL)
            *submitted = call;
    } else if (status == PBK_QUEUE_FULL && good) {
        count(REFUSED_FULL);
    } else if (status == PBK_CLIENT_CLOSED) {
        count(REFUSED_CLOSED);
    } else if ((status == PBK_INVALID_JSON || status == PBK_INVALID_FIELD) && !good) {
        count(REFUSED_WRONG);
    } else {
        fail("submit", error);
    }
    if ((status == PBK_OK) != (error == NULL) || (status == PBK_OK) != (call->ticket != 0))
        fail("ticket or error after a submission", error);
    pbk_string_free(error);
    return status;
}

/* Closes the client in this place, for all threads and whatever they are doing with it, and opens the next one. */
static void close_and_reopen(int slot, uint64_t *random)
{
    struct opening *old = opening_of(slot), *new;
    pbk_status status = pbk_client_close(old->client, below(random, 2) ? 0 : below(random, 20));
    long number;

    if (status == PBK_CLIENT_CLOSED)
        return;     /* another thread was first, and opens the next one */
    if (status != PBK_OK && status != PBK_TIMEOUT)
        fail("close", pbk_status_text(status));
    __atomic_store_n(&old->is_closed, 1, __ATOMIC_RELEASE);
    count(CLOSES);
    number = __atomic_fetch_add(&opened, 1, __ATOMIC_RELAXED);
    new = &openings[number];
    new->client = open_client(configs[slot]);
    __atomic_store_n(&shared[slot], new, __ATOMIC_RELEASE);
    if (take_all(old->client, 0) != PBK_CLIENT_CLOSED)
        fail("a closed client", "has no completions and is not over");
}

static void cancel(struct opening *opening, pbk_ticket ticket)
{
    pbk_status status = pbk_cancel(opening->client, ticket);

    count(CANCELS);
    if (status != PBK_OK && status != PBK_CLIENT_CLOSED && status != PBK_INVALID_ARGUMENT)
        fail("cancel", pbk_status_text(status));
}

static void poll_and_take(struct opening *opening, int timeout_ms)
{
    struct pollfd readable = {pbk_client_fd(opening->client), POLLIN, 0};

    count(POLLS);
    if (readable.fd >= 0 && poll(&readable, 1, timeout_ms) == 1 && (readable.revents & POLLIN) != 0) {
        count(READABLE);
        take_all(opening->client, 0);
    }
}

static void prewarm(struct opening *opening)
{
    pbk_status status = pbk_prewarm(opening->client);

    count(PREWARMS);
    if (status != PBK_OK && status != PBK_CLIENT_CLOSED)
        fail("prewarm", pbk_status_text(status));
}

/* A blocking call among the others. It has a ticket too, which a random cancel may hit. */
static void call_and_wait(struct opening *opening)
{
    pbk_status status;
    /* A deadline that a busy machine under valgrind does not meet: it is not what this is about. */
    char *reply = pbk_search_availability(opening->client, SEARCH_AND(",\"timeout_ms\":60000"), &status);

    count(BLOCKING);
    if (status != PBK_OK && status != PBK_CANCELLED && status != PBK_CLIENT_CLOSED && status != PBK_QUEUE_FULL)
        fail("a blocking search", reply);
    pbk_string_free(reply);
}

struct worker {
    pthread_t thread;
    uint64_t random;
    long operations;
};

static void *work(void *context)
{
    struct worker *worker = context;
    uint64_t *random = &worker->random;
    struct call *remembered[REMEMBERED] = {NULL}, *own;
    long i;

    for (i = 0; i < worker->operations; i++) {
        const int slot = below(random, CLIENTS), what = below(random, 100);
        struct opening *opening = opening_of(slot);

        if (below(random, ONE_CLOSE_IN) == 0) {
            close_and_reopen(slot, random);
        } else if (what < 50) {
            submit(opening, random, below(random, 2) ? on_completion : NULL, &remembered[below(random, REMEMBERED)]);
        } else if (what < 60) {     /* a call of its own, its client perhaps closed by now */
            own = remembered[below(random, REMEMBERED)];
            if (own != NULL)
                cancel(own->opening, own->ticket);
        } else if (what < 70) {     /* anybody's, if there is one */
            cancel(opening, draw(random) % 2000);
        } else if (what < 85) {
            count(TAKES);
            take_all(opening->client, 0);
        } else if (what < 88) {
            count(TAKES);
            take_all(opening->client, 1 + below(random, 3));
        } else if (what < 96) {
            poll_and_take(opening, below(random, 3));
        } else if (what < 98) {
            call_and_wait(opening);
        } else {
            prewarm(opening);
        }
    }
    return NULL;
}

/* ---- The account -------------------------------------------------------------------------------------------------- */

static int by_client_and_ticket(const void *left, const void *right)
{
    const struct call *a = left, *b = right;

    if (a->opening != b->opening)
        return a->opening < b->opening ? -1 : 1;
    return a->ticket < b->ticket ? -1 : a->ticket > b->ticket;
}

/* Every ticket was done once, every call that was refused never; no client gave a ticket twice. */
static void balance(void)
{
    long count = call_count < call_limit ? call_count : call_limit, i;

    for (i = 0; i < count; i++) {
        if (calls[i].done != calls[i].accepted)
            fail(calls[i].accepted ? "a ticket without its completion" : "a completion without a ticket", "");
        if (calls[i].slow > calls[i].accepted)
            fail("slow without a ticket", "");
    }
    qsort(calls, (size_t)count, sizeof *calls, by_client_and_ticket);
    for (i = 1; i < count; i++)
        if (calls[i].accepted && by_client_and_ticket(&calls[i - 1], &calls[i]) == 0)
            fail("a ticket given twice", "");
    if (counts[ACCEPTED]
        != counts[DONE_OK] + counts[DONE_CANCELLED] + counts[DONE_TIMEOUT] + counts[DONE_CLOSED] + counts[DONE_TAKEN])
        fail("tickets and completions", "do not balance");
}

int main(int argc, char **argv)
{
    static struct worker workers[THREADS];
    const char *wanted = argc > 1 ? argv[1] : getenv("PBK_STRESS_OPERATIONS");
    const long operations = wanted == NULL ? DEFAULT_OPERATIONS : atol(wanted);
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20300114;
    int threads, descriptors, threads_at_end, descriptors_at_end, i;
    double begun;

    printf("%ld operations, seed %llu\n", operations, (unsigned long long)seed);
    call_limit = 2 * operations;    /* callbacks submit as well */
    calls = calloc((size_t)call_limit, sizeof *calls);
    openings = calloc((size_t)(CLIENTS + operations), sizeof *openings);
    if (calls == NULL || openings == NULL || operations < THREADS)
        return 1;

    /* The first client, and the first threads, leave things behind that stay. */
    pbk_client_close(open_client(SANDBOX), 1000);
    sleep_ms(200);
    threads = entries("/proc/self/task");
    descriptors = entries("/proc/self/fd");

    begun = seconds();
    for (opened = 0; opened < CLIENTS; opened++) {
        shared[opened] = &openings[opened];
        openings[opened].client = open_client(configs[opened]);
    }
    for (i = 0; i < THREADS; i++) {
        workers[i].random = draw(&seed);
        workers[i].operations = operations / THREADS;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    }
    for (i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (i = 0; i < CLIENTS; i++) {
        if (pbk_client_close(shared[i]->client, 1000) != PBK_OK)
            fail("the last close", "a call was not over in a second");
        if (take_all(shared[i]->client, 0) != PBK_CLIENT_CLOSED)
            fail("a closed client", "is not over");
    }
    balance();
    threads_at_end = settled("/proc/self/task", threads);
    descriptors_at_end = settled("/proc/self/fd", descriptors);
    if (threads_at_end != threads || descriptors_at_end != descriptors)
        fail("threads or descriptors", "were left behind");

    for (i = 0; i < COUNTED; i++)
        printf("    %-24s %ld\n", names[i], counts[i]);
    printf("%ld tickets in %.1f s, %ld things wrong; threads %d, at the end %d; descriptors %d, at the end %d\n",
           counts[ACCEPTED], seconds() - begun, failures, threads - 2, threads_at_end - 2, descriptors - 3,
           descriptors_at_end - 3);
    free(calls);
    free(openings);
    return failures == 0 ? 0 : 1;
}
