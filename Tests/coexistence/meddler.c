/*
 * What untouched.c has to see. Loaded before everything else, it stands between the library and libcurl, and changes what
 * MEDDLE names, in the name of the library: as a client is opened, on the thread that opens it.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void *stay(void *unused)
{
    pause();
    return unused;
}

static int meddle_with(const char *what)
{
    sigset_t set;
    pthread_t thread;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (strcmp(what, "locale") == 0) return setlocale(LC_NUMERIC, "C") != NULL;
    if (strcmp(what, "thread locale") == 0) return uselocale(newlocale(LC_ALL_MASK, "C", NULL)) != NULL;
    if (strcmp(what, "handler") == 0) return signal(SIGPIPE, SIG_IGN) != SIG_ERR;
    if (strcmp(what, "mask") == 0) return pthread_sigmask(SIG_BLOCK, &set, NULL) == 0;
    if (strcmp(what, "signal stack") == 0)
        return sigaltstack(&(stack_t){.ss_sp = malloc(1 << 16), .ss_size = 1 << 16}, NULL) == 0;
    if (strcmp(what, "new variable") == 0) return setenv("MEDDLED", "yes", 1) == 0;
    if (strcmp(what, "same variable") == 0) return setenv("MEDDLE", what, 1) == 0;
    if (strcmp(what, "umask") == 0) return (umask(077), 1);
    if (strcmp(what, "folder") == 0) return chdir("/") == 0;
    if (strcmp(what, "limit") == 0) return setrlimit(RLIMIT_NOFILE, &(struct rlimit){99, 99}) == 0;
    if (strcmp(what, "alarm") == 0) return (alarm(0), 1);
    if (strcmp(what, "rounding") == 0) return fesetround(FE_TONEAREST) == 0;
    if (strcmp(what, "time zone") == 0) return (tzset(), 1);
    if (strcmp(what, "random numbers") == 0) return (srand(2), 1);
    if (strcmp(what, "more random numbers") == 0) return lrand48() >= 0;
    if (strcmp(what, "flushed output") == 0) return fflush(stdout) == 0;
    if (strcmp(what, "unbuffered output") == 0) return setvbuf(stderr, NULL, _IOFBF, 4096) == 0;
    if (strcmp(what, "descriptor flags") == 0) return fcntl(STDOUT_FILENO, F_SETFL, O_APPEND | O_NONBLOCK) == 0;
    if (strcmp(what, "closed descriptor") == 0) return close(STDIN_FILENO) == 0;
    if (strcmp(what, "left descriptor") == 0) return dup(STDIN_FILENO) >= 0;
    if (strcmp(what, "left thread") == 0) return pthread_create(&thread, NULL, stay, NULL) == 0;
    if (strcmp(what, "left child") == 0) return fork() != 0 || (_exit(0), 0);
    return 0;
}

CURLcode curl_global_init(long flags)
{
    CURLcode (*real)(long);
    void *found = dlsym(dlopen("libcurl.so.4", RTLD_NOW), "curl_global_init");
    const char *what = getenv("MEDDLE");

    memcpy(&real, &found, sizeof real);
    if (what == NULL || !meddle_with(what)) {
        fprintf(stderr, "the meddler does not know how\n");
        abort();
    }
    return real(flags);
}
