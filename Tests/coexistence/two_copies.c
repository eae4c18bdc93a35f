/*
 * A host into which the library has come twice, under two paths, say by two plug-ins that bring it along:
 *
 *     two_copies FIRST SECOND SANDBOX SERVICE JOURNAL [MILLISECONDS]
 *
 * FIRST and SECOND are files, whose names all go into the global scope; the rest are configurations. With
 * MILLISECONDS the process ends after as many, with calls under way in both; else it does the whole test.
 */
#define _GNU_SOURCE
#include "coexistence.h"

#include <sys/wait.h>

#define ROUNDS 5
#define CALLERS 8

static struct pbk copies[2];
static const char *service;

/* Over TLS: calls that wait, handshakes, and calls that are handed over. */
static void *calls(void *copy)
{
    const struct pbk *pbk = copy;
    const int number = (int)(pbk - copies);

    for (int round = 0; round < ROUNDS; round++) {
        pbk_client *client = open_client(pbk, service);
        pbk_completion *completion;
        pbk_status status;

        search(pbk, client);
        book(pbk, client, number);
        if (pbk->submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, copy) != PBK_OK)
            fail("submit");
        completion = pbk->next_completion(client, 20000, &status);
        if (completion == NULL || pbk->completion_status(completion) != PBK_OK
            || pbk->completion_context(completion) != copy)
            fail("the completion is not that of the call");
        pbk->completion_free(completion);
        if (pbk->client_close(client, 1000) != PBK_OK)
            fail("close");
    }
    return NULL;
}

static void both_at_once(void)
{
    pthread_t threads[4];

    for (int number = 0; number < 4; number++)
        if (pthread_create(&threads[number], NULL, calls, &copies[number % 2]) != 0)
            fail("pthread_create");
    for (int number = 0; number < 4; number++)
        pthread_join(threads[number], NULL);
}

static void expect_refusal(const struct pbk *pbk, pbk_client *client)
{
    pbk_status status = PBK_OK;
    char *reply = pbk->search_availability(client, SEARCH, &status);

    if (status != PBK_INVALID_CLIENT || reply == NULL || strstr(reply, "\"invalid_client\"") == NULL)
        fail("a handle of the other's gave %d: %s", status, reply == NULL ? "NULL" : reply);
    pbk->string_free(reply);
    if (pbk->submit(client, PBK_SEARCH_AVAILABILITY, SEARCH, NULL, NULL, NULL, NULL) != PBK_INVALID_CLIENT)
        fail("a handle of the other's was taken by submit");
    if (pbk->next_completion(client, 0, &status) != NULL || status != PBK_INVALID_CLIENT)
        fail("a handle of the other's was taken by next_completion");
    if (pbk->client_close(client, 0) != PBK_INVALID_CLIENT)
        fail("a handle of the other's was taken by close");
}

/* Each has clients, bookings and a closing of its own, and refuses the handles of the other. */
static void keep_apart(const char *sandbox)
{
    pbk_client *clients[2];

    for (int copy = 0; copy < 2; copy++)
        clients[copy] = open_client(&copies[copy], sandbox);
    for (int copy = 0; copy < 2; copy++)
        expect_refusal(&copies[copy], clients[1 - copy]);
    for (int copy = 0; copy < 2; copy++) {
        book(&copies[copy], clients[copy], copy);
        if (copies[copy].client_close(clients[copy], 1000) != PBK_OK)
            fail("close");
    }
}

/* A journal belongs to one client, whichever copy of the library that one is of. */
static void share_no_journal(const char *journal)
{
    pbk_client *owner = open_client(&copies[0], journal);
    char *error = NULL;

    if (copies[1].client_open(journal, &error, NULL) != NULL || error == NULL || strstr(error, "\"journal_locked\"") == NULL)
        fail("a journal that the other has open gave: %s", error == NULL ? "a client" : error);
    copies[1].string_free(error);
    book(&copies[0], owner, 0);
    if (copies[0].client_close(owner, 1000) != PBK_OK)
        fail("close");
    owner = open_client(&copies[1], journal);
    book(&copies[1], owner, 1);
    if (copies[1].client_close(owner, 1000) != PBK_OK)
        fail("close");
}

/* While both have threads, which the child has not. */
static void fork_with_both(const char *sandbox)
{
    pbk_client *open[2];
    int status;
    pid_t child;

    for (int number = 0; number < 2; number++)
        open[number] = open_client(&copies[number], service);
    child = fork();
    if (child == 0) {
        alarm(20);  /* a child that hangs dies of it */
        for (int number = 0; number < 2; number++) {
            pbk_client *own = open_client(&copies[number], sandbox);

            if (copies[number].client_close(open[number], 0) != PBK_CLIENT_CLOSED)
                fail("an inherited handle is not closed");
            book(&copies[number], own, number);
        }
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("the child ended with %#x", (unsigned)status);
    for (int number = 0; number < 2; number++) {
        search(&copies[number], open[number]);
        if (copies[number].client_close(open[number], 1000) != PBK_OK)
            fail("close");
    }
}

struct caller {
    const struct pbk *pbk;
    pbk_client *client;
};

static void *call_for_ever(void *argument)
{
    const struct caller *caller = argument;

    for (;;)
        caller->pbk->string_free(caller->pbk->search_availability(caller->client, SEARCH, NULL));
    return NULL;
}

static void exit_with_calls_under_way(int milliseconds)
{
    static struct caller callers[CALLERS];
    pthread_t thread;

    for (int number = 0; number < CALLERS; number++) {
        callers[number].pbk = &copies[number % 2];
        callers[number].client = open_client(callers[number].pbk, service);
    }
    for (int number = 0; number < CALLERS; number++)
        if (pthread_create(&thread, NULL, call_for_ever, &callers[number]) != 0)
            fail("pthread_create");
    usleep((useconds_t)milliseconds * 1000);
    exit(0);
}

int main(int count, char **arguments)
{
    if (count < 6)
        return 2;
    for (int number = 0; number < 2; number++)
        find_pbk(&copies[number], load(arguments[1 + number], RTLD_GLOBAL));
    if (copies[0].client_open == copies[1].client_open)
        fail("the loader took the two for one");

    const char *sandbox = arguments[3], *journal = arguments[5];
    service = arguments[4];
    if (count > 6)
        exit_with_calls_under_way(atoi(arguments[6]));
    keep_apart(sandbox);
    both_at_once();
    share_no_journal(journal);
    fork_with_both(sandbox);
    return 0;
}
