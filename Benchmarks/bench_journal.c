/*
 * How many bookings a second one client makes, with a journal or without, and what the disk alone takes.
 *
 *     bench_journal book BASE_URL JOURNAL IN_FLIGHT MILLISECONDS
 *     bench_journal sync FILE BYTES MILLISECONDS
 *
 * "book" submits the next booking from the callback of the one that ended, each under a key of its own, after some to warm up.
 * JOURNAL is the path of a file that is not there yet, or empty. It prints bookings a second, from submission to completion the
 * latency of each in microseconds, and the bytes that one booking takes in the journal.
 *
 * "sync" is what each booking would cost that waited for the disk by itself: so many bytes added to a file, and fdatasync. It
 * prints such waits a second, and the latency of each.
 */
#include "bench.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WARM_UP_MS 150
#define MOST_SAMPLES 1000000
#define MOST_IN_FLIGHT 512

/* Long enough for what a caller says, and no two are the same. */
#define BOOKING                                                                                                          \
    "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"idempotency_key\":\"bench-%010ld\",\"booking\":{\"start_at\":"     \
    "\"2030-01-14T10:00:00Z\",\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\","   \
    "\"email\":\"john@example.com\"},\"notes\":\"Initial consultation\"}}"

static int64_t samples[MOST_SAMPLES];
static int sample_count;

static void take_sample(int64_t begun)
{
    if (sample_count < MOST_SAMPLES)
        samples[sample_count++] = now_ns() - begun;
}

static void print_result(double seconds, long bytes)
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

/* Callbacks submit too, so the first ones are submitted by a callback as well: everything is done on one thread. */
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

/* What a booking takes in the journal, its intent and its reply; 0 without a journal. */
static long bytes_of_booking(const char *journal)
{
    struct stat status;

    return stat(journal, &status) == 0 && next_key > 0 ? (long)status.st_size / next_key : 0;
}

static int book(const char *base_url, const char *journal, int wanted, long milliseconds)
{
    char members[1024] = "";
    double begun, seconds;

    if (journal[0] != '\0')
        snprintf(members, sizeof members, ",\"journal_path\":\"%s\"", journal);
    sem_init(&done, 0, 0);
    client = ours_open(base_url, "", members);
    if (client == NULL || !book_for(wanted, WARM_UP_MS))
        return 0;
    begun = now_us();
    if (!book_for(wanted, milliseconds))
        return 0;
    seconds = (now_us() - begun) / 1e6;
    print_result(seconds, bytes_of_booking(journal));
    return pbk_client_close(client, 5000) == PBK_OK;
}

/* ---- The disk alone ---- */

static int sync_alone(const char *path, long bytes, long milliseconds)
{
    char *record = malloc((size_t)bytes);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    double begun = now_us();
    int fine = record != NULL && file >= 0;

    if (fine)
        memset(record, 'x', (size_t)bytes);
    while (fine && now_us() < begun + (double)milliseconds * 1e3) {
        int64_t started = now_ns();

        fine = write(file, record, (size_t)bytes) == bytes && fdatasync(file) == 0;
        take_sample(started);
    }
    if (fine)
        print_result((now_us() - begun) / 1e6, bytes);
    else
        perror(path);
    if (file >= 0)
        close(file);
    free(record);
    return fine;
}

int main(int argc, char **argv)
{
    int is_book = argc == 6 && strcmp(argv[1], "book") == 0, is_sync = argc == 5 && strcmp(argv[1], "sync") == 0;

    if (is_book && atoi(argv[4]) >= 1 && atoi(argv[4]) <= MOST_IN_FLIGHT) {
        want_descriptors();
        curl_global_init(CURL_GLOBAL_DEFAULT);
        return book(argv[2], argv[3], atoi(argv[4]), atol(argv[5])) ? 0 : 1;
    }
    if (is_sync && atol(argv[3]) > 0)
        return sync_alone(argv[2], atol(argv[3]), atol(argv[4])) ? 0 : 1;
    fprintf(stderr, "usage: %s book BASE_URL JOURNAL IN_FLIGHT MILLISECONDS\n       %s sync FILE BYTES MILLISECONDS\n",
            argv[0], argv[0]);
    return 2;
}
