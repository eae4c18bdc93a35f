/*
 * A voice engine that keeps its bookings in Redis. Engines on several machines share them. When an
 * engine dies, the others take over its bookings.
 *
 *     ledger_redis [SERVER [SCRIPT]]              books an appointment in the sandbox
 *     ledger_redis --batches [SERVER [SCRIPT]]    answers batches from stdin, one per line
 *
 * SERVER is HOST:PORT or the path of a socket. The default is 127.0.0.1:6379. Give an IP address,
 * because the time limit does not cover a DNS lookup. REDIS_PASSWORD in the environment is the
 * server's password. SCRIPT is the path of redis.lua, which executes a batch. A crash of Redis
 * loses bookings, unless its configuration has `appendonly yes` and `appendfsync always`.
 *
 * Exits with 0 when the appointment is booked and with 1 when it is not. Exits with 2 when an
 * argument is wrong or the script cannot be read.
 */
#define _POSIX_C_SOURCE 200809L
#include <hiredis/hiredis.h>
#include <signal.h>

#include "ledger_engine.h"

struct redis {
    const char *server;
    const char *password;       /* NULL: none */
    const char *script;         /* the text of SCRIPT */
    char sha[41];               /* the server's name for the script; "" until it is loaded */
    redisContext *connection;   /* NULL: not connected */
    char failure[256];
};

static void fail(struct redis *redis, const char *why)
{
    snprintf(redis->failure, sizeof redis->failure, "%s", why);
}

static void disconnect(struct redis *redis)
{
    redisFree(redis->connection);
    redis->connection = NULL;
}

/*
 * Sends a command and returns its reply. Free it with freeReplyObject(). Returns NULL when the
 * connection fails or the deadline passes.
 */
static redisReply *exchange(struct redis *redis, int count, const char **words, int64_t deadline)
{
    redisContext *connection = redis->connection;
    int sent = 0, works = redisAppendCommandArgv(connection, count, words, NULL) == REDIS_OK;
    void *reply = NULL;

    while (works && reply == NULL) {
        if (!wait_for(connection->fd, sent ? POLLIN : POLLOUT, deadline)) {
            fail(redis, "no answer in time");
            return NULL;
        }
        if (!sent)
            works = redisBufferWrite(connection, &sent) == REDIS_OK;
        else
            works = redisBufferRead(connection) == REDIS_OK && redisGetReplyFromReader(connection, &reply) == REDIS_OK;
    }
    if (!works)
        fail(redis, connection->errstr);
    return reply;
}

/*
 * Runs a command and returns the text of its reply. Free it with free(). Returns NULL on failure.
 */
static char *run(struct redis *redis, int count, const char **words, int64_t deadline)
{
    redisReply *reply = exchange(redis, count, words, deadline);
    char *text = NULL;

    if (reply != NULL && reply->type != REDIS_REPLY_ERROR && reply->str != NULL)
        text = strdup(reply->str);
    else if (reply != NULL)
        fail(redis, reply->str == NULL ? "a reply without text" : reply->str);
    freeReplyObject(reply);
    return text;
}

/* Connects, and loads the script. Returns 0 on failure. */
static int reconnect(struct redis *redis, int64_t deadline)
{
    const char *auth[] = {"AUTH", redis->password}, *load[] = {"SCRIPT", "LOAD", redis->script};
    const char *colon = strrchr(redis->server, ':');
    char host[256], *done;

    snprintf(host, sizeof host, "%.*s", colon == NULL ? 0 : (int)(colon - redis->server), redis->server);
    /* redisConnectWithTimeout() limits the time of each read, not of the whole batch. */
    redis->connection = colon == NULL ? redisConnectUnixNonBlock(redis->server)
                                      : redisConnectNonBlock(host, atoi(colon + 1));
    if (redis->connection == NULL || redis->connection->err != 0) {
        fail(redis, redis->connection == NULL ? "out of memory" : redis->connection->errstr);
        return 0;
    }
    if (redis->password != NULL) {
        if ((done = run(redis, 2, auth, deadline)) == NULL)
            return 0;
        free(done);
    }
    if ((done = run(redis, 3, load, deadline)) == NULL)
        return 0;
    snprintf(redis->sha, sizeof redis->sha, "%s", done);
    free(done);
    return 1;
}

/*
 * Writes the key from which the script makes all others. Returns 0 if the batch has no scope, or
 * `key` no room for it.
 */
static int write_key(const char *batch_json, char *key, size_t size)
{
    char *scope = pbk_json_get(batch_json, "/operations/0/scope");
    const char *next = scope;
    size_t used = (size_t)snprintf(key, size, "pbk:{");
    int whole;

    for (; next != NULL && *next != '\0' && used + 5 < size; next++)
        used += (size_t)snprintf(key + used, size - used, *next == '%' || *next == '}' ? "%%%02X" : "%c", *next);
    snprintf(key + used, size - used, "}");
    whole = next != NULL && *next == '\0';
    pbk_string_free(scope);
    return whole;
}

/*
 * Executes a batch in one command. The kept connection may have died since the last batch. If it
 * fails, the batch is repeated once on a new connection. A repeated batch does nothing twice. Any
 * failure closes the connection. The next connection may reach another server. It also loads the
 * script again, in case a restart has lost it.
 */
static char *carry_out(struct ledger *ledger, const char *batch_json)
{
    struct redis *redis = ledger->store;
    int64_t deadline = now_ms() + BATCH_MS;
    char retention[16], key[640], *results;     /* a scope has at most 200 bytes, each up to 3 here */
    const char *words[] = {"EVALSHA", redis->sha, "1", key, batch_json, retention};
    int kept;

    snprintf(retention, sizeof retention, "%d", RETENTION_MS);
    if (!write_key(batch_json, key, sizeof key))
        return ledger_error("the batch has no scope of at most 200 bytes");
    do {
        kept = redis->connection != NULL;
        results = kept || reconnect(redis, deadline) ? run(redis, 6, words, deadline) : NULL;
        if (results == NULL)
            disconnect(redis);
    } while (results == NULL && kept && now_ms() < deadline);
    return results == NULL ? ledger_error(redis->failure) : results;
}

int main(int argc, char **argv)
{
    int batches = argc > 1 && strcmp(argv[1], "--batches") == 0;
    const char *path = argc > 2 + batches ? argv[2 + batches] : LEDGERS "/redis.lua";
    struct redis redis = {0};
    struct ledger ledger = {carry_out, &redis};
    char *script;
    int ended;

    if (argc > 3 + batches) {
        fprintf(stderr, "usage: %s [--batches] [SERVER [SCRIPT]]\n", argv[0]);
        return 2;
    }
    redis.server = argc > 1 + batches ? argv[1 + batches] : "127.0.0.1:6379";
    redis.password = getenv("REDIS_PASSWORD");
    redis.script = script = read_file(path);
    if (script == NULL)
        return 2;
    signal(SIGPIPE, SIG_IGN);   /* hiredis writes to connections that the server may have closed */
    ended = batches ? answer_lines(&ledger) : book(&ledger);
    disconnect(&redis);
    free(script);
    return ended;
}
