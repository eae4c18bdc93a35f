/*
 * A voice engine that keeps its bookings in PostgreSQL. Engines on several machines share the
 * table. When an engine dies, the others take over its bookings.
 *
 *     ledger_postgres [CONNINFO [SCRIPT]]              books an appointment in the sandbox
 *     ledger_postgres --batches [CONNINFO [SCRIPT]]    answers batches from stdin, one per line
 *
 * CONNINFO is a connection string of libpq. Without it, libpq reads PGHOST and similar variables.
 * Give one address, that of the primary or of a proxy. The time limit covers all servers together,
 * and does not cover a DNS lookup. SCRIPT is the path of postgres.sql, which creates the table and
 * the function pbk_ledger_v1().
 *
 * Exits with 0 when the appointment is booked and with 1 when it is not. Exits with 2 when an
 * argument is wrong or the script cannot be read.
 */
#define _POSIX_C_SOURCE 200809L
#include <libpq-fe.h>

#include "ledger_engine.h"

struct postgres {
    const char *conninfo;
    const char *script;     /* the text of SCRIPT */
    PGconn *connection;     /* NULL: not connected */
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

/*
 * Waits for the next result of the SQL that was sent. Returns NULL at the end. On failure or after
 * the deadline, sets `failure` and returns NULL.
 */
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
 * Runs a statement with a parameter, or several statements without. Returns the first value of the
 * last statement, or "" if there is none. Free it with free(). Returns NULL on any failure.
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

/* Connects, and creates the table and the function. Returns 0 on failure. */
static int reconnect(struct postgres *postgres, int64_t deadline)
{
    PGconn *connection = postgres->connection = PQconnectStart(postgres->conninfo);
    PostgresPollingStatusType next = PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                                            : PGRES_POLLING_WRITING;
    char *done;

    /*
     * PQconnectdb() would round a timeout up to 2 seconds. A limit set in the server does not end
     * the wait for a dead server.
     */
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
    done = run(postgres, postgres->script, NULL, deadline);     /* changes nothing if they exist */
    if (done == NULL)
        return 0;
    free(done);
    return 1;
}

/*
 * Executes a batch in one statement. The kept connection may have died since the last batch. If it
 * fails, the batch is repeated once on a new connection. A repeated batch does nothing twice. Any
 * failure closes the connection, because the server may have become a standby. The next connection
 * may reach another server.
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
