/*
 * What a call does when an allocation on its thread fails: each allocation of each function fails
 * once, in a process of its own. Prints how many of them end the process. The copy of a returned
 * string is the one that does not: the function returns NULL.
 *
 * The program has the process's malloc, and libpartnerbooking uses it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static __thread int is_counting;
static long count, fail_at;

static int is_to_fail(void)
{
    if (!is_counting || count++ != fail_at)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return is_to_fail() ? NULL : __libc_malloc(size); }
void *calloc(size_t number, size_t size) { return is_to_fail() ? NULL : __libc_calloc(number, size); }
void *realloc(void *memory, size_t size) { return is_to_fail() ? NULL : __libc_realloc(memory, size); }

static pbk_client *client;

static void *search(void) { return pbk_search_availability(client, SEARCH, NULL); }
static void *refuse(void) { return pbk_search_availability(client, "{", NULL); }
static void *list(void) { return pbk_pending_bookings(client, NULL); }
static void *key(void) { return pbk_random_key(); }
static void *get(void) { return pbk_json_get("{\"a\":[1]}", "/a/0"); }
static void *quote(void) { return pbk_json_quote("a\"b"); }

static const struct { const char *name; void *(*body)(void); } functions[] = {
    {"pbk_search_availability", search}, {"pbk_search_availability, refused", refuse}, {"pbk_pending_bookings", list},
    {"pbk_random_key", key}, {"pbk_json_get", get}, {"pbk_json_quote", quote},
};

/*
 * In a fresh client whose function was called before. The number of allocations, and what it
 * returned.
 */
static long allocations(void *(*body)(void), long which, void **result)
{
    client = open_client(SANDBOX);
    pbk_string_free(body());
    pbk_string_free(body());
    count = 0;
    fail_at = which;
    is_counting = 1;
    *result = body();
    is_counting = 0;
    return count;
}

int main(void)
{
    unsigned number;

    for (number = 0; number < sizeof functions / sizeof *functions; number++) {
        long all, i, ended = 0, null = 0, others = 0;
        void *result;

        all = allocations(functions[number].body, -1, &result);
        check(result != NULL && all > 0, "works", functions[number].name, "");
        pbk_client_close(client, 0);
        for (i = 0; i < all; i++) {
            pid_t child = fork();
            int status;

            if (child == 0) {
                if (freopen("/dev/null", "w", stderr) == NULL)
                    _exit(3);
                allocations(functions[number].body, i, &result);
                _exit(result == NULL ? 1 : 2);
            }
            waitpid(child, &status, 0);
            ended += WIFSIGNALED(status) != 0;
            null += WIFEXITED(status) && WEXITSTATUS(status) == 1;
            others += WIFEXITED(status) && WEXITSTATUS(status) > 1;
        }
        printf("%s: %ld allocations, %ld end the process, %ld give NULL\n", functions[number].name, all, ended, null);
        check(null >= 1 && others == 0, "no memory for the reply gives NULL", functions[number].name, "");
    }
    printf("%d checks, none went wrong\n", checks);
    return 0;
}
