/*
 * A host that uses the very libcurl that we use, linked to it:
 *
 *     same_curl HABIT LIBRARY CONFIG URL CA_FILE
 *
 * HABIT is what it does with curl_global_init and curl_global_cleanup while our calls are under way:
 *
 *     counted      it pairs them, time after time
 *     too-often    it never initialises and cleans up all the same, as programs do that know of curl_easy_init only
 *     own-memory   as "counted", and gives libcurl an allocator of its own, before we start: what libcurl hands out is no
 *                  memory that free() could take
 */
#define _GNU_SOURCE
#include "coexistence.h"

#include <stdatomic.h>

#define THREADS 3
#define ROUNDS 10

static struct pbk pbk;
static const char *url, *ca_file;
static struct curl own;
static atomic_int is_over;

/* ---- An allocator whose blocks begin sixteen bytes before they seem to ------------------------------------------- */

#define HEAD 16
static atomic_long taken;

static void *own_realloc(void *block, size_t size)
{
    char *start = block == NULL ? NULL : (char *)block - HEAD;

    start = realloc(start, size + HEAD);
    if (start == NULL)
        return NULL;
    taken++;
    return start + HEAD;
}

static void *own_malloc(size_t size) { return own_realloc(NULL, size); }

static void own_free(void *block)
{
    if (block != NULL)
        free((char *)block - HEAD);
}

static void *own_calloc(size_t number, size_t size)
{
    void *block = own_malloc(number * size);

    return block == NULL ? NULL : memset(block, 0, number * size);
}

static char *own_strdup(const char *text)
{
    char *copy = own_malloc(strlen(text) + 1);

    return copy == NULL ? NULL : strcpy(copy, text);
}

/* ---- Ours and the host's, at once --------------------------------------------------------------------------------- */

static void *our_calls(void *config)
{
    pbk_client *client = open_client(&pbk, config);

    for (int round = 0; round < ROUNDS; round++) {
        search(&pbk, client);
        book(&pbk, client, 2);
        if (round == ROUNDS / 2) {  /* a life that begins and ends in the middle */
            if (pbk.client_close(client, 1000) != PBK_OK)
                fail("close");
            client = open_client(&pbk, config);
        }
    }
    if (pbk.client_close(client, 1000) != PBK_OK)
        fail("close");
    return NULL;
}

/* The host's own handle, which lives through all of our clients' lives. */
static void *their_calls(void *easy)
{
    for (int round = 0; !is_over; round++)
        get(&own, easy, round % 2);
    return NULL;
}

static void *their_habit(void *is_counted)
{
    while (!is_over) {
        if (is_counted != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            fail("curl_global_init");
        curl_global_cleanup();
        usleep(200);
    }
    return NULL;
}

static void start(pthread_t *thread, void *(*body)(void *), const void *argument)
{
    if (pthread_create(thread, NULL, body, (void *)argument) != 0)
        fail("pthread_create");
}

int main(int count, char **arguments)
{
    pthread_t ours[THREADS], theirs, habit;
    CURL *easy;

    if (count != 6)
        return 2;
    const int is_counted = strcmp(arguments[1], "too-often") != 0, has_memory = strcmp(arguments[1], "own-memory") == 0;
    const char *config = arguments[3];
    url = arguments[4], ca_file = arguments[5];

    CURLcode code = CURLE_OK;
    if (has_memory)
        code = curl_global_init_mem(CURL_GLOBAL_DEFAULT, own_malloc, own_free, own_realloc, own_strdup, own_calloc);
    else if (is_counted)
        code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK)
        fail("curl_global_init: %s", curl_easy_strerror(code));
    find_curl(&own, RTLD_DEFAULT);
    find_pbk(&pbk, load(arguments[2], RTLD_LOCAL));
    easy = easy_for(&own, url, ca_file);
    get(&own, easy, 1);

    start(&theirs, their_calls, easy);
    start(&habit, their_habit, is_counted ? "" : NULL);
    for (int number = 0; number < THREADS; number++)
        start(&ours[number], our_calls, config);
    for (int number = 0; number < THREADS; number++)
        pthread_join(ours[number], NULL);
    is_over = 1;
    pthread_join(theirs, NULL);
    pthread_join(habit, NULL);

    /* All our clients are closed, and the host's handle and libcurl are as they were. */
    get(&own, easy, 0);
    get(&own, easy, 1);
    curl_easy_cleanup(easy);
    if (has_memory && taken == 0)
        fail("nothing was ever taken from the host's allocator");
    curl_global_cleanup();
    return 0;
}
