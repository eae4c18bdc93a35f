/*
 * Opens, uses and closes 200 clients of the sandbox, every other one with a booking, and checks that the process has as
 * many threads and descriptors at the end as after the first client was closed.
 */
#define _POSIX_C_SOURCE 200809L
#include "support.h"

#define CLIENTS 200

/* Opens a client, makes one call and closes it. Returns 1 if all went well. */
static int use_client(int number)
{
    char *error = NULL, *reply;
    pbk_status status;
    pbk_client *client = pbk_client_open(
        "{\"endpoint\":\"sandbox\",\"sandbox\":{\"now\":\"2030-01-14T08:00:00Z\"}}", &error, NULL);

    if (client == NULL) {
        fprintf(stderr, "client %d: %s\n", number, error == NULL ? "out of memory" : error);
        pbk_string_free(error);
        return 0;
    }
    if (number % 2 == 0)
        reply = pbk_search_availability(client,
            "{\"bot_id\":\"bot_1\",\"query\":{\"filter\":{\"start_at_range\":"
            "{\"start_at\":\"2030-01-14T00:00:00Z\",\"end_at\":\"2030-01-15T00:00:00Z\"}}}}", &status);
    else    /* the same slot and the same key every time: each sandbox has bookings of its own */
        reply = pbk_create_booking(client,
            "{\"bot_id\":\"bot_1\",\"idempotency_key\":\"key-1\",\"booking\":{\"start_at\":\"2030-01-14T10:00:00Z\","
            "\"duration_minutes\":30,\"customer\":{\"phone\":\"+15551234567\",\"name\":\"John Doe\"}}}", &status);
    if (status != PBK_OK)
        fprintf(stderr, "client %d: %s\n", number, reply == NULL ? "out of memory" : reply);
    pbk_string_free(reply);
    if (pbk_client_close(client, 1000) != PBK_OK) {
        fprintf(stderr, "client %d: close failed\n", number);
        return 0;
    }
    return status == PBK_OK;
}

int main(void)
{
    const struct timespec while_it_settles = {0, 200 * 1000 * 1000};
    int number, fine, threads, threads_at_end, descriptors, descriptors_at_end;

    fine = use_client(0);
    nanosleep(&while_it_settles, NULL);
    threads = entries("/proc/self/task");
    descriptors = entries("/proc/self/fd");

    for (number = 1; number < CLIENTS && fine; number++)
        fine = use_client(number);
    threads_at_end = settled("/proc/self/task", threads);
    descriptors_at_end = settled("/proc/self/fd", descriptors);

    printf("%d clients; threads %d, at the end %d; descriptors %d, at the end %d\n", number, threads - 2,
           threads_at_end - 2, descriptors - 3, descriptors_at_end - 3);
    if (threads != threads_at_end || descriptors != descriptors_at_end)
        fprintf(stderr, "threads or descriptors were left behind\n");
    return fine && threads == threads_at_end && descriptors == descriptors_at_end ? 0 : 1;
}
