/*
 * A host that uses a libcurl of another flavour, with GnuTLS:
 *
 *     two_curls ORDER LIBRARY CONFIG URL CA_FILE
 *
 * ORDER says which is loaded and used first, "theirs" or "ours"; both go into the global scope, where each finds names that
 * the other has as well. A program that is linked to both has them loaded before it begins. Both make requests over TLS, in
 * turn and at once, and then each goes on after the other has cleaned up.
 */
#define _GNU_SOURCE
#include "coexistence.h"

#define ROUNDS 3
#define THREADS 4

static struct pbk pbk;
static struct curl theirs;
static const char *url, *ca_file;
static pbk_client *client;

static void *their_calls(void *unused)
{
    CURL *easy = easy_for(&theirs, url, ca_file);

    for (int round = 0; round < ROUNDS; round++)
        get(&theirs, easy, round % 2);
    theirs.easy_cleanup(easy);
    return unused;
}

static void *our_calls(void *unused)
{
    for (int round = 0; round < ROUNDS; round++) {
        search(&pbk, client);
        book(&pbk, client, 1);
    }
    return unused;
}

/* The first call of a client that has no connection yet. */
static void our_handshake(const char *config)
{
    pbk_client *other = open_client(&pbk, config);

    search(&pbk, other);
    if (pbk.client_close(other, 1000) != PBK_OK)
        fail("close");
}

static void start(pthread_t *thread, void *(*body)(void *))
{
    if (pthread_create(thread, NULL, body, NULL) != 0)
        fail("pthread_create");
}

int main(int count, char **arguments)
{
    void *their_library, *our_library;
    pthread_t threads[THREADS];
    CURL *easy;

    if (count != 6)
        return 2;
    const int is_theirs_first = strcmp(arguments[1], "theirs") == 0;
    const char *library = arguments[2], *config = arguments[3];
    url = arguments[4], ca_file = arguments[5];

    if (!is_theirs_first)
        our_library = load(library, RTLD_GLOBAL);
    their_library = load("libcurl-gnutls.so.4", RTLD_GLOBAL);
    if (is_theirs_first)
        our_library = load(library, RTLD_GLOBAL);
    find_pbk(&pbk, our_library);
    find_curl(&theirs, their_library);
    if (strstr(theirs.version(), "GnuTLS") == NULL)
        fail("not the flavour that was wanted: %s", theirs.version());

    /* In the same order, since it may be the first use that counts. */
    if (!is_theirs_first)
        client = open_client(&pbk, config);
    theirs.global_init(CURL_GLOBAL_DEFAULT);
    easy = easy_for(&theirs, url, ca_file);
    if (is_theirs_first)
        client = open_client(&pbk, config);

    for (int round = 0; round < ROUNDS; round++) {
        get(&theirs, easy, round % 2);
        search(&pbk, client);
        book(&pbk, client, 0);
    }
    for (int number = 0; number < THREADS; number++)
        start(&threads[number], number % 2 ? their_calls : our_calls);
    for (int round = 0; round < ROUNDS; round++)
        our_handshake(config);
    for (int number = 0; number < THREADS; number++)
        pthread_join(threads[number], NULL);

    /* They clean up in the middle of our calls: we go on, over the connection that we have and over a new one. */
    start(&threads[0], our_calls);
    theirs.easy_cleanup(easy);
    theirs.global_cleanup();
    pthread_join(threads[0], NULL);
    search(&pbk, client);
    our_handshake(config);

    /* We have: they go on. */
    theirs.global_init(CURL_GLOBAL_DEFAULT);
    easy = easy_for(&theirs, url, ca_file);
    get(&theirs, easy, 1);
    if (pbk.client_close(client, 1000) != PBK_OK)
        fail("close");
    get(&theirs, easy, 0);
    get(&theirs, easy, 1);
    theirs.easy_cleanup(easy);
    theirs.global_cleanup();

    /* And theirs is gone, while a client of ours is still there at exit. */
    dlclose(their_library);
    client = open_client(&pbk, config);
    search(&pbk, client);
    return 0;
}
