/*
 * Calls of the C library that Swift's Glibc module does not show, because they are declared under
 * _GNU_SOURCE only or have no module of their own. And instructions that Swift does not show.
 */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* pthread_setname_np(pthread_self(), name): at most 15 bytes. */
void csystem_set_thread_name(const char *name);

/*
 * A mark of the calling thread: Swift has no thread-local variables. It does not pass to the
 * child of a fork.
 */
void csystem_set_runs_callbacks(void);
int csystem_runs_callbacks(void);

/* sem_clockwait(semaphore, CLOCK_MONOTONIC, until), again after signals: 0, or ETIMEDOUT. */
int csystem_semaphore_wait(sem_t *semaphore, const struct timespec *until);

/* epoll_create1(EPOLL_CLOEXEC) */
int csystem_epoll(void);

/* Listens for the other side's end of a connection (EPOLLRDHUP), and tells of it once (EPOLLET). */
int csystem_epoll_add_hangup(int epoll, int descriptor);
int csystem_epoll_remove(int epoll, int descriptor);

/*
 * Takes what there is to tell, up to `limit` events (64 at most), without waiting: whose they
 * are, and how many, or -1.
 */
int csystem_epoll_take(int epoll, int *descriptors, int limit);

/* Numbers that two threads share without a lock: no order with other memory is promised. */
static inline void csystem_store(uint64_t *number, uint64_t value) { __atomic_store_n(number, value, __ATOMIC_RELAXED); }
static inline uint64_t csystem_load(const uint64_t *number) { return __atomic_load_n(number, __ATOMIC_RELAXED); }

/* Adds to a number to which several threads add. */
static inline void csystem_add(uint64_t *number, uint64_t step) { __atomic_fetch_add(number, step, __ATOMIC_RELAXED); }

/* The clock of the processor time of the calling thread; -1 when there is none. */
clockid_t csystem_thread_clock(void);

/*
 * Bytes of a TCP connection that this process has read: those received but for those that wait; 0
 * when it is not known.
 */
uint64_t csystem_bytes_read(int descriptor);

/*
 * Ends a connection under the thread that uses it: puts a socket whose other end is closed in its
 * place, so that what has been received is dropped too. Without a free descriptor it is shut
 * down, and what has been received remains.
 */
void csystem_cut(int descriptor);

/*
 * Stands in for _swift_installCrashHandler in the shared object, by the linker. Swift's runtime
 * calls that as it is loaded, where SWIFT_ROOT or the place of the library leads it to a
 * swift-backtrace, and it would take over the host's signals of a crash.
 */
int csystem_install_no_crash_handler(void);

/*
 * Stands in for _swift_stdlib_getScalarName in the shared object, by the linker. No code here asks
 * for the Unicode name of a character, and the tables of these names are 550 kB. Returns 0: no
 * name.
 */
ssize_t csystem_no_scalar_name(uint32_t scalar, uint8_t *buffer, ssize_t capacity);

/*
 * Stand in for functions of Swift's runtime in the shared object, by the linker: _swift_stdlib_getAge,
 * getGeneralCategory, getBinaryProperties, getScript, getScriptExtensions and getCaseMapping, which
 * folds cases for regular expressions (lowercased() has tables of its own). No code here asks for
 * these properties of characters, and their tables are 90 kB. They return: unknown, none, the same.
 */
uint16_t csystem_no_scalar_age(uint32_t scalar);
uint8_t csystem_no_scalar_category(uint32_t scalar);
uint64_t csystem_no_scalar_properties(uint32_t scalar);
uint8_t csystem_no_scalar_script(uint32_t scalar);
const uint8_t *csystem_no_scalar_scripts(uint32_t scalar, uint8_t *count);
void csystem_no_scalar_folding(uint32_t scalar, uint32_t *buffer);

/*
 * Stands in for hypotf in the shared object, by the linker. Only a part of Swift's runtime that no
 * code here uses asks for it, and it was the one name that needed glibc 2.35 in place of 2.34.
 */
float csystem_hypotf(float x, float y);

/* secure_getenv(): NULL as well when the process has more rights than its user. */
const char *csystem_getenv(const char *name);

/* pwrite(). Beyond RLIMIT_FSIZE it fails with EFBIG, and the process gets no SIGXFSZ. */
ssize_t csystem_pwrite(int descriptor, const void *bytes, size_t count, off_t offset);

/*
 * Absorbs blocks of 64 bytes into the state of a SHA-256, eight words, with the processor's
 * instructions for it. Returns 0 and does nothing where it has none.
 */
int csystem_sha256(void *state, const void *blocks, size_t count);

/* eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) */
int csystem_eventfd(void);

#endif
