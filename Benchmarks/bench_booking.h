/* Bookings with so many in flight, for the benchmarks of what keeps them: bench_journal.c and
   bench_ledger.c. */
#ifndef BENCH_BOOKING_H
#define BENCH_BOOKING_H

#include "bench.h"

#define MOST_IN_FLIGHT 512

/* Books for a while, after some to warm up: submits the next booking from the callback of the one that ended, each under a
   key of its own. Returns the seconds that it took; 0 when a booking failed. */
double book(pbk_client *client, int in_flight, long milliseconds);

/* How many there were, with those to warm up. */
long bookings_made(void);

void take_sample(int64_t begun);

/* Prints samples a second, the bytes of one, and each in microseconds. */
void print_result(double seconds, long bytes);

#endif
