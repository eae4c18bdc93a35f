#define _GNU_SOURCE
#include "csystem.h"
#include "csha256.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

clockid_t csystem_thread_clock(void) {
    clockid_t clock;
    return pthread_getcpuclockid(pthread_self(), &clock) == 0 ? clock : -1;
}

uint64_t csystem_bytes_read(int descriptor) {
    struct tcp_info info = {0};
    socklen_t length = sizeof info;
    int waiting = 0;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
    if (ioctl(descriptor, FIONREAD, &waiting) != 0 || waiting < 0) return 0;
    return info.tcpi_bytes_received > (uint64_t)waiting ? info.tcpi_bytes_received - (uint64_t)waiting : 0;
}

void csystem_cut(int descriptor) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        shutdown(descriptor, SHUT_RDWR);
        return;
    }
    close(pair[1]);
    if (dup3(pair[0], descriptor, O_CLOEXEC) < 0) shutdown(descriptor, SHUT_RDWR);
    close(pair[0]);
}

int csystem_install_no_crash_handler(void) { return 0; }

ssize_t csystem_no_scalar_name(uint32_t scalar, uint8_t *buffer, ssize_t capacity) {
    (void)scalar, (void)buffer, (void)capacity;
    return 0;
}

uint16_t csystem_no_scalar_age(uint32_t scalar) {
    (void)scalar;
    return UINT16_MAX;
}

uint8_t csystem_no_scalar_category(uint32_t scalar) {
    (void)scalar;
    return 29;
}

uint64_t csystem_no_scalar_properties(uint32_t scalar) {
    (void)scalar;
    return 0;
}

uint8_t csystem_no_scalar_script(uint32_t scalar) {
    (void)scalar;
    return UINT8_MAX;
}

const uint8_t *csystem_no_scalar_scripts(uint32_t scalar, uint8_t *count) {
    (void)scalar;
    *count = 0;
    return NULL;
}

void csystem_no_scalar_folding(uint32_t scalar, uint32_t *buffer) { buffer[0] = scalar; }

int csystem_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

ssize_t csystem_pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    sigset_t limit, before;
    sigemptyset(&limit);
    sigaddset(&limit, SIGXFSZ);
    pthread_sigmask(SIG_BLOCK, &limit, &before);
    ssize_t written = pwrite(descriptor, bytes, count, offset);
    int code = errno;
    if (written < 0 && code == EFBIG) {
        /* The signal is pending on this thread. Take it here, so that no handler runs. */
        const struct timespec now = {0, 0};
        while (sigtimedwait(&limit, NULL, &now) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = code;
    return written;
}

float csystem_hypotf(float x, float y) { return (float)__builtin_sqrt((double)x * x + (double)y * y); }

const char *csystem_getenv(const char *name) { return secure_getenv(name); }
