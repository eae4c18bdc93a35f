/* Handing a search over to libcurl with a thread of its own, as a program would without the library: see bench_submit.c. */
#include "bench.h"

#include "bench_submit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

struct transfer {
    CURL *easy;
    struct body body;
    struct transfer *next;
    int is_unwanted;
};

static CURLM *multi;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct transfer *submitted, *unwanted, *transfers[SEARCHES];
static struct curl_slist *headers;
static const char *url, *ca;
static int wake_up;
static int is_locked; /* the multi handle is used by both threads, behind the lock */

static void signal_wake_up(void)
{
    const uint64_t one = 1;

    if (write(wake_up, &one, sizeof one) < 0)
        perror("eventfd");
}

static int bare_submit(int search)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    transfers[search] = transfer;
    if (transfer == NULL || (transfer->easy = bare_easy(url, ca, headers, &transfer->body, LONG_MS)) == NULL)
        return 0;
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(transfer->easy, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a look-up that hangs */
    pthread_mutex_lock(&lock);
    if (is_locked) {
        curl_multi_add_handle(multi, transfer->easy);
    } else {
        transfer->next = submitted;
        submitted = transfer;
    }
    pthread_mutex_unlock(&lock);
    if (is_locked)
        signal_wake_up();
    else
        curl_multi_wakeup(multi);
    return 1;
}

static void bare_end(int search)
{
    struct transfer *transfer = transfers[search];

    pthread_mutex_lock(&lock);
    transfer->next = unwanted;
    unwanted = transfer;
    pthread_mutex_unlock(&lock);
    if (is_locked)
        signal_wake_up();
    else
        curl_multi_wakeup(multi);
}

static void finish(struct transfer *transfer)
{
    curl_multi_remove_handle(multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    free(transfer->body.bytes);
    free(transfer);
    atomic_fetch_add(&ended, 1);
}

/* With the lock held. */
static void take_work(void)
{
    struct transfer *transfer;

    for (; (transfer = submitted) != NULL; curl_multi_add_handle(multi, transfer->easy))
        submitted = transfer->next;
    while ((transfer = unwanted) != NULL) {
        unwanted = transfer->next;
        finish(transfer);
    }
}

static void take_answers(void)
{
    CURLMsg *message;
    int running, left;
    void *transfer;

    curl_multi_perform(multi, &running);
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finish(transfer);
    }
}

static void *drive_queued(void *context)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        take_work();
        pthread_mutex_unlock(&lock);
        take_answers();
        curl_multi_poll(multi, NULL, 0, 60000, NULL);
    }
    return context;
}

/* The multi handle must not be waited on while another thread adds to it, so the wait is on its descriptors alone. */
static void *drive_locked(void *context)
{
    for (;;) {
        fd_set reading, writing, failing;
        struct timeval wait;
        long timeout = -1;
        int highest = -1;
        uint64_t count;

        FD_ZERO(&reading);
        FD_ZERO(&writing);
        FD_ZERO(&failing);
        pthread_mutex_lock(&lock);
        take_work();
        take_answers();
        curl_multi_fdset(multi, &reading, &writing, &failing, &highest);
        curl_multi_timeout(multi, &timeout);
        pthread_mutex_unlock(&lock);
        timeout = timeout < 0 ? 60000 : timeout;
        wait.tv_sec = timeout / 1000, wait.tv_usec = timeout % 1000 * 1000;
        FD_SET(wake_up, &reading);
        highest = highest > wake_up ? highest : wake_up;
        if (select(highest + 1, &reading, &writing, &failing, &wait) > 0 && FD_ISSET(wake_up, &reading)
            && read(wake_up, &count, sizeof count) < 0)
            perror("eventfd");
    }
    return context;
}

static int bare_start(const char *base_url, const char *ca_file, void *(*drive)(void *))
{
    pthread_t thread;

    multi = bare_multi(SEARCHES, ca_file[0] != '\0');
    wake_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    headers = bare_headers();
    url = base_url, ca = ca_file;
    is_locked = drive == drive_locked;
    return multi != NULL && wake_up >= 0 && pthread_create(&thread, NULL, drive, NULL) == 0;
}

static int queued_start(const char *base_url, const char *ca_file)
{
    return bare_start(base_url, ca_file, drive_queued);
}

static int locked_start(const char *base_url, const char *ca_file)
{
    return bare_start(base_url, ca_file, drive_locked);
}

const struct contestant queued = { "queued", queued_start, bare_submit, bare_end };
const struct contestant locked = { "locked", locked_start, bare_submit, bare_end };
