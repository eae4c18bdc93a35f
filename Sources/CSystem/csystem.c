#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void csystem_set_thread_name(const char *name) { pthread_setname_np(pthread_self(), name); }

static _Thread_local pid_t runs_callbacks_of;

void csystem_set_runs_callbacks(void) { runs_callbacks_of = getpid(); }

int csystem_runs_callbacks(void) { return runs_callbacks_of != 0 && runs_callbacks_of == getpid(); }

int csystem_semaphore_wait(sem_t *semaphore, const struct timespec *until) {
    while (sem_clockwait(semaphore, CLOCK_MONOTONIC, until) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

int csystem_epoll(void) { return epoll_create1(EPOLL_CLOEXEC); }

int csystem_epoll_add_hangup(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.fd = descriptor};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

int csystem_epoll_remove(int epoll, int descriptor) { return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, NULL); }

int csystem_epoll_take(int epoll, int *descriptors, int limit) {
    struct epoll_event events[64];
    int count = epoll_wait(epoll, events, limit < 64 ? limit : 64, 0);
    for (int i = 0; i < count; i++) descriptors[i] = events[i].data.fd;
    return count;
}

int csystem_install_no_crash_handler(void) { return 0; }

int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
