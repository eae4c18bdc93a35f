/*
 * A host that looks whether anything of the process, or of its threads, has changed through a whole life of the library:
 *
 *     untouched LIBRARY SERVICE JOURNAL DISTRUSTED
 *
 * SERVICE, JOURNAL and DISTRUSTED are configurations: a service over TLS, the same with a journal, and the same whose
 * certificate is not to be trusted. Before it begins the host sets what can be set to something unusual, so that a
 * "setting back" shows as well. Everything is written down as text, a fact a line, and the texts are compared.
 *
 * errno is not looked at: like any function of C's, those of the library may change it.
 */
#define _GNU_SOURCE
#include "coexistence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <langinfo.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#ifdef __x86_64__
#include <xmmintrin.h>
#endif

extern char **environ;

static struct pbk pbk;

/* ---- Facts ------------------------------------------------------------------------------------------------------- */

struct facts {
    char text[60000];
    size_t length;
};

static void note(struct facts *facts, const char *format, ...)
{
    va_list arguments;
    const size_t room = sizeof facts->text - facts->length;
    int length;

    va_start(arguments, format);
    length = vsnprintf(facts->text + facts->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room)
        fail("there are more facts than expected");
    facts->length += (size_t)length;
}

static int handled;
static void on_signal(int number) { handled = number; }
static void on_signal_info(int number, siginfo_t *info, void *context) { (void)info, (void)context, handled = number; }

static void note_signals(struct facts *facts)
{
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        int is_there;

        memset(&action, 0, sizeof action);
        is_there = sigaction(number, NULL, &action) == 0;
        note(facts, "signal %d: %d %p flags %#x mask", number, is_there, (void *)(size_t)action.sa_handler,
             (unsigned)action.sa_flags);
        for (int other = 1; is_there && other <= 64; other++)
            if (sigismember(&action.sa_mask, other) == 1)
                note(facts, " %d", other);
        note(facts, "\n");
    }
}

static void note_stream(struct facts *facts, const char *name, FILE *stream)
{
    note(facts, "%s: buffer %zu, by line %d, pending %zu\n", name, __fbufsize(stream), __flbf(stream) != 0,
         __fpending(stream));
}

static void note_settings(struct facts *facts)
{
    const struct lconv *conventions = localeconv();
    const mode_t mask = umask(0);
    char folder[1000];
    struct itimerval timer;

    umask(mask);
    note(facts, "locale: %s\n", setlocale(LC_ALL, NULL));
    note(facts, "numbers: %s %s %s %.1f\n", conventions->decimal_point, conventions->thousands_sep,
         conventions->int_curr_symbol, 0.5);
    note(facts, "words: %s %s %s\n", nl_langinfo(CODESET), nl_langinfo(RADIXCHAR), nl_langinfo(DAY_1));
    note(facts, "time zone: %s %s %ld %d\n", tzname[0], tzname[1], timezone, daylight);
    note(facts, "umask: %o\n", (unsigned)mask);
    note(facts, "folder: %s\n", getcwd(folder, sizeof folder));
    note(facts, "environment: %p\n", (void *)environ);
    for (char **variable = environ; *variable != NULL; variable++)
        note(facts, "environment: %p %s\n", (void *)*variable, *variable);
    for (int kind = 0; kind < RLIM_NLIMITS; kind++) {
        struct rlimit limit = {0, 0};

        getrlimit((__rlimit_resource_t)kind, &limit);
        note(facts, "limit %d: %llu %llu\n", kind, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
    }
    for (int kind = ITIMER_REAL; kind <= ITIMER_PROF; kind++) {
        getitimer((__itimer_which_t)kind, &timer);
        note(facts, "timer %d: %d %ld\n", kind, timer.it_value.tv_sec > 0, (long)timer.it_interval.tv_sec);
    }
    note(facts, "process: dumpable %d, reaper %d, group %d, session %d, child %d\n", prctl(PR_GET_DUMPABLE),
         prctl(PR_GET_CHILD_SUBREAPER, &(int){0}), getpgid(0), getsid(0), waitpid(-1, NULL, WNOHANG));
    note_stream(facts, "output", stdout);
    note_stream(facts, "errors", stderr);
}

/* Of the calling thread. */
static void note_thread(struct facts *facts)
{
    sigset_t blocked;
    stack_t stack;
    char name[20] = "";

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    note(facts, "blocked:");
    for (int number = 1; number <= 64; number++)
        if (sigismember(&blocked, number) == 1)
            note(facts, " %d", number);
    sigaltstack(NULL, &stack);
    note(facts, "\nsignal stack: %p %#x\n", stack.ss_sp, (unsigned)stack.ss_flags);
    note(facts, "rounding: %d, traps %#x\n", fegetround(), (unsigned)fegetexcept());
#ifdef __x86_64__
    /* Without its lowest six bits, which tell what has happened in calculations since they were cleared. */
    note(facts, "mxcsr: %#x\n", _mm_getcsr() & ~0x3fu);
#endif
    note(facts, "locale of the thread: %d\n", uselocale((locale_t)0) == LC_GLOBAL_LOCALE);
    prctl(PR_GET_NAME, name);
    note(facts, "thread: %s, nice %d, policy %d, slack %d\n", name, getpriority(PRIO_PROCESS, 0), sched_getscheduler(0),
         prctl(PR_GET_TIMERSLACK));
}

static int by_number(const void *one, const void *other) { return *(const int *)one - *(const int *)other; }

/* Which descriptors there are, of what, in which mode and how far. */
static void note_descriptors(struct facts *facts)
{
    int descriptors[1000], count = 0;
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;

    while ((entry = readdir(folder)) != NULL && count < 1000)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(folder))
            descriptors[count++] = atoi(entry->d_name);
    closedir(folder);
    qsort(descriptors, (size_t)count, sizeof descriptors[0], by_number);
    for (int number = 0; number < count; number++) {
        const int descriptor = descriptors[number];
        char path[50], target[1000] = "";

        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        if (readlink(path, target, sizeof target - 1) < 0)
            fail("%s: %s", path, strerror(errno));
        note(facts, "descriptor %d: %s, %#x %#x, at %ld\n", descriptor, target, (unsigned)fcntl(descriptor, F_GETFD),
             (unsigned)fcntl(descriptor, F_GETFL), (long)lseek(descriptor, 0, SEEK_CUR));
    }
}

static int count_threads(void)
{
    DIR *folder = opendir("/proc/self/task");
    int count = -2;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void compare(const char *when, const struct facts *before, const struct facts *after)
{
    const char *was = before->text, *is = after->text;

    while (*was != 0 || *is != 0) {
        const int was_long = (int)strcspn(was, "\n"), is_long = (int)strcspn(is, "\n");

        if (was_long != is_long || memcmp(was, is, (size_t)was_long) != 0)
            fail("changed %s\n  was  %.*s\n  is   %.*s", when, was_long, was, is_long, is);
        was += was_long + (was[was_long] != 0);
        is += is_long + (is[is_long] != 0);
    }
}

static struct facts settings, own_thread, descriptors;

static void compare_all(const char *when)
{
    static struct facts now;

    now.length = 0, note_signals(&now), note_settings(&now);
    compare(when, &settings, &now);
    now.length = 0, note_thread(&now);
    compare(when, &own_thread, &now);
}

/* ---- An unusual host ---------------------------------------------------------------------------------------------- */

static char output_buffer[5000];

static void set_up(void)
{
    sigset_t blocked;

    if (setlocale(LC_ALL, "de_DE") == NULL)
        fail("there is no locale de_DE");
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;

        /* Half of them: those left alone must stay so as well. */
        memset(&action, 0, sizeof action);
        action.sa_flags = SA_RESTART;
        if (number % 4 < 2)
            action.sa_flags |= SA_SIGINFO, action.sa_sigaction = on_signal_info;
        else
            action.sa_handler = on_signal;
        sigaddset(&action.sa_mask, SIGUSR2);
        if (number % 2 == 0)
            sigaction(number, &action, NULL);  /* fails for a few, which nobody can set */
    }
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    umask(027);
    setenv("TZ", "NPT-5:45", 1);
    tzset();
    setenv("TZ", "EST5EDT,M3.2.0,M11.1.0", 1);  /* what nobody looks at before the host says so */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    setitimer(ITIMER_REAL, &(struct itimerval){{500, 0}, {1000, 0}}, NULL);
    fesetround(FE_UPWARD);
    setvbuf(stdout, output_buffer, _IOFBF, sizeof output_buffer);
    printf("pending, ");
    fcntl(dup(STDIN_FILENO), F_SETFD, FD_CLOEXEC);
}

/* ---- A whole life ------------------------------------------------------------------------------------------------- */

static int callbacks;

static void on_completion(void *context, pbk_completion *completion)
{
    pbk.completion_free(completion);
    if (write(*(int *)context, "", 1) == 1)
        __atomic_add_fetch(&callbacks, 1, __ATOMIC_RELAXED);
}

static void expect(const char *what, pbk_status status, pbk_status wanted, char *reply)
{
    if (status != wanted || reply == NULL)
        fail("%s gave %d: %s", what, status, reply == NULL ? "NULL" : reply);
    pbk.string_free(reply);
}

static void use(const char *config, int caller)
{
    int told[2];
    char byte, *reply;
    pbk_completion *completion;
    pbk_status status;
    pbk_client *client = open_client(&pbk, config);

    compare_all("by opening a client");
    if (pbk.prewarm(client) != PBK_OK || pipe(told) != 0)
        fail("prewarm or pipe");
    search(&pbk, client);
    book(&pbk, client, caller);
    compare_all("by a search or a booking");
    if (pbk.submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, on_completion, &told[1]) != PBK_OK
        || read(told[0], &byte, 1) != 1)
        fail("callback");
    if (pbk.submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, NULL) != PBK_OK
        || (completion = pbk.next_completion(client, 20000, &status)) == NULL)
        fail("completion");
    pbk.completion_free(completion);
    reply = pbk.search_availability(client, "{\"bot_id\":", &status);
    expect("half of a request", status, PBK_INVALID_JSON, reply);
    compare_all("by calls");
    if (pbk.client_close(client, 1000) != PBK_OK)
        fail("close");
    close(told[0]), close(told[1]);
    compare_all("by closing a client");
}

static void meet_errors(const char *distrusted)
{
    char *error = NULL, *reply;
    pbk_status status;
    pbk_client *client;

    if (pbk.client_open("{\"endpoint\":\"nowhere\"}", &error, NULL) != NULL)
        fail("a client of a wrong configuration");
    pbk.string_free(error);
    client = open_client(&pbk, distrusted);
    reply = pbk.search_availability(client, SEARCH, &status);
    expect("a search at somebody who is not to be trusted", status, PBK_TLS_FAILED, reply);
    pbk.client_close(client, 0);
    compare_all("by errors");
}

static void *other_thread(void *config)
{
    static struct facts before, after;

    fesetround(FE_DOWNWARD);
    note_thread(&before);
    pbk_client *client = open_client(&pbk, config);
    book(&pbk, client, 2);
    pbk.client_close(client, 1000);
    note_thread(&after);
    compare("in another thread", &before, &after);
    return NULL;
}

static void draw(int *numbers)
{
    for (int number = 0; number < 10; number += 2) {
        numbers[number] = rand();
        numbers[number + 1] = (int)lrand48();
    }
}

static void first_to_leave(void) { printf("first handler\n"); }
static void last_to_leave(void) { printf("last handler\n"); }

int main(int count, char **arguments)
{
    int drawn[10], drawn_after[10], threads;
    pthread_t other;
    static struct facts left;

    if (count != 5)
        return 2;
    atexit(last_to_leave);
    set_up();
    srand(1), srand48(1);
    draw(drawn), draw(drawn);
    srand(1), srand48(1);
    draw(drawn_after);
    threads = count_threads();
    note_signals(&settings), note_settings(&settings), note_thread(&own_thread), note_descriptors(&descriptors);

    find_pbk(&pbk, load(arguments[1], RTLD_LOCAL));
    compare_all("by loading the library");
    use(arguments[2], 0);
    use(arguments[3], 1);
    meet_errors(arguments[4]);
    if (pthread_create(&other, NULL, other_thread, arguments[2]) != 0)
        fail("pthread_create");
    pthread_join(other, NULL);
    compare_all("by calls of another thread");

    draw(drawn_after);
    if (memcmp(drawn, drawn_after, sizeof drawn) != 0)
        fail("rand() or lrand48() goes on otherwise than it would have");
    note_descriptors(&left);
    compare("when the last client was closed", &descriptors, &left);
    /* A thread that was joined stays listed for a moment. */
    for (int tries = 0; count_threads() != threads && tries < 100; tries++)
        usleep(10000);
    if (count_threads() != threads)
        fail("%d threads, and %d before", count_threads(), threads);
    if (callbacks != 2 || handled != 0)
        fail("%d callbacks, and signal %d was handled", callbacks, handled);
    atexit(first_to_leave);
    printf("nothing has changed\n");
    return 7;
}
