#include "bench_booking.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#define WARM_UP_MS 150
#define MOST_SAMPLES 1000000

/* Long enough for what a caller says, and no two are the same. */
#define BOOKING                                                                                                          \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"bench-%010ld\",\"booking\":{\"start_at\":"     \
    "\"2030-01-14T10:00:00Z\",\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\","   \
    "\"email\":\"john@example.com\"},\"notes\":\"Initial consultation\"}}"

static int64_t samples[MOST_SAMPLES];
static int sample_count;

void take_sample(int64_t begun)
{
    if (sample_count < MOST_SAMPLES)
        samples[sample_count++] = now_ns() - begun;
}

void print_result(double seconds, long bytes)
{
    int i;

    printf("{\"per_s\":%.1f,\"bytes\":%ld,\"latency_us\":[", sample_count / seconds, bytes);
    for (i = 0; i < sample_count; i++)
        printf("%s%.1f", i == 0 ? "" : ",", (double)samples[i] / 1e3);
    printf("]}\n");
}

/* ---- Bookings ---- */

static pbk_client *client;
static int64_t submitted_at[MOST_IN_FLIGHT];
static int in_flight; /* of now; this and what is above is used on the transfer thread while calls are under way */
static long next_key;
static int64_t ends_at;
static atomic_int failed;
static sem_t done;

static void on_completion(void *context, pbk_completion *completion);

/* False when there is nothing more to do. */
static int submit_next(int64_t *submitted)
{
    char request[512];

    if (now_ns() >= ends_at || atomic_load(&failed))
        return 0;
    snprintf(request, sizeof request, BOOKING, next_key++);
    *submitted = now_ns();
    if (pbk_submit(client, PBK_CREATE_BOOKING, request, NULL, NULL, on_completion, submitted) == PBK_OK)
        return 1;
    atomic_store(&failed, 1);
    return 0;
}

static void on_completion(void *context, pbk_completion *completion)
{
    int64_t *submitted = context;

    take_sample(*submitted);
    if (pbk_completion_status(completion) != PBK_OK) {
        fprintf(stderr, "a booking failed: %s\n", pbk_completion_reply(completion));
        atomic_store(&failed, 1);
    }
    pbk_completion_free(completion);
    if (!submit_next(submitted) && --in_flight == 0)
        sem_post(&done);
}

/* Callbacks submit too, so the first ones are submitted by a callback as well: everything is
   done on one thread. */
static void on_first(void *context, pbk_completion *completion)
{
    int i, wanted = *(int *)context;

    pbk_completion_free(completion);
    in_flight = 0;
    for (i = 0; i < wanted; i++)
        in_flight += submit_next(&submitted_at[i]);
    if (in_flight == 0)
        sem_post(&done);
}

static int book_for(int wanted, long milliseconds)
{
    sample_count = 0;
    ends_at = now_ns() + milliseconds * 1000000;
    if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_first, &wanted) != PBK_OK)
        return 0;
    while (sem_wait(&done) != 0)
        ;
    return !atomic_load(&failed);
}

double book(pbk_client *opened, int wanted, long milliseconds)
{
    double begun;

    client = opened;
    sem_init(&done, 0, 0);
    if (!book_for(wanted, WARM_UP_MS))
        return 0;
    begun = now_us();
    return book_for(wanted, milliseconds) ? (now_us() - begun) / 1e6 : 0;
}

long bookings_made(void)
{
    return next_key;
}
