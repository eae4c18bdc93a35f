/*
 * What it costs a caller's thread to hand a search over: nanoseconds of each submission.
 *
 *     bench_submit CONTESTANT STEADY BURST COUNT BASE_URL CA_FILE CALLER_CORE OTHER_CORE
 *
 * STEADY searches are under way all the time, without an answer: at a server that stalls, or in a look-up that hangs (this
 * program's getaddrinfo hangs until long after its search was ended; addresses are not looked up). 0: the server answers, and nothing is
 * under way when the next submissions come. Those come BURST at a time, after a pause long enough that everybody sleeps again.
 * Ending searches, to make room for new ones, is not measured.
 *
 *     ours     pbk_submit()
 *     queued   what a careful program does on libcurl: an easy handle is made and set up, put into a list behind a lock, and the
 *              thread that drives the multi handle is woken by curl_multi_wakeup()
 *     locked   the same with curl_multi_add_handle() on the caller's thread, and a lock around the multi handle
 *     eventfd  one write to an eventfd that a thread sleeps on, and nothing else
 *
 * The caller's thread has a core of its own, or shares it when both cores are the same.
 */
#include "bench.h"

#include "bench_submit.h"

#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WARM_UPS 128

/* ---- A look-up that hangs until it is let go ---- */

#define MAX_LOOK_UPS 65536
#define MAX_HANGING 128 /* more than ever are under way: the oldest of so many belong to searches that were ended */

static sem_t gates[MAX_LOOK_UPS];
static atomic_int looked_up;
static int let_go;

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    int own = atomic_fetch_add(&looked_up, 1);

    (void)node, (void)service, (void)hints, (void)result;
    while (own >= MAX_LOOK_UPS || sem_wait(&gates[own]) != 0)
        ;
    return EAI_AGAIN;
}

static void let_oldest_go(void)
{
    if (atomic_load(&looked_up) - let_go > MAX_HANGING && let_go < MAX_LOOK_UPS)
        sem_post(&gates[let_go++]);
}

atomic_int ended;

/* ---- Ours ---- */

static pbk_client *client;
static pbk_ticket tickets[SEARCHES];

static void on_completion(void *context, pbk_completion *completion)
{
    (void)context;
    pbk_completion_free(completion);
    atomic_fetch_add(&ended, 1);
}

static int ours_start(const char *base_url, const char *ca_file)
{
    client = ours_open(base_url, ca_file, ",\"timeout_ms\":600000,\"connect_timeout_ms\":600000,\"retry\":{\"max_attempts\":1}");
    return client != NULL;
}

static int ours_submit(int search)
{
    return pbk_submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, &tickets[search], NULL, on_completion, NULL) == PBK_OK;
}

static void ours_end(int search)
{
    pbk_cancel(client, tickets[search]);
}

/* ---- One write ---- */

static int wake_up;

static void *sleep_on_eventfd(void *context)
{
    uint64_t count;

    while (read(wake_up, &count, sizeof count) == (ssize_t)sizeof count)
        atomic_fetch_add(&ended, (int)count);
    return context;
}

static int eventfd_start(const char *base_url, const char *ca_file)
{
    pthread_t thread;

    (void)base_url, (void)ca_file;
    wake_up = eventfd(0, EFD_CLOEXEC);
    return wake_up >= 0 && pthread_create(&thread, NULL, sleep_on_eventfd, NULL) == 0;
}

static int eventfd_submit(int search)
{
    const uint64_t one = 1;

    (void)search;
    return write(wake_up, &one, sizeof one) == (ssize_t)sizeof one;
}

/* ---- Measuring ---- */

static const struct contestant ours = { "ours", ours_start, ours_submit, ours_end };
static const struct contestant wake = { "eventfd", eventfd_start, eventfd_submit, NULL };
static const struct contestant *const contestants[] = { &ours, &queued, &locked, &wake };

static int wait_for_ended(int count)
{
    double deadline = now_us() + 10e6;

    while (atomic_load(&ended) < count && now_us() < deadline)
        sleep_us(50);
    if (atomic_load(&ended) != count)
        fprintf(stderr, "%d searches ended instead of %d\n", atomic_load(&ended), count);
    return atomic_load(&ended) == count;
}

static int submit_all(const struct contestant *contestant, int first, int count, int64_t *samples)
{
    int64_t begun;
    int i;

    for (i = 0; i < count; i++) {
        begun = now_ns();
        if (!contestant->submit((first + i) % SEARCHES))
            return 0;
        samples[i] = now_ns() - begun;
    }
    return 1;
}

/* `oldest` is the search that is ended next, `oldest + steady` the next one to be submitted. */
static int measure(const struct contestant *contestant, int steady, int burst, int count, int64_t *samples)
{
    int64_t unmeasured[MAX_BURST];
    int oldest = 0, i;

    for (i = 0; i < steady; i += burst) {
        if (!submit_all(contestant, i, burst, unmeasured))
            return 0;
        sleep_us(1000);
    }
    sleep_us(steady > 0 ? 500000 : 0);
    for (i = -WARM_UPS; i < count; i += burst) {
        if (steady > 0) {
            int search;

            for (search = oldest; search < oldest + burst; search++) {
                let_oldest_go();
                contestant->end(search % SEARCHES);
            }
            if (!wait_for_ended(oldest + burst))
                return 0;
        }
        sleep_us(200 + rand() % 800);
        if (!submit_all(contestant, oldest + steady, burst, i < 0 ? unmeasured : samples + i))
            return 0;
        oldest += burst;
        if (steady == 0 && !wait_for_ended(oldest))
            return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    const struct contestant *contestant = NULL;
    int steady, burst, count, fine, i;
    int64_t *samples;

    for (i = 0; argc == 9 && i < (int)(sizeof contestants / sizeof *contestants); i++)
        if (strcmp(contestants[i]->name, argv[1]) == 0)
            contestant = contestants[i];
    steady = contestant == NULL ? -1 : atoi(argv[2]);
    burst = contestant == NULL ? 0 : atoi(argv[3]);
    count = contestant == NULL ? 0 : atoi(argv[4]);
    if (steady < 0 || burst < 1 || steady > MAX_STEADY || burst > MAX_BURST || steady % burst != 0 || count % burst != 0
        || WARM_UPS % burst != 0) {
        fprintf(stderr, "usage: %s CONTESTANT STEADY BURST COUNT BASE_URL CA_FILE CALLER_CORE OTHER_CORE\n", argv[0]);
        return 2;
    }
    want_descriptors();
    for (i = 0; i < MAX_LOOK_UPS; i++)
        sem_init(&gates[i], 0, 0);
    samples = calloc((size_t)count, sizeof *samples);
    stay_on_core(atoi(argv[8])); /* the thread that the contestant starts inherits it */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    fine = samples != NULL && contestant->open(argv[5], argv[6]);
    stay_on_core(atoi(argv[7]));
    sleep_us(300000);
    fine = fine && measure(contestant, steady, burst, count, samples);
    if (fine)
        print_samples("ns", samples, count);
    fflush(stdout);
    _exit(fine ? 0 : 1); /* with searches under way and threads in look-ups, all left as they are */
}
