/*
 * A name look-up that hangs must not hold up the caller beyond the deadline, nor
 * pbk_client_close() or exit.
 *
 * getaddrinfo() of this program takes the C library's place, also for libcurl, and sleeps for a
 * minute.
 */
#define _POSIX_C_SOURCE 200809L
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "partnerbooking.h"

#define HANG_SECONDS 60
#define SEARCH(timeout_ms) \
    "{\"bot_id\":\"bot\",\"timeout_ms\":" timeout_ms ",\"query\":{\"filter\":{\"start_at_range\":" \
    "{\"start_at\":\"2030-01-14\",\"end_at\":\"2030-01-14\"}}}}"

static int looked_up;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)node, (void)service, (void)hints, (void)result;
    __atomic_add_fetch(&looked_up, 1, __ATOMIC_RELAXED);
    sleep(HANG_SECONDS);
    return EAI_AGAIN;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int check(int fine, const char *what)
{
    printf("%s  %s\n", fine ? "ok  " : "FAIL", what);
    return fine;
}

/* The status of the next completion of the client's queue, or that of waiting for it. */
static pbk_status take(pbk_client *client, int wait_ms)
{
    pbk_status status = PBK_OK;
    pbk_completion *completion = pbk_next_completion(client, wait_ms, &status);

    if (completion)
        status = pbk_completion_status(completion);
    pbk_completion_free(completion);
    return status;
}

/*
 * Twenty calls at once wait for one look-up, or for the second one that it gets when it takes
 * long.
 */
static int shared_look_up(pbk_client *client)
{
    pbk_ticket tickets[20] = {0};
    int fine = 1;

    for (int call = 0; call < 20; call++)
        fine &= pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH("2500"), &tickets[call], NULL, NULL, NULL) == PBK_OK;
    fine &= check(pbk_cancel(client, tickets[0]) == PBK_OK, "a call that waits for the look-up can be cancelled");
    fine &= check(take(client, 1000) == PBK_CANCELLED, "it ends before its deadline");
    for (int call = 1; call < 20; call++)
        fine &= take(client, 10000) == PBK_TIMEOUT;
    fine &= check(fine, "the others end by their deadline");
    return fine & check(looked_up <= 2, "all share a look-up, with a second one beside it");
}

static void *long_search(void *client)
{
    pbk_status status = PBK_OK;

    pbk_string_free(pbk_search_availability(client, SEARCH("50000"), &status));
    return status == PBK_CLIENT_CLOSED ? client : NULL;
}

int main(void)
{
    pbk_client *client = pbk_client_open("{\"api_key\":\"sk_ptnr_test\",\"base_url\":\"https://name.invalid\"}", NULL,
                                         NULL);
    double begun = seconds();
    pbk_status status = PBK_OK;
    pthread_t thread;
    void *closed = NULL;
    int fine = check(client != NULL, "the client opens");

    pbk_string_free(pbk_search_availability(client, SEARCH("200"), &status));
    fine &= check(looked_up, "the look-up is the hanging one");
    fine &= check(status == PBK_TIMEOUT, "the call ends by its deadline");

    fine &= shared_look_up(client);

    if (pthread_create(&thread, NULL, long_search, client) != 0)
        return 1;
    sleep(1);
    fine &= check(pbk_client_close(client, 100) == PBK_TIMEOUT, "closing ends the call under way");
    pthread_join(thread, &closed);
    fine &= check(closed == client, "that call gets client_closed");
    fine &= check(seconds() - begun < HANG_SECONDS / 2, "nobody waited for the look-up");
    return fine ? 0 : 1;
}
