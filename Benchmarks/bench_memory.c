/*
 * What a search in flight takes of memory: KiB of a fresh process before and after IN_FLIGHT searches are at a server that never
 * answers, when their connections are made and their requests sent.
 *
 *     bench_memory ours|bare BASE_URL CA_FILE IN_FLIGHT IS_SHARED
 *
 * IS_SHARED: 1 where several searches share a connection. "Before" a connection was made already: by ours by itself, and by both
 * to ask the server how many searches wait there.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    pbk_completion_free(completion);
}

static int ours_submit(pbk_client *client, int count)
{
    int i;

    for (i = 0; i < count; i++)
        if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_completion, NULL) != PBK_OK)
            return 0;
    return 1;
}

static int bare_submit(CURLM *multi, const char *base_url, const char *ca_file, struct body *bodies, int count)
{
    struct curl_slist *headers = bare_headers();
    double deadline = now_us() + 2e6;
    int running, i;

    for (i = 0; i < count; i++) {
        CURL *easy = bare_easy(base_url, ca_file, headers, &bodies[i], LONG_MS);

        if (easy == NULL || curl_multi_add_handle(multi, easy) != CURLM_OK)
            return 0;
    }
    while (now_us() < deadline) { /* one thread does it all: no telling when the server has the last of them */
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    return running == count;
}

int main(int argc, char **argv)
{
    int is_ours = argc == 6 && strcmp(argv[1], "ours") == 0, count = argc == 6 ? atoi(argv[4]) : 0, fine;
    struct body *bodies = calloc((size_t)(count > 0 ? count : 1), sizeof *bodies);
    pbk_client *client = NULL;
    CURLM *multi = NULL;
    long before, after;

    if (count < 1 || bodies == NULL) {
        fprintf(stderr, "usage: %s ours|bare BASE_URL CA_FILE IN_FLIGHT IS_SHARED\n", argv[0]);
        return 2;
    }
    want_descriptors();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (is_ours)
        fine = (client = ours_open(argv[2], argv[3], ",\"timeout_ms\":600000")) != NULL;
    else
        fine = (multi = bare_multi(count, atoi(argv[5]))) != NULL;
    fine = fine && wait_until_stalled(argv[2], argv[3], 0);
    sleep_us(500000);
    before = resident_kib();
    fine = fine && (is_ours ? ours_submit(client, count) : bare_submit(multi, argv[2], argv[3], bodies, count));
    fine = fine && wait_until_stalled(argv[2], argv[3], count);
    sleep_us(500000);
    after = resident_kib();
    printf("{\"before_kib\":%ld,\"after_kib\":%ld}\n", before, after);
    fflush(stdout);
    _Exit(fine ? 0 : 1); /* with all searches under way */
}
