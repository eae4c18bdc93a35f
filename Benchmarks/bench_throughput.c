/*
 * How many searches a second one thread gets done with many of them in flight, and what processor time each takes.
 *
 *     bench_throughput ours|bare BASE_URL CA_FILE IN_FLIGHT CALLS
 *
 * "bare" is one thread with a multi handle: easy handles that are used again and again, the reply kept in a buffer and looked
 * at no further. "ours" submits the next search from the callback of the one that ended, so one thread does it all as well.
 * After as many calls to warm up. Prints one JSON object.
 */
#include "bench.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 30000

/* ---- Ours ---- */

static pbk_client *client;
static int to_submit, to_complete; /* used on the transfer thread while calls are under way */
static atomic_int failed;
static sem_t done;

static void on_completion(void *context, pbk_completion *completion);

static void submit_next(void)
{
    if (to_submit <= 0)
        return;
    to_submit--;
    if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_completion, NULL) != PBK_OK)
        atomic_store(&failed, 1);
}

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    if (pbk_completion_status(completion) != PBK_OK) {
        fprintf(stderr, "a search failed: %s\n", pbk_completion_reply(completion));
        atomic_store(&failed, 1);
    }
    pbk_completion_free(completion);
    submit_next();
    if (--to_complete == 0)
        sem_post(&done);
}

/* Callbacks submit too, so the first ones are submitted by a callback as well: everything is done on one thread. */
static void on_first(void *context, pbk_completion *completion)
{
    int i;

    for (i = 0; i < *(int *)context; i++)
        submit_next();
    pbk_completion_free(completion);
}

static int ours_run(int in_flight, int calls)
{
    to_submit = to_complete = calls;
    if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_first, &in_flight) != PBK_OK)
        return 0;
    while (sem_wait(&done) != 0)
        ;
    return !atomic_load(&failed);
}

/* ---- libcurl alone ---- */

static CURLM *multi;
static CURL **handles;
static struct body *bodies;

static int bare_start(const char *base_url, const char *ca_file, int in_flight)
{
    struct curl_slist *headers = bare_headers();
    int i;

    multi = bare_multi(in_flight, ca_file[0] != '\0');
    handles = calloc((size_t)in_flight, sizeof(CURL *));
    bodies = calloc((size_t)in_flight, sizeof *bodies);
    if (multi == NULL || handles == NULL || bodies == NULL)
        return 0;
    for (i = 0; i < in_flight; i++) {
        handles[i] = bare_easy(base_url, ca_file, headers, &bodies[i], TIMEOUT_MS);
        if (handles[i] == NULL)
            return 0;
        curl_easy_setopt(handles[i], CURLOPT_PRIVATE, &bodies[i]);
    }
    return 1;
}

static int bare_run(int in_flight, int calls)
{
    int begun = 0, over = 0, running, left;
    CURLMsg *message;

    for (; begun < in_flight && begun < calls; begun++) {
        bodies[begun].length = 0;
        curl_multi_add_handle(multi, handles[begun]);
    }
    while (over < calls) {
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left)) != NULL) {
            CURL *easy = message->easy_handle;
            CURLcode code = message->data.result;
            struct body *body = NULL;

            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &body);
            if (!bare_is_fine(easy, code, body))
                return 0;
            curl_multi_remove_handle(multi, easy);
            over++;
            if (begun < calls) {
                begun++;
                body->length = 0;
                curl_multi_add_handle(multi, easy);
            }
        }
        if (over < calls)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    return 1;
}

int main(int argc, char **argv)
{
    int is_ours = argc == 6 && strcmp(argv[1], "ours") == 0;
    int in_flight = argc == 6 ? atoi(argv[4]) : 0, calls = argc == 6 ? atoi(argv[5]) : 0, fine;
    double begun, cpu;

    if (in_flight < 1 || calls < in_flight || (!is_ours && strcmp(argv[1], "bare") != 0)) {
        fprintf(stderr, "usage: %s ours|bare BASE_URL CA_FILE IN_FLIGHT CALLS\n", argv[0]);
        return 2;
    }
    want_descriptors();
    sem_init(&done, 0, 0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (is_ours)
        fine = (client = ours_open(argv[2], argv[3], ",\"timeout_ms\":30000")) != NULL && ours_run(in_flight, calls);
    else
        fine = bare_start(argv[2], argv[3], in_flight) && bare_run(in_flight, calls);
    if (!fine)
        return 1;
    begun = now_us();
    cpu = cpu_us();
    fine = is_ours ? ours_run(in_flight, calls) : bare_run(in_flight, calls);
    printf("{\"cpu_us\":%.3f,\"calls_per_s\":%.1f}\n", (cpu_us() - cpu) / calls, calls / (now_us() - begun) * 1e6);
    if (is_ours)
        pbk_client_close(client, 1000);
    return fine ? 0 : 1;
}
