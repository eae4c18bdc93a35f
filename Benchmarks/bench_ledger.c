/*
 * How many bookings a second one client makes whose bookings are in a store that all engines share.
 *
 *     bench_ledger BASE_URL IN_FLIGHT MILLISECONDS postgres CONNINFO SCRIPT
 *     bench_ledger BASE_URL IN_FLIGHT MILLISECONDS redis PORT SCRIPT
 *
 * SCRIPT is postgres.sql or redis.lua. One thread takes the batches, on one connection. Prints what
 * "bench_journal book" prints. For stores on this machine: it gives up at the first error, and
 * waits for ever.
 */
#include "bench_booking.h"

#include <hiredis/hiredis.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETENTION "86400000"

struct store {
    PGconn *postgres;
    redisContext *redis;
    char sha[64], key[64];
};

static pbk_client *client;
static atomic_long batches;

static char *text_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);

    if (file == NULL || text == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
    return text;
}

/* ---- PostgreSQL ---- */

static void connect_postgres(struct store *store, const char *conninfo, const char *script)
{
    PGresult *result;

    store->postgres = PQconnectdb(conninfo);
    result = PQexec(store->postgres, script);
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        fprintf(stderr, "PostgreSQL: %s\n", PQerrorMessage(store->postgres));
        exit(1);
    }
    PQclear(result);
}

static void run_in_postgres(struct store *store, uint64_t batch, const char *json)
{
    PGresult *result = PQexecParams(store->postgres, "SELECT pbk_ledger_v1($1::json, " RETENTION ", 10000)", 1, NULL,
                                    &json, NULL, NULL, 0);

    if (PQresultStatus(result) != PGRES_TUPLES_OK || pbk_ledger_answer(client, batch, PQgetvalue(result, 0, 0), NULL) != PBK_OK) {
        fprintf(stderr, "PostgreSQL: %s\n", PQerrorMessage(store->postgres));
        exit(1);
    }
    PQclear(result);
}

/* ---- Redis ---- */

static void connect_redis(struct store *store, const char *port, const char *script, const char *scope)
{
    redisReply *reply;

    store->redis = redisConnect("127.0.0.1", atoi(port));
    reply = store->redis == NULL ? NULL : redisCommand(store->redis, "SCRIPT LOAD %s", script);
    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        fprintf(stderr, "Redis: %s\n", reply == NULL ? "no connection" : reply->str);
        exit(1);
    }
    snprintf(store->sha, sizeof store->sha, "%s", reply->str);
    snprintf(store->key, sizeof store->key, "pbk:{%s}", scope);
    freeReplyObject(reply);
}

static void run_in_redis(struct store *store, uint64_t batch, const char *json)
{
    redisReply *reply = redisCommand(store->redis, "EVALSHA %s 1 %s %s " RETENTION, store->sha, store->key, json);

    if (reply == NULL || reply->type != REDIS_REPLY_STRING || pbk_ledger_answer(client, batch, reply->str, NULL) != PBK_OK) {
        fprintf(stderr, "Redis: %s\n", reply == NULL ? store->redis->errstr : reply->str);
        exit(1);
    }
    freeReplyObject(reply);
}

/* ---- Both ---- */

static void *take_batches(void *context)
{
    struct store *store = context;
    uint64_t batch;
    char *json;

    while ((json = pbk_next_ledger_batch(client, -1, &batch, NULL)) != NULL) {
        if (store->postgres != NULL)
            run_in_postgres(store, batch, json);
        else
            run_in_redis(store, batch, json);
        pbk_string_free(json);
        atomic_fetch_add(&batches, 1);
    }
    return NULL;
}

static pbk_client *open_client(const char *base_url, const char *scope)
{
    char config[1024], *error = NULL;
    pbk_client *opened;

    snprintf(config, sizeof config, "{\"api_key\":\"" API_KEY "\",\"base_url\":\"%s\",\"ledger_scope\":\"%s\"}", base_url, scope);
    opened = pbk_client_open_with_ledger(config, NULL, NULL, &error, NULL);
    if (opened == NULL)
        fprintf(stderr, "pbk_client_open_with_ledger: %s\n", error == NULL ? "out of memory" : error);
    pbk_string_free(error);
    return opened;
}

int main(int argc, char **argv)
{
    int is_postgres = argc == 7 && strcmp(argv[4], "postgres") == 0, is_redis = argc == 7 && strcmp(argv[4], "redis") == 0;
    int in_flight = argc == 7 ? atoi(argv[2]) : 0, fine;
    struct store store = { NULL, NULL, "", "" };
    char scope[32], *script;
    pthread_t thread;
    double seconds;

    if ((!is_postgres && !is_redis) || in_flight < 1 || in_flight > MOST_IN_FLIGHT) {
        fprintf(stderr, "usage: %s BASE_URL IN_FLIGHT MILLISECONDS postgres|redis CONNINFO|PORT SCRIPT\n", argv[0]);
        return 2;
    }
    want_descriptors();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    /* Another one for each run: the keys are the same. */
    snprintf(scope, sizeof scope, "bench-%ld", (long)getpid());
    script = text_of(argv[6]);
    if (is_postgres)
        connect_postgres(&store, argv[5], script);
    else
        connect_redis(&store, argv[5], script, scope);
    free(script);
    client = open_client(argv[1], scope);
    if (client == NULL || pthread_create(&thread, NULL, take_batches, &store) != 0)
        return 1;
    seconds = book(client, in_flight, atol(argv[3]));
    if (seconds > 0)
        print_result(seconds, 0);
    fprintf(stderr, "%ld batches for %ld bookings\n", atomic_load(&batches), bookings_made());
    fine = pbk_client_close(client, 5000) == PBK_OK;
    pthread_join(thread, NULL);
    return seconds > 0 && fine ? 0 : 1;
}
