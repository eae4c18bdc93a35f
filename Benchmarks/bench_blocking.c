/*
 * A warm blocking search: libpartnerbooking beside bare libcurl, in turn, in one process, on one server.
 *
 *     bench_blocking BASE_URL ROUNDS CALLS     ROUNDS times CALLS calls of each, after a warm-up
 *     bench_blocking BASE_URL wire             one call of each, so that a server can compare what arrives
 *
 * "bare" is what a competent engineer writes on libcurl: one easy handle that is kept, the headers built once, a buffer that
 * is used again, a time-out, the status checked. "hops" is the same handle driven by a second thread that owns a multi
 * handle, as a library must that serves many threads with one pool of connections: an eventfd there, a semaphore back, and
 * nothing else; what it costs more than "bare" is the price of the two hops. "ours" is pbk_search_availability() and
 * pbk_string_free().
 *
 * Prints JSON, one object a line: first the versions, then one a round, in microseconds per call. run.py starts this
 * program, gives it a server and makes the table.
 */
#include "bench.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WARM_UP_CALLS 500
#define TIMEOUT_MS 5000

/* ---- The reference ---- */

struct bare {
    CURL *easy;
    struct curl_slist *headers;
    struct body body;
};

static int bare_open(struct bare *bare, const char *base_url)
{
    memset(bare, 0, sizeof *bare);
    bare->headers = bare_headers();
    bare->easy = bare_easy(base_url, "", bare->headers, &bare->body, TIMEOUT_MS);
    return bare->easy != NULL;
}

static int bare_search(void *context)
{
    struct bare *bare = context;

    bare->body.length = 0;
    return bare_is_fine(bare->easy, curl_easy_perform(bare->easy), &bare->body);
}

static void bare_close(struct bare *bare)
{
    curl_easy_cleanup(bare->easy);
    curl_slist_free_all(bare->headers);
    free(bare->body.bytes);
}

/* ---- The same on a thread of its own ---- */

struct hops {
    struct bare bare;
    CURLM *multi;
    pthread_t thread;
    int wake_up;
    atomic_int wanted; /* 1: a search, 2: the end */
    sem_t answered;
    CURLcode code;
};

static void *hops_loop(void *context)
{
    struct hops *hops = context;
    uint64_t count;
    int wanted, running, left;
    CURLMsg *message;

    while ((wanted = atomic_exchange(&hops->wanted, 0)) != 2) {
        struct curl_waitfd descriptor = { hops->wake_up, CURL_WAIT_POLLIN, 0 };

        if (wanted == 1)
            curl_multi_add_handle(hops->multi, hops->bare.easy);
        curl_multi_perform(hops->multi, &running);
        while ((message = curl_multi_info_read(hops->multi, &left)) != NULL) {
            hops->code = message->data.result;
            curl_multi_remove_handle(hops->multi, hops->bare.easy);
            sem_post(&hops->answered);
        }
        curl_multi_poll(hops->multi, &descriptor, 1, 5000, NULL);
        if (descriptor.revents != 0 && read(hops->wake_up, &count, sizeof count) < 0)
            break;
    }
    return NULL;
}

static void hops_ask(struct hops *hops, int what)
{
    const uint64_t one = 1;

    atomic_store(&hops->wanted, what);
    if (write(hops->wake_up, &one, sizeof one) < 0)
        perror("eventfd");
}

static int hops_open(struct hops *hops, const char *base_url)
{
    hops->multi = curl_multi_init();
    hops->wake_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&hops->wanted, 0);
    sem_init(&hops->answered, 0, 0);
    return hops->multi != NULL && hops->wake_up >= 0 && bare_open(&hops->bare, base_url)
        && pthread_create(&hops->thread, NULL, hops_loop, hops) == 0;
}

static int hops_search(void *context)
{
    struct hops *hops = context;

    hops->bare.body.length = 0;
    hops_ask(hops, 1);
    while (sem_wait(&hops->answered) != 0)
        ;
    return bare_is_fine(hops->bare.easy, hops->code, &hops->bare.body);
}

static void hops_close(struct hops *hops)
{
    hops_ask(hops, 2);
    pthread_join(hops->thread, NULL);
    bare_close(&hops->bare);
    curl_multi_cleanup(hops->multi);
    close(hops->wake_up);
    sem_destroy(&hops->answered);
}

/* ---- Ours ---- */

static int ours_search(void *context)
{
    pbk_client *client = context;
    pbk_status status;
    char *reply = pbk_search_availability(client, SEARCH, &status);

    if (status != PBK_OK)
        fprintf(stderr, "pbk_search_availability: %s\n", reply == NULL ? "out of memory" : reply);
    pbk_string_free(reply);
    return status == PBK_OK;
}

/* ---- Measuring ---- */

struct sample {
    double p50_us, p99_us, cpu_us;
};

struct contestant {
    const char *name;
    int (*search)(void *context);
    void *context;
    struct sample sample;
};

#define CONTESTANTS 3

/* `calls` calls of one contestant. */
static int measure(struct contestant *contestant, int calls, double *latencies)
{
    double cpu = cpu_us(), begun;
    int i;

    for (i = 0; i < calls; i++) {
        begun = now_us();
        if (!contestant->search(contestant->context)) {
            fprintf(stderr, "a search failed: %s\n", contestant->name);
            return 0;
        }
        latencies[i] = now_us() - begun;
    }
    contestant->sample.cpu_us = (cpu_us() - cpu) / calls;
    qsort(latencies, (size_t)calls, sizeof *latencies, ascending);
    contestant->sample.p50_us = latencies[calls / 2];
    contestant->sample.p99_us = latencies[calls * 99 / 100];
    return 1;
}

/* Each round begins with another contestant. */
static int measure_rounds(struct contestant *contestants, int rounds, int calls)
{
    double *latencies = calloc((size_t)(calls > WARM_UP_CALLS ? calls : WARM_UP_CALLS), sizeof *latencies);
    int fine = latencies != NULL, round, i;

    for (i = 0; fine && i < CONTESTANTS; i++)
        fine = measure(&contestants[i], WARM_UP_CALLS, latencies);
    for (round = 0; fine && round < rounds; round++) {
        for (i = 0; fine && i < CONTESTANTS; i++)
            fine = measure(&contestants[(round + i) % CONTESTANTS], calls, latencies);
        printf("{\"round\":%d", round);
        for (i = 0; fine && i < CONTESTANTS; i++)
            printf(",\"%s\":{\"p50_us\":%.3f,\"p99_us\":%.3f,\"cpu_us\":%.3f}", contestants[i].name,
                   contestants[i].sample.p50_us, contestants[i].sample.p99_us, contestants[i].sample.cpu_us);
        printf("}\n");
    }
    free(latencies);
    return fine;
}

int main(int argc, char **argv)
{
    int only_once = argc == 3 && strcmp(argv[2], "wire") == 0;
    int rounds = argc == 4 ? atoi(argv[2]) : 0, calls = argc == 4 ? atoi(argv[3]) : 0;
    static struct bare bare;
    static struct hops hops;
    pbk_client *client;
    int fine;

    if (!only_once && (rounds < 1 || calls < 1)) {
        fprintf(stderr, "usage: %s BASE_URL ROUNDS CALLS | BASE_URL wire\n", argv[0]);
        return 2;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !bare_open(&bare, argv[1]) || !hops_open(&hops, argv[1]))
        return 1;
    client = ours_open(argv[1], "", "");
    fine = client != NULL;
    if (fine && only_once) {
        fine = bare_search(&bare) && ours_search(client);
    } else if (fine) {
        struct contestant contestants[CONTESTANTS] = {
            { "bare", bare_search, &bare, { 0, 0, 0 } },
            { "hops", hops_search, &hops, { 0, 0, 0 } },
            { "ours", ours_search, client, { 0, 0, 0 } },
        };

        printf("{\"curl\":\"%s\",\"library\":\"%s\"}\n", curl_version(), pbk_version());
        fine = measure_rounds(contestants, rounds, calls);
    }
    if (client != NULL)
        pbk_client_close(client, 1000);
    hops_close(&hops);
    bare_close(&bare);
    curl_global_cleanup();
    return fine ? 0 : 1;
}
