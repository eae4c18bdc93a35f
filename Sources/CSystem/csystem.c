#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

void csystem_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

static _Thread_local int runs_callbacks;

void csystem_set_runs_callbacks(void) { runs_callbacks = 1; }

int csystem_runs_callbacks(void) { return runs_callbacks; }

int csystem_semaphore_wait(sem_t *semaphore, const struct timespec *until) {
    while (sem_clockwait(semaphore, CLOCK_MONOTONIC, until) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
