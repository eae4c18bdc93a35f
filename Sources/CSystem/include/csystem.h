/*
 * Calls of the C library that Swift's Glibc module lacks: they need _GNU_SOURCE, or their header is
 * in no module. Also processor instructions that Swift lacks.
 */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* Names the calling thread: pthread_setname_np(). `name` has at most 15 bytes. */
void csystem_set_thread_name(const char *name);

/*
 * Marks the calling thread, and returns whether it is marked. Swift has no thread-local variables.
 * The child of a fork does not inherit the mark.
 */
void csystem_set_runs_callbacks(void);
int csystem_runs_callbacks(void);

/* Waits with sem_clockwait() on CLOCK_MONOTONIC, again after signals. Returns 0 or ETIMEDOUT. */
int csystem_semaphore_wait(sem_t *semaphore, const struct timespec *until);

/* epoll_create1(EPOLL_CLOEXEC) */
int csystem_epoll(void);

/* Watches for the end of a connection by the peer (EPOLLRDHUP). Reports it once (EPOLLET). */
int csystem_epoll_add_hangup(int epoll, int descriptor);
int csystem_epoll_remove(int epoll, int descriptor);

/*
 * Takes up to `limit` events, at most 64, without waiting. Writes their descriptors, and returns
 * their number, or -1.
 */
int csystem_epoll_take(int epoll, int *descriptors, int limit);

/* Access numbers that two threads share without a lock. They give no order with other memory. */
static inline void csystem_store(uint64_t *number, uint64_t value) { __atomic_store_n(number, value, __ATOMIC_RELAXED); }
static inline uint64_t csystem_load(const uint64_t *number) { return __atomic_load_n(number, __ATOMIC_RELAXED); }

/* Adds to a number that several threads change. */
static inline void csystem_add(uint64_t *number, uint64_t step) { __atomic_fetch_add(number, step, __ATOMIC_RELAXED); }

/* Returns the clock of the calling thread's processor time; -1 when there is none. */
clockid_t csystem_thread_clock(void);

/*
 * Returns the bytes of a TCP connection that this process has read: received bytes less unread
 * bytes. 0 when not known.
 */
uint64_t csystem_bytes_read(int descriptor);

/*
 * Ends a connection while another thread uses it. Puts a socket with a closed peer in its place, so
 * that received bytes are dropped too. Without a free descriptor it shuts the connection down, and
 * received bytes remain.
 */
void csystem_cut(int descriptor);

/*
 * Replaces _swift_installCrashHandler in the shared object, by the linker. Swift's runtime calls it
 * when it is loaded, if SWIFT_ROOT or the library's folder leads to a swift-backtrace. It would
 * take over the host's crash signals.
 */
int csystem_install_no_crash_handler(void);

/*
 * Replaces _swift_stdlib_getScalarName in the shared object, by the linker. No code here reads the
 * Unicode name of a character, and the tables of the names have 550 kB. Returns 0: no name.
 */
ssize_t csystem_no_scalar_name(uint32_t scalar, uint8_t *buffer, ssize_t capacity);

/*
 * Replace functions of Swift's runtime in the shared object, by the linker: _swift_stdlib_getAge,
 * getGeneralCategory, getBinaryProperties, getScript, getScriptExtensions and getCaseMapping. The
 * last folds cases for regular expressions; lowercased() has tables of its own. No code here reads
 * these properties of characters, and their tables have 90 kB. The functions return "unknown",
 * "none" or the same character.
 */
uint16_t csystem_no_scalar_age(uint32_t scalar);
uint8_t csystem_no_scalar_category(uint32_t scalar);
uint64_t csystem_no_scalar_properties(uint32_t scalar);
uint8_t csystem_no_scalar_script(uint32_t scalar);
const uint8_t *csystem_no_scalar_scripts(uint32_t scalar, uint8_t *count);
void csystem_no_scalar_folding(uint32_t scalar, uint32_t *buffer);

/*
 * Replaces hypotf in the shared object, by the linker. Only an unused part of Swift's runtime calls
 * it. It was the only symbol that needed glibc 2.35 instead of 2.34.
 */
float csystem_hypotf(float x, float y);

/* secure_getenv(). Also returns NULL when the process has more rights than its user. */
const char *csystem_getenv(const char *name);

/* pwrite(). Beyond RLIMIT_FSIZE it fails with EFBIG, without a SIGXFSZ for the process. */
ssize_t csystem_pwrite(int descriptor, const void *bytes, size_t count, off_t offset);

/*
 * Absorbs blocks of 64 bytes into the 8 words of a SHA-256 state, with the processor's SHA
 * instructions. Returns 0 and changes nothing if the processor has none.
 */
int csystem_sha256(void *state, const void *blocks, size_t count);

/* eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) */
int csystem_eventfd(void);

#endif
