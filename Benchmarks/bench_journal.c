/*
 * How many bookings a second one client makes, with a journal or without, and what the disk alone
 * takes.
 *
 *     bench_journal book BASE_URL JOURNAL IN_FLIGHT MILLISECONDS
 *     bench_journal sync FILE BYTES MILLISECONDS
 *
 * "book" submits the next booking from the callback of the one that ended, each under a key of its
 * own, after some to warm up. JOURNAL is the path of a file that is not there yet, or empty. It
 * prints bookings a second, from submission to completion the latency of each in microseconds, and
 * the bytes that one booking takes in the journal.
 *
 * "sync" is what each booking would cost that waited for the disk by itself: so many bytes added to
 * a file, and fdatasync. It prints such waits a second, and the latency of each.
 */
#include "bench_booking.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a booking takes in the journal, its intent and its reply; 0 without a journal. */
static long bytes_of_booking(const char *journal)
{
    struct stat status;

    return stat(journal, &status) == 0 && bookings_made() > 0 ? (long)status.st_size / bookings_made() : 0;
}

static int book_at(const char *base_url, const char *journal, int in_flight, long milliseconds)
{
    char members[1024] = "";
    pbk_client *client;
    double seconds;

    if (journal[0] != '\0')
        snprintf(members, sizeof members, ",\"journal_path\":\"%s\"", journal);
    client = ours_open(base_url, "", members);
    seconds = client == NULL ? 0 : book(client, in_flight, milliseconds);
    if (seconds == 0)
        return 0;
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
        return book_at(argv[2], argv[3], atoi(argv[4]), atol(argv[5])) ? 0 : 1;
    }
    if (is_sync && atol(argv[3]) > 0)
        return sync_alone(argv[2], atol(argv[3]), atol(argv[4])) ? 0 : 1;
    fprintf(stderr, "usage: %s book BASE_URL JOURNAL IN_FLIGHT MILLISECONDS\n       %s sync FILE BYTES MILLISECONDS\n",
            argv[0], argv[0]);
    return 2;
}
