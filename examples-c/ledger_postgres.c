/*
 * A voice engine that keeps its bookings in PostgreSQL: engines on several machines share the
 * table, and one that dies leaves its bookings to the others.
 *
 *     ledger_postgres [CONNINFO [SCRIPT]]              books an appointment in the sandbox
 *     ledger_postgres --batches [CONNINFO [SCRIPT]]    answers the batches on stdin, one a line
 *
 * CONNINFO is a connection string of libpq; without it, libpq reads PGHOST and its like. Give one
 * address, that of the primary or of a proxy: the time limit covers all servers together, and does
 * not cover the lookup of a name. SCRIPT is the path of postgres.sql, which makes the table and the
 * function pbk_ledger_v1().
 *
 * Ends with 0 when the appointment is booked, 1 when it is not, 2 when something is missing.
 */
#define _POSIX_C_SOURCE 200809L
#include <libpq-fe.h>

#include "ledger_engine.h"

struct postgres {
    const char *conninfo;
    const char *script;     /* its text */
    PGconn *connection;     /* NULL: none */
    char failure[512];
};

static void fail(struct postgres *postgres, const char *why)
{
    snprintf(postgres->failure, sizeof postgres->failure, "%.*s", (int)strcspn(why, "\n"), why);
}

static void disconnect(struct postgres *postgres)
{
    PQfinish(postgres->connection);
    postgres->connection = NULL;
}

/* Waits for the next result of what was sent. Returns NULL at the end, and when the connection fails. */
static PGresult *next_result(struct postgres *postgres, int64_t deadline)
{
    PGconn *connection = postgres->connection;
    int unsent;

    while ((unsent = PQflush(connection)) > 0 || (unsent == 0 && PQisBusy(connection))) {
        if (!wait_for(PQsocket(connection), unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline)) {
            fail(postgres, "no answer in time");
            return NULL;
        }
        if (!PQconsumeInput(connection))
            unsent = -1;
        if (unsent < 0)
            break;
    }
    if (unsent == 0)
        return PQgetResult(connection);
    fail(postgres, PQerrorMessage(connection));
    return NULL;
}

/*
 * Runs SQL, with a parameter or as several statements. Returns the first value of the last
 * statement, "" when it has none; to be freed. Returns NULL when anything failed.
 */
static char *run(struct postgres *postgres, const char *sql, const char *parameter, int64_t deadline)
{
    PGconn *connection = postgres->connection;
    char *value = NULL;
    PGresult *result;

    postgres->failure[0] = '\0';
    if (parameter == NULL ? !PQsendQuery(connection, sql)
                          : !PQsendQueryParams(connection, sql, 1, NULL, &parameter, NULL, NULL, 0))
        fail(postgres, PQerrorMessage(connection));
    while (postgres->failure[0] == '\0' && (result = next_result(postgres, deadline)) != NULL) {
        ExecStatusType ended = PQresultStatus(result);

        free(value);
        value = ended == PGRES_TUPLES_OK || ended == PGRES_COMMAND_OK
                    ? strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "") : NULL;
        if (value == NULL)
            fail(postgres, PQresultErrorMessage(result));
        PQclear(result);
    }
    if (postgres->failure[0] == '\0')
        return value;
    free(value);
    return NULL;
}

/* Connects, and makes the table and the function. Returns 0 when it cannot. */
static int reconnect(struct postgres *postgres, int64_t deadline)
{
    PGconn *connection = postgres->connection = PQconnectStart(postgres->conninfo);
    PostgresPollingStatusType next = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                                            : PGRES_POLLING_WRITING;
    char *done;

    /* PQconnectdb() would round a timeout up to 2 seconds, and no limit of the server ends the wait for a dead one. */
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            fail(postgres, PQerrorMessage(connection));
            return 0;
        }
        if (!wait_for(PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
            fail(postgres, "no connection in time");
            return 0;
        }
        next = PQconnectPoll(connection);
    }
    PQsetnonblocking(connection, 1);
    done = run(postgres, postgres->script, NULL, deadline);     /* changes nothing when all is there */
    if (done == NULL)
        return 0;
    free(done);
    return 1;
}

/*
 * Carries out a batch in one statement. The kept connection may have died since the last batch, so
 * it gets one repetition on a new one: a batch that is repeated does nothing twice. Any failure
 * ends the connection, because the next one may lead to another server: the old one may have become
 * a standby.
 */
static char *carry_out(struct ledger *ledger, const char *batch_json)
{
    struct postgres *postgres = ledger->store;
    int64_t deadline = now_ms() + BATCH_MS;
    char call[80], *results;
    int kept;

    snprintf(call, sizeof call, "SELECT pbk_ledger_v1($1::json, %d, %d)", RETENTION_MS, BATCH_MS);
    do {
        kept = postgres->connection != NULL;
        results = kept || reconnect(postgres, deadline) ? run(postgres, call, batch_json, deadline) : NULL;
        if (results == NULL)
            disconnect(postgres);
    } while (results == NULL && kept && now_ms() < deadline);
    return results == NULL ? ledger_error(postgres->failure) : results;
}

int main(int argc, char **argv)
{
    int batches = argc > 1 && strcmp(argv[1], "--batches") == 0;
    const char *path = argc > 2 + batches ? argv[2 + batches] : LEDGERS "/postgres.sql";
    struct postgres postgres = {0};
    struct ledger ledger = {carry_out, &postgres};
    char *script;
    int ended;

    if (argc > 3 + batches) {
        fprintf(stderr, "usage: %s [--batches] [CONNINFO [SCRIPT]]\n", argv[0]);
        return 2;
    }
    postgres.conninfo = argc > 1 + batches ? argv[1 + batches] : "";
    postgres.script = script = read_file(path);
    if (script == NULL)
        return 2;
    ended = batches ? answer_lines(&ledger) : book(&ledger);
    disconnect(&postgres);
    free(script);
    return ended;
}
