/*
 * libpartnerbooking: find free appointment slots and book one through the Partner API, from inside a voice engine.
 *
 * JSON goes in, JSON comes out. A reply that succeeded is the service's own, byte for byte; a call that failed gives
 *
 *     {"error":{"code":"slot_unavailable","message":"...","status":409,"source":"platform","retryable":false,
 *               "attempts":1,"field":null,"request_id":null,"outcome":"rejected","idempotency_key":"call-7-1"}}
 *
 * Every code, and what a voice bot should do on it, is in docs/errors.md; every member of the configuration, the
 * requests and the replies is in docs/json-contract.md.
 *
 * Encoding.   Every string is UTF-8 and ends with a NUL byte. Text that is not UTF-8 is refused, never repaired.
 *
 * Ownership.  Strings you pass in are borrowed until the function returns. Every `char *` you get back is yours: give
 *             it to pbk_string_free(), on success and on failure alike. A `const char *` is static: never free it.
 *             Outputs are written whole or not at all.
 *
 * Handles.    A pbk_client is a number in a pointer's clothes. It is looked up and never dereferenced, so a handle that
 *             is NULL, closed or garbage gives an error. A handle value is never used again after its client is closed.
 *
 * Threads.    Any function may be called from any thread at any time, also for the same client. Each client owns one
 *             thread of its own, which does all network work; the calling thread only checks, waits and copies.
 *             In a child after fork() inherited handles are closed; open new ones there.
 *
 * Safety.     No function here raises a signal, throws, exits or changes process-wide state (locale, signal handlers,
 *             environment, working directory). The library is never unloaded by dlclose(): its threads may still run.
 *
 * Usage:
 *
 *     char *error = NULL;
 *     pbk_client *client = pbk_client_open("{\"endpoint\":\"sandbox\"}", &error);
 *     if (client == NULL) { fprintf(stderr, "%s\n", error); pbk_string_free(error); return 1; }
 *
 *     pbk_status status;
 *     char *reply = pbk_search_availability(client,
 *         "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":"
 *         "{\"start_at\":\"2030-01-14T00:00:00Z\",\"end_at\":\"2030-01-15T00:00:00Z\"}}}}", &status);
 *     if (status == PBK_OK) puts(reply);               // {"availabilities":[{"start_at":...,"duration_minutes":30},...]}
 *     else fprintf(stderr, "%s: %s\n", pbk_status_text(status), reply);
 *     pbk_string_free(reply);
 *
 *     pbk_client_close(client, 1000);
 *
 * C99 and C++. Build with `-lpartnerbooking`.
 */
#ifndef PARTNERBOOKING_H
#define PARTNERBOOKING_H

#include <stdint.h>

/** The version of this header, MAJOR.MINOR.PATCH. pbk_version() tells that of the library that is running. */
#define PBK_VERSION "0.1.0"
#define PBK_VERSION_MAJOR 0
#define PBK_VERSION_MINOR 1
#define PBK_VERSION_PATCH 0

#if defined(__GNUC__) || defined(__clang__)
#define PBK_API __attribute__((visibility("default")))
#else
#define PBK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** A client: one configuration, one transfer thread, one pool of connections. Opaque. Since 0.1. */
typedef struct pbk_client pbk_client;

/**
 * How a call ended, coarse enough for a switch and for a metric label. The "error" object of the reply says more.
 *
 * Values are stable, and a retired one is never used again. New ones may be added: treat a value you do not know as a
 * failure. Up to 69 the name in lower case without its prefix is the reply's "code"; from 80 on the service answered, and
 * "code" and "message" are its own words, or "http_error" when it had none.
 */
typedef enum pbk_status {
    /** The reply is the service's, and holds "availabilities" or "booking". */
    PBK_OK = 0,

    /* Your side; the same call fails again until it is corrected. For a booking, "outcome" says whether it may have been made,
       here and everywhere below. */
    PBK_INVALID_ARGUMENT = 1, /**< A pointer is NULL that must not be, or a text is longer than its limit. */
    PBK_INVALID_CLIENT = 2,   /**< The handle is NULL or never came from pbk_client_open(). */
    PBK_CLIENT_CLOSED = 3,    /**< The client was closed before the call, or while it was under way. */
    PBK_INVALID_CONFIG = 4,   /**< A member of the configuration is wrong; "field" names it. */
    PBK_INVALID_JSON = 5,     /**< Not JSON; "offset" is the byte where it stops being JSON. */
    PBK_INVALID_FIELD = 6,    /**< A member of the request is missing or wrong; "field" names it. */

    /* This library or this machine. */
    PBK_QUEUE_FULL = 20,           /**< As many calls as "max_in_flight" allows are under way. */
    PBK_RESOURCE_UNAVAILABLE = 21, /**< Out of memory, threads or descriptors. */

    /* The network. */
    PBK_TIMEOUT = 40,         /**< No definite answer came within "timeout_ms". */
    PBK_DNS_FAILED = 41,      /**< The host name did not resolve. */
    PBK_CONNECT_FAILED = 42,  /**< No connection could be made. */
    PBK_TLS_FAILED = 43,      /**< The TLS handshake failed or the certificate is not to be trusted; "message" says why. */
    PBK_CONNECTION_LOST = 44, /**< The connection broke after it was made. */
    PBK_PROXY_FAILED = 45,    /**< The proxy's name did not resolve, or it refused. */

    /* The reply cannot be used. */
    PBK_INVALID_REPLY = 60,   /**< Not JSON, or not of the promised outer shape. */
    PBK_REPLY_TOO_LARGE = 61, /**< Longer than "max_reply_bytes". */

    /* The service said no. */
    PBK_UNAUTHORIZED = 80,     /**< HTTP 401 or 403: the API key or the bot is not accepted. */
    PBK_SLOT_UNAVAILABLE = 81, /**< HTTP 409 slot_unavailable: somebody else has the slot. Offer another. */
    PBK_REFUSED = 82,          /**< Any other HTTP 3xx or 4xx; other 409s may mean that the first try with a key still runs. */
    PBK_RATE_LIMITED = 83,     /**< HTTP 429, also after the retries. */
    PBK_SERVICE_FAILED = 84    /**< HTTP 5xx, also after the retries. */
} pbk_status;

/**
 * The version of the running library, as "MAJOR.MINOR.PATCH".
 *
 * @return A static string, never NULL. Do not free it.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_version(void);

/**
 * A status in words, for a log line: "the connection broke after it was made".
 *
 * @param status  Any value, also one this library does not know.
 * @return A static string, never NULL. Do not free it.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_status_text(pbk_status status);

/**
 * Opens a client.
 *
 * @param config_json  The configuration, a JSON object; borrowed. {"endpoint":"sandbox"} opens the embedded sandbox: a
 *                     clinic inside this process, without network or files. {"api_key":"sk_ptnr_..."} opens the hosted
 *                     Partner API. A member that is unknown or wrong is an error that names it. NULL is an error.
 * @param error_json   Where to put the error reply on failure (yours to free; NULL when memory is out), NULL on success.
 *                     May be NULL.
 * @return The client, to be closed with pbk_client_close(); NULL on failure.
 * Any thread. Starts the client's thread; reads the CA file if one is named; does not wait for the network. Since 0.1.
 */
PBK_API pbk_client *pbk_client_open(const char *config_json, char **error_json);

/**
 * Closes a client: refuses new calls, lets those under way finish, ends the rest, and stops the client's thread.
 *
 * Every call under way still returns to its caller, at the latest when the time is up; one that was ended gets
 * "client_closed", for a booking with the "outcome" that is true for it.
 *
 * @param client      The client. NULL, closed and garbage handles are told by the return value. When two threads close
 *                    one client, the first closes it and the second gets PBK_CLIENT_CLOSED at once.
 * @param timeout_ms  How long calls under way may go on, in milliseconds, 0 to 600000. Less counts as 0, more as 600000.
 * @return PBK_OK when no call had to be ended, PBK_TIMEOUT when some were (the client is closed all the same),
 *         PBK_INVALID_CLIENT or PBK_CLIENT_CLOSED.
 * Any thread. Blocks for at most `timeout_ms` and two seconds, also while a name is being resolved. Since 0.1.
 */
PBK_API pbk_status pbk_client_close(pbk_client *client, int32_t timeout_ms);

/**
 * Searches a bot's free appointment slots and waits for the reply.
 *
 * Sends the Partner API's request; failures that may pass are tried again within the deadline. The reply's format
 * depends on the platform behind the bot, and is handed over unchanged.
 *
 * @param client        The client. NULL, closed and garbage handles give an error reply.
 * @param request_json  {"bot_id":...,"query":{"filter":{"start_at_range":{"start_at":...,"end_at":...}}}}, bounds as RFC 3339
 *                      date-times or plain dates; may hold "timeout_ms", "tag" and "traceparent". Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free: {"availabilities":[...]} from the service, or {"error":{...}}. NULL only when memory is out
 *         (status PBK_RESOURCE_UNAVAILABLE).
 * Any thread; calls may overlap. Blocks until the reply or the deadline: the request's "timeout_ms", else the
 * configuration's, else 5 seconds. A machine in trouble may add one second, not more. Since 0.1.
 */
PBK_API char *pbk_search_availability(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Books an appointment slot and waits for the outcome.
 *
 * The request's "idempotency_key" names the booking: sending the same key again gives the original booking and makes no
 * second one. So after an error with "outcome":"unknown" repeat the call with the same key, never with a new one. Tries
 * within one call keep the key.
 *
 * @param client        The client. NULL, closed and garbage handles give an error reply.
 * @param request_json  {"bot_id":...,"idempotency_key":...,"booking":{"start_at":...,"duration_minutes":...,"customer":
 *                      {"phone":...,"name":...}}}; may hold "timeout_ms", "tag" and "traceparent". Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free: {"booking":{...}} from the service, or {"error":{...}} whose "outcome" tells of this call:
 *         "not_sent" (it cannot have booked), "rejected" (the service said no to it) or "unknown" (it may have booked). NULL only when
 *         memory is out (status PBK_RESOURCE_UNAVAILABLE): repeat the call with the same key then.
 * Any thread; calls may overlap. Blocks until the outcome or the deadline: the request's "timeout_ms", else the
 * configuration's, else 35 seconds (the service itself waits up to 30 for the platform). A machine in trouble may add one
 * second, not more. Since 0.1.
 */
PBK_API char *pbk_create_booking(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Frees a string that this library returned.
 *
 * @param string  The string; NULL is allowed and does nothing. A string is freed once.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API void pbk_string_free(char *string);

#ifdef __cplusplus
}
#endif

#endif /* PARTNERBOOKING_H */
