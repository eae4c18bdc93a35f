/*
 * How late the frames of a thread become that searches while it serves audio: microseconds from the moment a frame is due to
 * the end of what is done in it.
 *
 *     bench_frames nothing|ours|blocking BASE_URL CA_FILE FRAMES CALLER_CORE OTHER_CORE
 *
 * A frame is due every 20 ms. In each, four searches are handed to the library ("ours"), or one is made by libcurl there and
 * then ("blocking"), or nothing is done, which shows what the machine itself adds.
 */
#include "bench.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FRAME_NS 20000000
#define SEARCHES_PER_FRAME 4
#define TIMEOUT_MS 5000

static atomic_int answered;

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    atomic_fetch_add(&answered, pbk_completion_status(completion) == PBK_OK);
    pbk_completion_free(completion);
}

static int do_frame(const char *what, pbk_client *client, CURL *easy, struct body *body)
{
    int i;

    if (strcmp(what, "blocking") == 0) {
        body->length = 0;
        return bare_is_fine(easy, curl_easy_perform(easy), body);
    }
    for (i = 0; i < SEARCHES_PER_FRAME && client != NULL; i++)
        if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_completion, NULL) != PBK_OK)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    int frames = argc == 7 ? atoi(argv[4]) : 0, fine = 1, i;
    int64_t *samples = calloc((size_t)(frames > 0 ? frames : 1), sizeof *samples), due;
    pbk_client *client = NULL;
    struct body body = { NULL, 0, 0 };
    CURL *easy;

    if (frames < 1 || samples == NULL) {
        fprintf(stderr, "usage: %s nothing|ours|blocking BASE_URL CA_FILE FRAMES CALLER_CORE OTHER_CORE\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    easy = bare_easy(argv[2], argv[3], bare_headers(), &body, TIMEOUT_MS);
    stay_on_core(atoi(argv[6])); /* the library's thread inherits it */
    if (strcmp(argv[1], "ours") == 0)
        fine = (client = ours_open(argv[2], argv[3], "")) != NULL;
    stay_on_core(atoi(argv[5]));
    sleep_us(300000);
    due = now_ns();
    for (i = 0; fine && i < frames; i++) {
        struct timespec moment;

        due += FRAME_NS;
        moment.tv_sec = due / 1000000000, moment.tv_nsec = due % 1000000000;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) != 0)
            ;
        fine = do_frame(argv[1], client, easy, &body);
        samples[i] = now_ns() - due;
        if (now_ns() > due + FRAME_NS)
            due = now_ns(); /* frames that were missed are not made up for */
    }
    if (client != NULL) {
        pbk_client_close(client, 5000);
        fine = fine && atomic_load(&answered) == frames * SEARCHES_PER_FRAME;
    }
    if (fine)
        print_samples("ns", samples, frames);
    return fine ? 0 : 1;
}
