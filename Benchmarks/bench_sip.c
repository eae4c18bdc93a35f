/*
 * sip_engine with searches beside its phone calls: how they disturb the audio.
 *
 *     bench_sip nothing|ours|blocking [BASE_URL]
 *
 * Every 50 ms the loop makes a search at BASE_URL: handed over with pbk_submit ("ours"), or made
 * there and then by a blocking call ("blocking"), which takes as long as the platform does. The
 * phone calls themselves use the embedded sandbox, in another client in the same loop. It is linked
 * with hanging_resolver.c: the look-up of a name in ".invalid" hangs for a minute.
 */
#define main engine_main
#include "../examples-c/sip_engine.c"
#undef main

#define PERIOD_MS 50
#define DAY 86400

static struct {
    pbk_client *client;
    struct tmr timer;
    bool is_blocking;
    long made, refused, answered, failed;
    double worst_ms;            /* of the library's functions in the loop */
} load;

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void note_time(double begin)
{
    double ms = now_ms() - begin;

    load.worst_ms = ms > load.worst_ms ? ms : load.worst_ms;
}

static void count_completions(int flags, void *arg)
{
    const double begin = now_ms();
    pbk_completion *end;

    (void)flags, (void)arg;
    while ((end = pbk_next_completion(load.client, 0, NULL)) != NULL) {
        *(pbk_completion_status(end) == PBK_OK ? &load.answered : &load.failed) += 1;
        pbk_completion_free(end);
    }
    note_time(begin);
}

/* Each search is for another day, so that none joins another. */
static void search(void *arg)
{
    time_t from = 1893456000 + load.made++ % 10000 * DAY, to = from + DAY;
    char start_at[32], end_at[32], *request;
    pbk_status status = PBK_OK;
    double begin;

    tmr_start(&load.timer, PERIOD_MS, search, arg);
    strftime(start_at, sizeof start_at, "%Y-%m-%dT%H:%M:%SZ", gmtime(&from));
    strftime(end_at, sizeof end_at, "%Y-%m-%dT%H:%M:%SZ", gmtime(&to));
    request = json_fill("{\"bot_id\":$,\"query\":{\"filter\":{\"start_at_range\":{\"start_at\":$,\"end_at\":$}}}}",
                        engine.bot_id, start_at, end_at);
    begin = now_ms();
    if (load.is_blocking) {
        pbk_string_free(pbk_search_availability(load.client, request, &status));
        *(status == PBK_OK ? &load.answered : &load.failed) += 1;
    } else if (pbk_submit(load.client, PBK_SEARCH_AVAILABILITY, request, NULL, NULL, NULL, NULL) != PBK_OK) {
        load.refused++;
    }
    note_time(begin);
    free(request);
}

int main(int argc, char **argv)
{
    char *config, *error = NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 2 || !open_engine("127.0.0.1:0"))
        return 1;
    if (argc > 2) {
        load.is_blocking = strcmp(argv[1], "blocking") == 0;
        config = json_fill("{\"api_key\":\"sk_ptnr_0123456789abcdef\",\"base_url\":$,\"timeout_ms\":5000,"
                           "\"connect_timeout_ms\":5000,\"circuit_breaker\":{\"failures\":0},"
                           "\"retry\":{\"max_attempts\":1}}", argv[2]);
        load.client = pbk_client_open(config, &error, NULL);
        free(config);
        if (load.client == NULL || fd_listen(pbk_client_fd(load.client), FD_READ, count_completions, NULL) != 0) {
            fprintf(stderr, "%s\n", error == NULL ? "no client" : error);
            return 1;
        }
        tmr_start(&load.timer, PERIOD_MS, search, NULL);
    }
    printf("listening on port %d\n", sa_port(&engine.line.address));
    re_main(on_signal);
    if (load.client != NULL) {
        tmr_cancel(&load.timer);
        fd_close(pbk_client_fd(load.client));
        pbk_client_close(load.client, 0);
        count_completions(0, NULL);
    }
    printf("searches: %ld made, %ld answered, %ld failed, %ld refused; longest stay in the library %.1f ms\n", load.made,
           load.answered, load.failed, load.refused, load.worst_ms);
    return close_engine() ? 0 : 1;
}
