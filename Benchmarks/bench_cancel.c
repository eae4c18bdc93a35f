/*
 * From the cancel of a search that waits for its server to the completion: microseconds of each.
 *
 *     bench_cancel callback|queue|bare BASE_URL CA_FILE IN_FLIGHT COUNT CALLER_CORE OTHER_CORE
 *
 * IN_FLIGHT searches are at the server, which never answers. The oldest is cancelled and measured, another one takes its
 * place, and so on. "callback": from pbk_cancel() to the beginning of the callback; "queue": to the return of
 * pbk_next_completion(); "bare": from curl_multi_wakeup() to the return of curl_multi_remove_handle() on the thread that
 * drives the multi handle, and nothing else.
 */
#include "bench.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_IN_FLIGHT 512
#define SETTLE_US 1500

static sem_t over;
static int64_t over_at;

/* ---- Ours ---- */

static pbk_client *client;
static pbk_ticket tickets[MAX_IN_FLIGHT];
static int by_callback;

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    over_at = now_ns();
    pbk_completion_free(completion);
    sem_post(&over);
}

static int ours_submit(int search)
{
    return pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, &tickets[search], NULL, by_callback ? on_completion : NULL, NULL)
        == PBK_OK;
}

static int ours_cancel(int search)
{
    pbk_completion *completion;
    int fine;

    pbk_cancel(client, tickets[search]);
    if (by_callback)
        return sem_wait(&over) == 0;
    completion = pbk_next_completion(client, 10000, NULL);
    over_at = now_ns();
    fine = pbk_completion_status(completion) == PBK_CANCELLED && pbk_completion_ticket(completion) == tickets[search];
    pbk_completion_free(completion);
    return fine;
}

/* ---- libcurl alone ---- */

static CURLM *multi;
static CURL *handles[MAX_IN_FLIGHT];
static struct body body; /* nothing ever comes */
static _Atomic(CURL *) to_add, to_remove;

static void *drive(void *context)
{
    int running;
    CURL *easy;

    for (;;) {
        if ((easy = atomic_exchange(&to_remove, NULL)) != NULL) {
            curl_multi_remove_handle(multi, easy);
            over_at = now_ns();
            sem_post(&over);
        }
        if ((easy = atomic_exchange(&to_add, NULL)) != NULL) {
            curl_multi_add_handle(multi, easy);
            sem_post(&over);
        }
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 60000, NULL);
    }
    return context;
}

static int hand_over(_Atomic(CURL *) *what, CURL *easy)
{
    atomic_store(what, easy);
    curl_multi_wakeup(multi);
    return sem_wait(&over) == 0;
}

static int bare_start(const char *base_url, const char *ca_file, int in_flight)
{
    struct curl_slist *headers = bare_headers();
    pthread_t thread;
    int i;

    multi = bare_multi(in_flight, ca_file[0] != '\0');
    for (i = 0; i < in_flight; i++) {
        handles[i] = bare_easy(base_url, ca_file, headers, &body, LONG_MS);
        if (handles[i] == NULL)
            return 0;
    }
    return multi != NULL && pthread_create(&thread, NULL, drive, NULL) == 0;
}

/* ---- Measuring ---- */

static int submit(int is_ours, int search)
{
    return is_ours ? ours_submit(search) : hand_over(&to_add, handles[search]);
}

static int measure(int is_ours, int in_flight, int count, int64_t *samples)
{
    int64_t begun;
    int search, i;

    for (i = 0; i < count; i++) {
        search = i % in_flight;
        sleep_us(SETTLE_US);
        begun = now_ns();
        if (!(is_ours ? ours_cancel(search) : hand_over(&to_remove, handles[search])))
            return 0;
        samples[i] = over_at - begun;
        if (!submit(is_ours, search))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    int is_ours = argc == 8 && strcmp(argv[1], "bare") != 0;
    int in_flight = argc == 8 ? atoi(argv[4]) : 0, count = argc == 8 ? atoi(argv[5]) : 0, fine, i;
    int64_t *samples;

    if (in_flight < 1 || in_flight > MAX_IN_FLIGHT || count < 1) {
        fprintf(stderr, "usage: %s callback|queue|bare BASE_URL CA_FILE IN_FLIGHT COUNT CALLER_CORE OTHER_CORE\n", argv[0]);
        return 2;
    }
    want_descriptors();
    by_callback = strcmp(argv[1], "callback") == 0;
    samples = calloc((size_t)count, sizeof *samples);
    sem_init(&over, 0, 0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    stay_on_core(atoi(argv[7])); /* the thread that is started here inherits it */
    fine = samples != NULL
        && (is_ours ? (client = ours_open(argv[2], argv[3], ",\"timeout_ms\":600000")) != NULL
                    : bare_start(argv[2], argv[3], in_flight));
    stay_on_core(atoi(argv[6]));
    sleep_us(300000);
    for (i = 0; fine && i < in_flight; i++)
        fine = submit(is_ours, i);
    fine = fine && wait_until_stalled(argv[2], argv[3], in_flight) && measure(is_ours, in_flight, count, samples);
    if (fine)
        print_samples("ns", samples, count);
    if (is_ours)
        pbk_client_close(client, 0);
    fflush(stdout);
    _Exit(fine ? 0 : 1); /* with searches under way and a thread that drives them, all left as they are */
}
