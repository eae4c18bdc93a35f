/*
 * libpartnerbooking: search free appointment slots and book one through the Partner API,
 * from inside a voice engine.
 *
 * JSON goes in, JSON comes out. A successful reply is the service's own, byte for byte. A
 * failed call gives an error reply:
 *
 *     {"error":{"code":"slot_unavailable","message":"...","status":409,
 *               "source":"platform","retryable":false,"attempts":1,"field":null,
 *               "request_id":null,"outcome":"rejected","idempotency_key":"call-7-1",...}}
 *
 * docs/errors.md lists every code and the reaction of a voice bot, docs/json-contract.md
 * every member of configuration, requests and replies.
 *
 * Outcomes.  The error reply of a booking has an "outcome":
 *
 * - "not_sent": this client sent nothing under the key that can have booked.
 * - "rejected": every request under the key was refused. Nothing was booked.
 * - "unknown": it may have been booked. Repeat with the same key, never with a new one.
 *   The key is in doubt until the booking is settled. See docs/exactly-once.md.
 *
 * Strings.  Strings are UTF-8 and end with a NUL byte. Invalid UTF-8 is refused; only
 * pbk_json_quote() repairs it. A host needs no JSON library: pbk_json_get() reads a
 * value, pbk_json_quote() writes one.
 *
 * Ownership.  Arguments are borrowed until the function returns. Free every `char *` that
 * you get ("owned") with pbk_string_free(), after success and failure. A `const char *`
 * is static, or valid until its completion is freed: never free it. Outputs are written
 * whole or not at all.
 *
 * Results.  On failure a function returns an error reply, {"error":{...}}, or puts it
 * into `error_json`. The reason is in `status`. Both pointers may be NULL. A reply is
 * NULL only when memory is out, with PBK_RESOURCE_UNAVAILABLE. `error_json` receives NULL
 * then, and on success. Any other argument that is NULL is an error, unless its
 * description allows it.
 *
 * Handles.  A `pbk_client *` is an opaque ID. It is never dereferenced, and its value
 * never reused. NULL, closed and garbage handles give an error.
 *
 * Enumerations.  Values are stable, retired ones never reused. New ones may be added.
 *
 * Threads.  Call any function from any thread at any time, also for the same client. In
 * callbacks call only functions marked non-blocking. Each client owns one thread for all
 * network work, one that watches it, and with a journal one that waits for the disk. The
 * calling thread only checks, waits and copies. In a child after fork() inherited handles
 * are closed: open new ones.
 *
 * Callbacks.  They run on the client's transfer thread (ledger callbacks on another).
 * Return soon: all its calls wait meanwhile. Let no exception leave a callback.
 *
 * Blocking.  These functions block: pbk_search_availability(), pbk_create_booking(),
 * pbk_lookup_customer(), pbk_call_tool(), pbk_next_completion(), pbk_next_ledger_batch()
 * and pbk_client_close(). pbk_client_set_log() waits while your log callback runs. A call
 * blocks until its reply or its deadline: "timeout_ms" of the request, else of the
 * configuration, else the default. A machine in trouble may add one second. On a thread
 * that serves audio use pbk_submit(): completions come by a callback or from the
 * completion queue.
 *
 * Voice.  pbk_slots(), pbk_when(), pbk_say() and pbk_phone() take objects of at most 256
 * KiB without unknown members. They can fail with PBK_INVALID_ARGUMENT (NULL or longer),
 * PBK_INVALID_JSON and PBK_INVALID_FIELD. "time_zone" is an IANA name; its file is read
 * once. "locale" is en-US (default), en-GB, es or fr. "now" is a date-time with offset,
 * by default the system's. See docs/voice.md.
 *
 * Platforms.  An engine on a platform's own premises needs no Partner API: with
 * {"endpoint":"platform_webhook","platforms":{...}} the library sends signed requests to
 * the platform's webhook. Platforms verify them with pbk_webhook_verify(). See
 * docs/platform-webhook.md.
 *
 * Safety.  While there is memory, no function raises a signal, throws, exits or changes
 * process-wide state (locale, signal handlers, environment, working directory). dlclose()
 * never unloads the library: its threads may still run.
 *
 * Memory.  When memory is out, Swift's allocator traps and the process ends. Only the
 * copy of a returned string can fail. A journal keeps the bookings.
 *
 * Stack.  pbk_client_open() needs 38 kB, pbk_call_tool() and pbk_submit() of a tool call
 * 31 kB, pbk_when() 25 kB, others at most 20 kB. Measured as in docs/embedding.md.
 *
 * Cancelling.  Functions that can wait or take a lock hold pthread_cancel() off. The
 * result is lost with a cancelled thread.
 *
 * Usage, where a thread may wait (examples-c/ has an epoll loop, callbacks, barge-in):
 *
 *     char *error = NULL;
 *     pbk_client *client = pbk_client_open("{\"endpoint\":\"sandbox\"}", &error, NULL);
 *     if (client == NULL) {
 *         fprintf(stderr, "%s\n", error);
 *         pbk_string_free(error);
 *         return 1;
 *     }
 *
 *     pbk_status status;
 *     char *reply = pbk_search_availability(client,
 *         "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{"
 *         "\"start_at_range\":{\"start_at\":\"2030-01-14T00:00:00Z\","
 *         "\"end_at\":\"2030-01-15T00:00:00Z\"}}}}", &status);
 *     char *start_at = pbk_json_get(reply, "/availabilities/0/start_at");
 *     if (start_at != NULL) puts(start_at);
 *     else fprintf(stderr, "%s: %s\n", pbk_status_text(status), reply);
 *     pbk_string_free(start_at);
 *     pbk_string_free(reply);
 *
 *     pbk_client_close(client, 1000);
 *
 * C99 and C++. Build with `-lpartnerbooking`.
 */
#ifndef PARTNERBOOKING_H
#define PARTNERBOOKING_H

#include <stddef.h>
#include <stdint.h>

/** @name Version */
/** @{ */

/** The version of this header, MAJOR.MINOR.PATCH. See pbk_version() for the library's. */
#define PBK_VERSION "0.1.0"
/** The first number of PBK_VERSION. */
#define PBK_VERSION_MAJOR 0
/** The second number of PBK_VERSION. */
#define PBK_VERSION_MINOR 1
/** The third number of PBK_VERSION. */
#define PBK_VERSION_PATCH 0

/** @} */

/** Marks the functions that the library exports. */
#if defined(__GNUC__) || defined(__clang__)
#define PBK_API __attribute__((visibility("default")))
#else
#define PBK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name Types */
/** @{ */

/**
 * A client: one configuration, one transfer thread, one connection pool. Opaque.
 *
 * @since 0.1
 */
typedef struct pbk_client pbk_client;

/**
 * The number of a submitted call. Never 0. A client never gives it twice.
 *
 * @since 0.1
 */
typedef uint64_t pbk_ticket;

/**
 * The result of a submitted call. Opaque. Free it with pbk_completion_free().
 *
 * @since 0.1
 */
typedef struct pbk_completion pbk_completion;

/**
 * The operation of a call.
 *
 * @since 0.1
 */
typedef enum pbk_operation {
    PBK_SEARCH_AVAILABILITY = 1, /**< As pbk_search_availability(). */
    PBK_CREATE_BOOKING = 2,      /**< As pbk_create_booking(). */
    PBK_LOOKUP_CUSTOMER = 3,     /**< As pbk_lookup_customer(). */
    PBK_CALL_TOOL = 4            /**< As pbk_call_tool(). */
} pbk_operation;

/**
 * The kind of a completion. Free a completion of an unknown kind.
 *
 * @since 0.1
 */
typedef enum pbk_event {
    /** The call has ended. One for each ticket, and the last. */
    PBK_EVENT_DONE = 1,
    /**
     * "slow_after_ms" have passed and the call goes on. At most one for each ticket. Say
     * "one moment, please", once a turn.
     */
    PBK_EVENT_SLOW = 2,
    /**
     * A booking whose call ended with PBK_OUTCOME_UNKNOWN is settled. PBK_OK: booked.
     * Once for each, with "report_settled" only, and from pbk_next_completion() only.
     * pbk_completion_key() and pbk_completion_tag() identify it: it has no ticket.
     */
    PBK_EVENT_SETTLED = 3
} pbk_event;

/**
 * The result of a call, for a switch or a metric label. The reply's "error" has details.
 *
 * Treat an unknown value as a failure. Up to 69 the reply's "code" is the name in lower
 * case without its prefix. From 80 on the service answered: "code" and "message" are its
 * own words, or "code" is "http_error" when it gave none.
 */
typedef enum pbk_status {
    /** The reply is the service's: "availabilities", "booking" or "found". */
    PBK_OK = 0,

    /* Your side. The same call fails again until it is corrected. A failed booking has an
       "outcome" here and below. */

    /** A pointer is NULL that must not be, or a text is too long. */
    PBK_INVALID_ARGUMENT = 1,
    /** The handle is NULL, or not from pbk_client_open(). */
    PBK_INVALID_CLIENT = 2,
    /** The client was closed before or during the call. */
    PBK_CLIENT_CLOSED = 3,
    /** A member of the configuration is wrong; "field" names it. */
    PBK_INVALID_CONFIG = 4,
    /** Not JSON; "offset" is the byte where it stops being JSON. */
    PBK_INVALID_JSON = 5,
    /** A member of the request is missing or wrong; "field" names it. */
    PBK_INVALID_FIELD = 6,
    /** pbk_cancel() ended the call. */
    PBK_CANCELLED = 7,
    /** A blocking function was called from a callback. */
    PBK_WOULD_DEADLOCK = 8,
    /** The key belongs to another booking, see "existing": not sent. */
    PBK_IDEMPOTENCY_KEY_REUSED = 9,
    /** "resume" or "give_up" of a key without a record, or whose booking was not made. */
    PBK_NOT_RECORDED = 10,
    /** The endpoint lacks the operation: the Partner API looks up no customers. */
    PBK_UNSUPPORTED_OPERATION = 11,
    /** "platforms" does not name the request's "bot_id". */
    PBK_UNKNOWN_BOT = 12,
    /** "platforms" has no "webhook_url" for the bot. */
    PBK_NO_WEBHOOK = 13,
    /** The booking in doubt was sent in another account of the bot. */
    PBK_ACCOUNT_CHANGED = 14,
    /** No such time zone, or its file is damaged. */
    PBK_UNKNOWN_TIME_ZONE = 15,
    /** pbk_when(): a text is unclear; "field" names it. */
    PBK_TIME_UNCLEAR = 16,
    /** pbk_phone(): the text is unclear; see "reason". */
    PBK_PHONE_UNCLEAR = 17,

    /* This library or this machine. */

    /** Too many calls are outstanding: "max_in_flight" + "max_queued". */
    PBK_QUEUE_FULL = 20,
    /** Out of memory, threads or descriptors. */
    PBK_RESOURCE_UNAVAILABLE = 21,
    /** The journal did not open, or did not take the booking: not sent. */
    PBK_JOURNAL_UNAVAILABLE = 22,
    /** Another client, in any process, has the journal open. */
    PBK_JOURNAL_LOCKED = 23,
    /** The service failed too often in a row. It is left alone for a moment. */
    PBK_CIRCUIT_OPEN = 24,
    /** Too many bookings of the service are in doubt or in flight: not sent. */
    PBK_LEDGER_FULL = 25,

    /* The network. */

    /** No definite answer within "timeout_ms". pbk_next_completion(): none in time. */
    PBK_TIMEOUT = 40,
    /** The host name did not resolve. */
    PBK_DNS_FAILED = 41,
    /** No connection could be made. */
    PBK_CONNECT_FAILED = 42,
    /** The TLS handshake failed, or the certificate is not trusted: see "message". */
    PBK_TLS_FAILED = 43,
    /** The connection broke after it was made. */
    PBK_CONNECTION_LOST = 44,
    /** The proxy's name did not resolve, or it refused. */
    PBK_PROXY_FAILED = 45,
    /** The webhook's host is private, and not in "private_hosts". */
    PBK_ADDRESS_REFUSED = 46,

    /* The reply. It cannot be used, is not a success, or has not come. */

    /** Not JSON, or not of the promised outer shape. */
    PBK_INVALID_REPLY = 60,
    /** Longer than "max_reply_bytes". */
    PBK_REPLY_TOO_LARGE = 61,
    /** The platform declined or cancelled: no appointment. */
    PBK_NOT_CONFIRMED = 62,
    /** The reply has another start. The booking may exist. */
    PBK_OTHER_BOOKING = 63,
    /** The booking was sent and is not settled; "doubt" has the last answer. */
    PBK_IN_DOUBT = 64,

    /* The service refused or failed. */

    /** HTTP 401 or 403: API key, bot or signature not accepted. */
    PBK_UNAUTHORIZED = 80,
    /** HTTP 409 about the slot. Not booked: offer another slot. */
    PBK_SLOT_UNAVAILABLE = 81,
    /** Any other HTTP 3xx or 4xx. */
    PBK_REFUSED = 82,
    /** HTTP 429, also after the retries. */
    PBK_RATE_LIMITED = 83,
    /** HTTP 5xx, also after the retries. */
    PBK_SERVICE_FAILED = 84
} pbk_status;

/**
 * The result of pbk_webhook_verify(). Refuse all but PBK_WEBHOOK_VALID.
 *
 * @since 0.1
 */
typedef enum pbk_webhook_verdict {
    /** Signed with one of the secrets, and recent. */
    PBK_WEBHOOK_VALID = 0,
    /** No secret, an empty one, more than 16, no body, or a negative time. */
    PBK_WEBHOOK_INVALID_ARGUMENT = 1,
    /** The header is NULL or empty. */
    PBK_WEBHOOK_SIGNATURE_MISSING = 2,
    /** The header is not "t=<seconds>,v1=<hex>". */
    PBK_WEBHOOK_SIGNATURE_MALFORMED = 3,
    /** Signed with another secret, or over another body or time. */
    PBK_WEBHOOK_SIGNATURE_MISMATCH = 4,
    /** Rightly signed, too long ago: a replay, or a wrong clock. */
    PBK_WEBHOOK_TIMESTAMP_TOO_OLD = 5,
    /** Rightly signed, too far ahead: a wrong clock. */
    PBK_WEBHOOK_TIMESTAMP_IN_FUTURE = 6
} pbk_webhook_verdict;

/**
 * The outcome of a failed booking, as the top of this header defines it.
 *
 * @since 0.1
 */
typedef enum pbk_outcome {
    PBK_OUTCOME_NONE = 0,     /**< Not a failed booking. */
    PBK_OUTCOME_NOT_SENT = 1, /**< "not_sent". */
    PBK_OUTCOME_REJECTED = 2, /**< "rejected". */
    PBK_OUTCOME_UNKNOWN = 3   /**< "unknown": repeat with the same key. */
} pbk_outcome;

/** The level of a log line, from the gravest on. */
typedef enum pbk_log_level {
    PBK_LOG_OFF = 0,     /**< No line. */
    PBK_LOG_ERROR = 1,   /**< Bookings are refused, or no longer protected: act. */
    PBK_LOG_WARNING = 2, /**< A booking is in doubt, or a circuit breaker is open. */
    PBK_LOG_INFO = 3,    /**< Other failures, and reactions to them. */
    PBK_LOG_DEBUG = 4    /**< Each attempt, and each end of a call. */
} pbk_log_level;

/** @} */

/** @name Version and words */
/** @{ */

/**
 * Returns the version of the running library: "MAJOR.MINOR.PATCH".
 *
 * @return A static string, never NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_version(void);

/**
 * Returns a status in words for a log line: "the connection broke after it was made".
 *
 * @param status  Any value, also an unknown one.
 * @return A static string, never NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_status_text(pbk_status status);

/** @} */

/** @name Open and close */
/** @{ */

/**
 * Opens a client, which connects at once so that the first call finds a connection.
 *
 * "journal_path" names a journal of one client: others get PBK_JOURNAL_LOCKED. With
 * "journal_dir" each client finds one in that directory.
 *
 * @param config_json  The configuration. {"api_key":"sk_ptnr_..."} opens the hosted
 *                     Partner API. {"endpoint":"sandbox"} opens the embedded sandbox: a
 *                     clinic inside this process, without network or files. An unknown or
 *                     wrong member is an error that names it.
 * @param error_json   Receives the error reply.
 * @param status       Receives the status.
 * @return The client for pbk_client_close(). NULL on failure.
 * @note Does not wait for the network. Reads a CA file and a journal. With "journal_dir"
 *       it may wait up to 2.5 s for clients that open there.
 * @since 0.1
 */
PBK_API pbk_client *pbk_client_open(const char *config_json, char **error_json,
                                    pbk_status *status);

/**
 * Takes a batch of operations on your store of bookings.
 *
 * @param context     The context of pbk_client_open_with_ledger().
 * @param client      The client. Its handle may not have been returned to you yet.
 * @param batch       The number of the batch. Give it to pbk_ledger_answer(), once.
 * @param batch_json  {"protocol":1,"operations":[...]}. Borrowed. docs/ledger-protocol.md
 *                    describes each operation.
 * @note Runs on the client's ledger thread alone. It may block, but must not make
 *       blocking calls of this client or close it. Let no exception leave it.
 * @since 0.1
 */
typedef void (*pbk_ledger_callback)(void *context, pbk_client *client, uint64_t batch,
                                    const char *batch_json);

/**
 * Opens a client that keeps its bookings in your store (PostgreSQL, Redis or the like),
 * shared by all engines of a fleet.
 *
 *     pbk_client *client =
 *         pbk_client_open_with_ledger(config, run_batch, store, &error, NULL);
 *
 * The client claims each booking in the store before it is sent. If an engine dies,
 * another one settles its bookings. See docs/fleet.md, examples-c/ledger_postgres.c and
 * examples-c/ledger_redis.c.
 *
 * @param config_json  As for pbk_client_open(), without a journal; with "ledger_scope",
 *                     "ledger_lease_ms" and "ledger_takes_over".
 * @param callback     Takes the batches. NULL: take them with pbk_next_ledger_batch().
 * @param context      Passed to the callback. Must live until pbk_client_close() and the
 *                     last callback have returned.
 * @param error_json   Receives the error reply.
 * @param status       Receives the status.
 * @return The client for pbk_client_close(). NULL on failure.
 * @note Non-blocking: waits for neither network nor store.
 * @since 0.1
 */
PBK_API pbk_client *pbk_client_open_with_ledger(const char *config_json,
                                                pbk_ledger_callback callback,
                                                void *context, char **error_json,
                                                pbk_status *status);

/**
 * Answers a batch of operations.
 *
 *     pbk_ledger_answer(client, batch,
 *         "{\"results\":[{\"id\":\"17\",\"result\":\"claimed\"}]}", NULL)
 *     pbk_ledger_answer(client, batch,
 *         "{\"error\":{\"message\":\"connection refused\"}}", NULL)
 *
 * Give one result for each operation, or an error if you do not know whether the batch
 * was carried out: the library repeats it. No answer for "journal_timeout_ms" counts as
 * an error. A late answer still counts.
 *
 * @param client        The client. While pbk_client_close() goes on, answers are still
 *                      taken.
 * @param batch         The number of the batch.
 * @param results_json  The answer, at most 64 MiB.
 * @param error_json    Receives the error reply.
 * @return PBK_OK. PBK_INVALID_JSON or PBK_INVALID_ARGUMENT for an answer that is not one:
 *         the batch stays open. PBK_INVALID_ARGUMENT also if no such batch is open.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_ledger_answer(pbk_client *client, uint64_t batch,
                                     const char *results_json, char **error_json);

/**
 * Waits for the next batch of operations of a client opened without a ledger callback.
 * Answer it with pbk_ledger_answer(). Several batches may be open at once.
 *
 * @param client      The client.
 * @param timeout_ms  Milliseconds to wait; negative: no limit.
 * @param batch       Receives the number of the batch. NULL is an error.
 * @param status      Receives the status.
 * @return Owned JSON. NULL with PBK_TIMEOUT; with PBK_CLIENT_CLOSED after the last batch:
 *         end your thread; with PBK_INVALID_ARGUMENT if the client has a ledger callback,
 *         or no ledger.
 * @note Not from callbacks. Blocks for at most `timeout_ms`.
 * @since 0.1
 */
PBK_API char *pbk_next_ledger_batch(pbk_client *client, int32_t timeout_ms,
                                    uint64_t *batch, pbk_status *status);

/**
 * Closes a client: refuses new calls, lets others finish, ends the rest, and stops its
 * thread.
 *
 * Every call is completed when the time is up at the latest. An ended call gets
 * "client_closed", for a booking with its true "outcome". 0 ends all at once. No callback
 * begins after the return.
 *
 * It also waits for background bookings, whose calls have ended. One that is not settled
 * in time stays in doubt, and a journal keeps it. It does not cause PBK_TIMEOUT.
 *
 * Then take the completions left in the queue: they keep their memory. Do not use the
 * descriptor of pbk_client_fd() any more.
 *
 * @param client      The client. The second of two closing threads gets PBK_CLIENT_CLOSED
 *                    at once.
 * @param timeout_ms  Milliseconds for calls under way, limited to 0 to 600000.
 * @return PBK_OK when no call had to be ended, PBK_TIMEOUT when some were (closed, too),
 *         PBK_INVALID_CLIENT, PBK_CLIENT_CLOSED, or from a callback PBK_WOULD_DEADLOCK:
 *         the client stays open.
 * @note Not from callbacks. Blocks for at most `timeout_ms` and two seconds, also while a
 *       name is being resolved. If a callback does not return by then, or the client's
 *       thread gets no CPU time, it and the remaining calls stay behind without
 *       completions. A journal keeps their bookings as pending.
 * @since 0.1
 */
PBK_API pbk_status pbk_client_close(pbk_client *client, int32_t timeout_ms);

/** @} */

/** @name Calls that block */
/** @{ */

/**
 * Searches a bot's free appointment slots.
 *
 * Transient failures are retried within the deadline. The reply's format is that of the
 * bot's platform.
 *
 * @param client        The client.
 * @param request_json  {"bot_id":...,"query":{"filter":{"start_at_range":
 *                      {"start_at":...,"end_at":...}}}}, with RFC 3339 date-times or
 *                      plain dates. Optional: "timeout_ms", "tag", "traceparent".
 * @param status        Receives the status.
 * @return Owned JSON: {"availabilities":[...]} from the service.
 * @note Not from callbacks. Blocks until the deadline, by default 5 seconds.
 * @since 0.1
 */
PBK_API char *pbk_search_availability(pbk_client *client, const char *request_json,
                                      pbk_status *status);

/**
 * Books an appointment slot.
 *
 * "idempotency_key" names the booking: one key, one booking. With the key of
 *
 * - a booking in flight, the call shares its request and its reply,
 * - a booking that was made, the call returns the recorded reply,
 * - another booking, the call fails with PBK_IDEMPOTENCY_KEY_REUSED.
 *
 * Requests are for the same booking if they differ only in spelling (of "start_at" the
 * instant counts), order, or members that are missing, null or "".
 *
 * After "unknown" repeat the call, or send {"idempotency_key":"...","resume":true}.
 *
 * A booking that was sent and is not settled at the deadline ends with "unknown". The
 * request continues in the background. Then the library asks again with the same key for
 * at most "settle_for_ms" (not with "platform_keys":"none"). A repeat of the key joins
 * that request.
 *
 * A booking in doubt is never forgotten. A person can give up one, or those of a bot that
 * start before a moment:
 *
 *     {"idempotency_key":"...","give_up":true}
 *     {"give_up":true,"bot_id":"...","start_before":"2030-01-14T09:00:00-05:00"}
 *
 * Both send nothing. The reply is {"given_up":[...],"kept":[...]}, with items as in
 * pbk_pending_bookings(). A booking with a call under way, or that has ended, is kept.
 *
 * @param client        The client.
 * @param request_json  {"bot_id":...,"idempotency_key":...,
 *                      "booking":{"start_at":...,"duration_minutes":...,
 *                      "customer":{"phone":...,"name":...}}}. Optional: "timeout_ms",
 *                      "tag", "traceparent", and "conversation", 1 to 256 bytes, which
 *                      names the phone call. It is not sent. A journal keeps it;
 *                      pbk_pending_bookings() lists it.
 * @param status        Receives the status.
 * @return Owned JSON: {"booking":{...}} from the service, or an error with an "outcome".
 *         After NULL repeat the call with the same key. The host has heard the end one
 *         second after the return.
 * @note Not from callbacks. Blocks until the deadline, by default 35 seconds (the service
 *       itself waits up to 30 for the platform).
 * @since 0.1
 */
PBK_API char *pbk_create_booking(pbk_client *client, const char *request_json,
                                 pbk_status *status);

/**
 * Looks up a customer and their appointment by phone number.
 *
 *     char *reply = pbk_lookup_customer(client,
 *         "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\","
 *         "\"customer\":{\"phone\":\"+15551234567\"}}", &status);
 *
 * Platforms' webhooks ("endpoint":"platform_webhook") and the sandbox have this
 * operation. A client of the Partner API returns PBK_UNSUPPORTED_OPERATION and sends
 * nothing.
 *
 * @param client        The client.
 * @param request_json  {"bot_id":...,"customer":{"phone":...}}, the phone number in
 *                      E.164. Optional: "timeout_ms", "tag", "traceparent".
 * @param status        Receives the status.
 * @return Owned JSON: {"found":false}, or
 *         {"found":true,"customer":{"name":...,"phone":...,
 *         "existing_appointment":{"start_at":...,"end_at":...,"status":...}}} (no
 *         appointment: the member is left out).
 * @note Not from callbacks. Blocks until the deadline, by default 5 seconds.
 * @since 0.1
 */
PBK_API char *pbk_lookup_customer(pbk_client *client, const char *request_json,
                                  pbk_status *status);

/** @} */

/** @name Submitted calls */
/** @{ */

/**
 * Receives a completion of a submitted call.
 *
 * @param context     The context given to pbk_submit().
 * @param completion  The completion, never NULL. Yours: free it with
 *                    pbk_completion_free(), here or later, on any thread.
 * @note Runs on the client's transfer thread. It may call non-blocking functions such as
 *       pbk_submit() and pbk_cancel().
 * @since 0.1
 */
typedef void (*pbk_callback)(void *context, pbk_completion *completion);

/**
 * Hands over a call and returns at once.
 *
 *     pbk_ticket search;
 *     if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, &search, NULL,
 *                    on_completion, call) != PBK_OK) ...
 *
 * Every ticket gets exactly one PBK_EVENT_DONE, with a reply or an error, also after a
 * cancel, a deadline and a close. With "slow_after_ms" in the request or the
 * configuration a PBK_EVENT_SLOW may come before. A refused call has no ticket and no
 * completion.
 *
 * @param client        The client.
 * @param operation     The operation.
 * @param request_json  The request, as for the blocking function.
 * @param ticket        Receives the ticket before a callback can run; 0 if the call is
 *                      refused. May be NULL.
 * @param error_json    Receives the error reply.
 * @param callback      Receives the completions. NULL: they wait in the completion queue.
 * @param context       Passed to the callback and the completion. May be NULL.
 * @return PBK_OK, or the reason of the refusal: the request is wrong, PBK_QUEUE_FULL, or
 *         the client is closed. `error_json` has details such as "field".
 * @note Non-blocking: checks and copies the request and wakes the transfer thread. Never
 *       waits for network, resolver or file.
 * @since 0.1
 */
PBK_API pbk_status pbk_submit(pbk_client *client, pbk_operation operation,
                              const char *request_json, pbk_ticket *ticket,
                              char **error_json, pbk_callback callback, void *context);

/**
 * Cancels a call.
 *
 * The call gets its completion: "cancelled", or the reply if that came first. A search is
 * stopped; HTTP/2 keeps its connection. The outcome of a booking is
 *
 * - "not_sent" before it was sent ("unknown" if the key was in doubt, or another call
 *   shares it),
 * - "unknown" after that: the API cannot cancel an appointment. The library reads the
 *   answer and sends nothing for this key until you repeat it,
 * - "rejected" if it was refused, for example with HTTP 429, and waits for a retry.
 *
 * With "detach":true it is not cancelled, and completes.
 *
 * @param client  The client.
 * @param ticket  The call. PBK_OK for one that is over.
 * @return PBK_OK, PBK_INVALID_ARGUMENT for an unknown ticket, PBK_INVALID_CLIENT or
 *         PBK_CLIENT_CLOSED.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_cancel(pbk_client *client, pbk_ticket ticket);

/**
 * Returns a descriptor for your loop (poll, epoll, asyncio): readable while a completion
 * is queued, level-triggered.
 *
 * When it is readable, call pbk_next_completion(client, 0, NULL) until that returns NULL.
 * Do not read, write or close it. It is valid until pbk_client_close().
 *
 * @param client  The client.
 * @return The descriptor. -1 if the client is closed or garbage, or no descriptor is
 *         left.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API int pbk_client_fd(pbk_client *client);

/**
 * Takes the oldest completion from the client's queue: of calls submitted without a
 * callback, and the reports of "report_settled".
 *
 * Take them: completions that wait count against "max_in_flight" and "max_queued".
 * Reports do not; at most 1,000 wait.
 *
 * @param client      The client; also a closed one that has completions left.
 * @param timeout_ms  Milliseconds to wait, limited to 0 to 600000.
 * @param status      Receives PBK_OK, PBK_TIMEOUT (none in time), PBK_CLIENT_CLOSED (none
 *                    will come) or PBK_INVALID_CLIENT.
 * @return The completion for pbk_completion_free(), or NULL.
 * @note Blocks for at most `timeout_ms`, but never in a callback. Several threads may
 *       call it: each completion goes to one of them.
 * @since 0.1
 */
PBK_API pbk_completion *pbk_next_completion(pbk_client *client, int32_t timeout_ms,
                                            pbk_status *status);

/** @} */

/** @name Completions */
/** @{ */

/**
 * Returns the kind of the completion.
 *
 * @param completion  May be NULL.
 * @return The event; 0 for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_event pbk_completion_event(const pbk_completion *completion);

/**
 * Returns the operation of the call.
 *
 * @param completion  May be NULL.
 * @return The operation: PBK_CREATE_BOOKING for PBK_EVENT_SETTLED, 0 for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_operation pbk_completion_operation(const pbk_completion *completion);

/**
 * Returns the ticket of the call.
 *
 * @param completion  May be NULL.
 * @return The ticket; 0 for PBK_EVENT_SETTLED and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_ticket pbk_completion_ticket(const pbk_completion *completion);

/**
 * Returns the context given to pbk_submit().
 *
 * @param completion  May be NULL.
 * @return The context; NULL for PBK_EVENT_SETTLED and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API void *pbk_completion_context(const pbk_completion *completion);

/**
 * Returns the status of the call. For PBK_EVENT_SETTLED: the status of the booking.
 *
 * @param completion  May be NULL.
 * @return The status: PBK_OK for PBK_EVENT_SLOW, PBK_INVALID_ARGUMENT for NULL,
 *         PBK_RESOURCE_UNAVAILABLE if memory was out for the reply, now NULL: repeat a
 *         booking with its key.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_completion_status(const pbk_completion *completion);

/**
 * Returns the outcome of a failed booking.
 *
 * @param completion  May be NULL.
 * @return The outcome; PBK_OUTCOME_NONE for all else, and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_outcome pbk_completion_outcome(const pbk_completion *completion);

/**
 * Returns the reply: JSON as from the blocking functions, {"error":{...}} included.
 *
 * @param completion  May be NULL.
 * @return Borrowed. NULL for PBK_EVENT_SLOW and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_completion_reply(const pbk_completion *completion);

/**
 * Returns the length of the reply in bytes, without its NUL byte.
 *
 * @param completion  May be NULL.
 * @return The length; 0 without a reply.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API size_t pbk_completion_reply_length(const pbk_completion *completion);

/**
 * Returns the request's "tag".
 *
 * @param completion  May be NULL.
 * @return Borrowed. NULL without one, and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_completion_tag(const pbk_completion *completion);

/**
 * Returns the "idempotency_key" of a booking's request.
 *
 * @param completion  May be NULL.
 * @return Borrowed. NULL for other operations and for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_completion_key(const pbk_completion *completion);

/**
 * Returns the timing of the call: {"total_us":...,"queue_us":...,"attempts":...,...}. It
 * contains no personal data.
 *
 * @param completion  May be NULL.
 * @return Borrowed JSON. NULL for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_completion_timing(const pbk_completion *completion);

/**
 * Frees a completion and everything borrowed from it.
 *
 * The host has then heard the end of a booking: use that first. Free completions before
 * you close the client. Later the journal does not record it, and the next client lists
 * the booking again.
 *
 * @param completion  The completion, once. NULL does nothing.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API void pbk_completion_free(pbk_completion *completion);

/** @} */

/** @name Connections */
/** @{ */

/**
 * Prepares a connection in the background, so that the next call finds one. Call it when
 * the phone rings.
 *
 * Only hosts with "keep_warm_ms":0 need it: else a client connects when it opens, uses
 * idle connections, and replaces dead ones. With "platform_webhook" it connects to the
 * first 64 servers of "platforms", and calls to the others.
 *
 * @param client  The client.
 * @return PBK_OK, PBK_INVALID_CLIENT or PBK_CLIENT_CLOSED. The next call reports a
 *         failure to connect.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_prewarm(pbk_client *client);

/** @} */

/** @name Idempotency keys */
/** @{ */

/**
 * Derives the idempotency key of a booking from the phone call and the booking.
 *
 * A language model that repeats a booking in one phone call gets the same key, so one
 * booking. A corrected time gives another key. Call ID, bot, start (as an instant, to the
 * second), duration and phone number count; names and notes do not. Use pbk_random_key()
 * if the caller may want the slot again after a cancellation: see docs/exactly-once.md.
 *
 * @param call_id       The name of the phone call, 1 to 256 bytes.
 * @param request_json  As for pbk_create_booking(); "idempotency_key" may be missing.
 * @param error_json    Receives the error reply.
 * @param status        Receives the status.
 * @return Owned key. NULL if the request is wrong, or memory is out.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_booking_key(const char *call_id, const char *request_json,
                              char **error_json, pbk_status *status);

/**
 * Makes a new idempotency key. Make one for each booking, and use it for all repeats.
 *
 * @return Owned key. NULL if memory is out.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_random_key(void);

/** @} */

/** @name Lists of bookings */
/** @{ */

/**
 * Lists the bookings whose end the host has not heard, oldest first. A journal
 * ("journal_path" or "journal_dir") adds those of earlier processes.
 *
 * The host has heard an end when it has freed the completion, or one second after a
 * blocking call returned it. The journal records that about a second later: after a crash
 * a heard booking may be listed again.
 *
 * Each item has "idempotency_key", "bot_id", "start_at", "duration_minutes",
 * "recorded_at", "state", "in_flight", "expired" (its start has passed) and, if the
 * request had one, "conversation", but no customer data. Resume one with
 * pbk_create_booking():
 *
 *     {"idempotency_key":"...","resume":true}
 *
 * The states:
 *
 * - "in_flight": a request is under way. A resume joins it.
 * - "in_doubt": it may have been made. A resume settles it. Only that or a "give_up" ends
 *   it.
 * - "booked": it was made. A resume returns the reply.
 * - "refused": it was not made, and the key is free. A resume returns PBK_NOT_RECORDED
 *   with "not_sent" or "rejected".
 *
 * A booking leaves the list when its end is heard. Unheard ends leave it after
 * "booking_retention_minutes". "journal" describes damage found at the opening, or is
 * null.
 *
 * @param client  The client.
 * @param status  Receives the status.
 * @return Owned JSON: {"pending_bookings":[...],"journal":...}.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_pending_bookings(pbk_client *client, pbk_status *status);

/**
 * Lists the bookings of the embedded sandbox, oldest first. For tests.
 *
 * @param client  A client with "endpoint":"sandbox"; others get PBK_INVALID_ARGUMENT.
 * @param status  Receives the status.
 * @return Owned JSON: {"bookings":[{"idempotency_key":...,"id":...,"bot_id":...,
 *         "start_at":...,"end_at":...},...]}.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_sandbox_bookings(pbk_client *client, pbk_status *status);

/** @} */

/** @name Reading replies */
/** @{ */

/**
 * Returns the status of a reply, as its call returned it.
 *
 *     char *reply = pbk_create_booking(client, request, NULL);
 *     if (pbk_reply_status(reply) == PBK_SLOT_UNAVAILABLE) ...     // offer another slot
 *
 * @param reply  A reply or an error reply of any function.
 * @return PBK_OK for a reply without "error", else the status of its call.
 *         PBK_INVALID_ARGUMENT for NULL. PBK_INVALID_JSON for a text that is no reply:
 *         not JSON, not an object, or with an "error" that this library does not write.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_reply_status(const char *reply);

/**
 * Returns the outcome of a booking from its reply.
 *
 *     char *reply = pbk_create_booking(client, request, NULL);
 *     if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN) ...     // repeat the key
 *
 * @param reply  The reply.
 * @return The "outcome" of an error reply. PBK_OUTCOME_NONE if it has none, and for a
 *         success. PBK_OUTCOME_UNKNOWN for NULL and for a text that is no reply.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_outcome pbk_reply_outcome(const char *reply);

/**
 * Returns 1 if the same call may succeed later, a booking with the same key.
 *
 * @param reply  The reply.
 * @return 1 for an error reply with "retryable":true, else 0, also for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API int pbk_reply_retryable(const char *reply);

/**
 * Returns the time to wait before the next try, if the service or this library named one.
 *
 * @param reply  The reply.
 * @return Milliseconds, "retry_after_ms" of an error reply, else -1, also for NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API int64_t pbk_reply_retry_after_ms(const char *reply);

/** @} */

/** @name JSON without a JSON library */
/** @{ */

/**
 * Reads one value from a JSON text.
 *
 *     char *start_at = pbk_json_get(reply, "/availabilities/0/start_at");
 *     char *code = pbk_json_get(reply, "/error/code");             // NULL on success
 *
 * The pointer is that of RFC 6901: "" is the whole text, "/" begins a member's name or an
 * element's number, from 0 without leading zeros. In names write "~1" for "/" and "~0"
 * for "~". Of members with the same name the first counts. Each call reads the whole
 * text, at most 128 levels deep.
 *
 * A string comes without quotes and escapes; U+0000 and half of a surrogate pair become
 * U+FFFD. Every other value comes as written: 30, true, {...}, and null as the text
 * "null".
 *
 * @param json     The text, for example a reply.
 * @param pointer  The pointer.
 * @return Owned value. NULL if there is no such value, the text is not JSON, the pointer
 *         is malformed, an argument is NULL, or memory is out.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_json_get(const char *json, const char *pointer);

/**
 * Writes a text as a JSON string, with quotes and escapes. Quote every text of a caller,
 * a model or a service in a request.
 *
 *     char *name = pbk_json_quote(said);              // Jo "J" Roe: "Jo \"J\" Roe"
 *
 * @param text  The text. Invalid bytes become U+FFFD.
 * @return Owned JSON string. NULL if `text` is NULL or memory is out.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_json_quote(const char *text);

/** @} */

/** @name Voice: docs/voice.md */
/** @{ */

/**
 * Makes slots that can be offered and booked from the reply of a search.
 *
 *     char *slots = pbk_slots(reply, "{\"time_zone\":\"America/New_York\","
 *                                    "\"offers\":3}", NULL);
 *     char *token = pbk_json_get(slots, "/offers/0/slot");          // tue15-0930u
 *     char *start_at = pbk_json_get(slots, "/offers/0/start_at");   // for the booking
 *
 * Platforms list slots or whole free windows, with Z, an offset or neither. This function
 * reads them all, cuts windows on the clinic's wall clock, filters, sorts, and removes
 * duplicates. It reports index and reason of an unreadable item. Without free slots the
 * lists are empty.
 *
 * @param reply_json    The reply of pbk_search_availability(), or of the platform: JSON
 *                      with a list "availabilities".
 * @param options_json  "time_zone" is required. Length of the appointment:
 *                      "duration_minutes" (1 to 1440, default 30). Grid of its starts:
 *                      "step_minutes" (1 to 1440). "items": "auto", "slots" or "windows".
 *                      "reading": a reading of pbk_when(), unchanged. Its members can
 *                      also stand alone: "from", "to", "weekdays", "not_before",
 *                      "before", "parts", "earliest", "around". "now",
 *                      "min_notice_minutes" and "max_days_ahead" limit the time ahead,
 *                      "limit" (1 to 1000, default 500) the list. "offers" (1 to 10)
 *                      chooses slots. "pick" (at most 256 bytes, with "locale") finds the
 *                      slot that a text names.
 * @param status        Receives the status.
 * @return Owned JSON with "slots", "more", "items", "skipped_count" and "skipped", on
 *         request "offers" and "picked". Each slot has a "slot" (its token), "start_at"
 *         and "duration_minutes". Can fail with PBK_UNKNOWN_TIME_ZONE.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_slots(const char *reply_json, const char *options_json,
                        pbk_status *status);

/**
 * Reads a caller's words about a day and a time.
 *
 *     char *wish = pbk_when("{\"when\":\"tomorrow\",\"time\":\"after three\","
 *                           "\"time_zone\":\"America/New_York\"}", NULL);
 *     // {"clear":true,"readings":[{"from":"2030-01-15","to":"2030-01-15",
 *     //  "not_before":"15:00","start_at":"2030-01-15T00:00:00-05:00",
 *     //  "end_at":"2030-01-16T00:00:00-05:00"}],"corrected":[],"assumed":["afternoon"]}
 *     char *reading = pbk_json_get(wish, "/readings/0");      // an option of pbk_slots()
 *
 * Give "start_at" and "end_at" of a reading to pbk_search_availability(), and the whole
 * reading to pbk_slots(). If "clear" is false, there are two to four: ask the caller.
 * "corrected" and "assumed" list every correction and assumption. Words that are not
 * understood are an error.
 *
 * @param request_json  "time_zone" is required. "when" and "time" are the caller's words,
 *                      each at most 512 bytes. Either may have both; empty ones mean any
 *                      day and any time. "opening" has the hours of weekdays and decides
 *                      about a bare hour. "max_days_ahead" (1 to 3660, default 60) ends a
 *                      wish without an end. Optional: "locale", "now".
 * @param status        Receives the status.
 * @return Owned JSON as above; PBK_UNKNOWN_TIME_ZONE, or PBK_TIME_UNCLEAR with a "field"
 *         and a "reason".
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_when(const char *request_json, pbk_status *status);

/**
 * Puts a slot, a list of slots, a phone number or a length of time into words for a
 * speech synthesiser.
 *
 *     char *said = pbk_say("{\"start_at\":\"2030-01-16T14:30:00Z\","
 *                          "\"time_zone\":\"America/New_York\"}", NULL);
 *     char *words = pbk_json_get(said, "/say");
 *     // Wednesday, January sixteenth at nine thirty in the morning
 *
 * The words are letters, blanks, commas, apostrophes and hyphens: no digit, no AM or PM,
 * no zone and no markup. Read a booking back with the "start_at" of its own reply.
 *
 * @param request_json  Exactly one of "start_at", "slot" (a slot of pbk_slots(), or the
 *                      "booking" of a reply), "slots" (1 to 24), "phone" and
 *                      "duration_minutes" (1 to 1440). "time_zone" is required with a
 *                      start. "now" decides about "tomorrow" and the year. "style":
 *                      "full" (default), "day" or "time". "joiner": "or" (default) or
 *                      "and". "region": that of the phone number. Optional: "locale".
 * @param status        Receives the status.
 * @return Owned JSON: {"say":"..."}; PBK_UNKNOWN_TIME_ZONE or PBK_PHONE_UNCLEAR.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_say(const char *request_json, pbk_status *status);

/**
 * Reads a spoken or written phone number, for the booking and for reading it back.
 *
 *     char *phone = pbk_phone("{\"text\":\"oh seven four double oh, one two three, "
 *         "four five six\",\"region\":\"GB\",\"locale\":\"en-GB\"}", NULL);
 *     // {"phone":"+447400123456","region":"GB","groups":["07400","123","456"],
 *     //  "say":"zero seven four zero zero, one two three, four five six"}
 *     char *number = pbk_json_get(phone, "/phone");           // for the booking
 *
 * Nothing is guessed: a text with two readings, or a number that no country has, is an
 * error. An extension is in "extension".
 *
 * @param request_json  "text" is required, at most 1024 bytes. A number without its
 *                      country code needs "region" (ISO 3166, such as US). Optional:
 *                      "locale".
 * @param status        Receives the status.
 * @return Owned JSON as above; PBK_PHONE_UNCLEAR, which has a "reason" and, for a wrong
 *         length, "digits_heard" and "digits_wanted".
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_phone(const char *request_json, pbk_status *status);

/** @} */

/** @name Tools of a language model */
/** @{ */

/**
 * Returns the tools with which a language model finds and books appointments, a text for
 * its prompt, and words for the caller who waits.
 *
 *     char *reply = pbk_tools("{\"dialect\":\"openai_realtime\","
 *                             "\"voice\":{\"services\":[{\"name\":\"cleaning\"}]}}",
 *                             NULL);
 *     char *tools = pbk_json_get(reply, "/tools");     // [{"type":"function",...},...]
 *     char *prompt = pbk_json_get(reply, "/prompt");   // for the instructions
 *     char *filler = pbk_json_get(reply, "/filler");   // "One moment, please."
 *
 * Put "tools", in the form of the model's API, unchanged into the request or session:
 * find_appointment_slots, book_appointment and on request look_up_caller. Every field is
 * required and may be null, as strict modes want it. The model passes the caller's own
 * words.
 *
 * @param options_json  "dialect" is required: openai, openai_responses, openai_realtime,
 *                      anthropic, gemini or mcp. Optional: "voice" as in the
 *                      configuration, "bot_id" for the bot's own members of it,
 *                      "look_up_caller" (default false).
 * @param status        Receives the status.
 * @return Owned JSON: {"tools":[...],"prompt":"...","filler":"..."}; PBK_INVALID_JSON or
 *         PBK_INVALID_FIELD.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_tools(const char *options_json, pbk_status *status);

/**
 * Answers a tool call of a language model: find_appointment_slots, book_appointment or
 * look_up_caller.
 *
 *     pbk_call_tool(client,
 *         "{\"tool\":\"find_appointment_slots\",\"call_id\":\"call-7\","
 *         "\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\","
 *         "\"arguments\":{\"when\":\"tomorrow\",\"time\":\"after three\"}}", &status)
 *     {"tool":"find_appointment_slots","result":"offered","is_error":false,
 *      "text":"Offer these times, and no others: tue15-1500p (tomorrow at three ...",
 *      "say":"I have tomorrow at three in the afternoon. Does that suit you?",
 *      "slots":[{"slot":"tue15-1500p","start_at":"2030-01-15T15:00:00-05:00",
 *                "duration_minutes":30,"say":"tomorrow at three in the afternoon"}]}
 *
 * Pass the model's arguments as they came, an object or a text with one: they are read
 * leniently. Send "text" to the model. Speak "say" if the bot speaks by itself. Check
 * "result": an answer may have an "error", which pbk_reply_status() reads, with PBK_OK.
 *
 * A conversation has one appointment, unless the arguments contain "another":true, and
 * books only slots that it was offered. The library makes the key. It settles a booking
 * in doubt before the next one, which takes at most 3 seconds.
 *
 * pbk_submit() with PBK_CALL_TOOL does not block. pbk_cancel() ends the call with
 * PBK_CANCELLED, but not a booking that was sent: the next call of the conversation
 * reports its end. With "detach":true a call whose booking is on its way completes, also
 * after a hang-up.
 *
 * @param client        The client. Its configuration needs "voice" with a "time_zone".
 * @param request_json  "tool", "call_id" and "bot_id" are required. Optional:
 *                      "arguments", "caller_phone", "speculative", "timeout_ms",
 *                      "slow_after_ms", "tag", "traceparent", "detach".
 * @param status        Receives PBK_OK if the model has something to act on, also if
 *                      nothing was booked; else the status.
 * @return Owned JSON as above; PBK_INVALID_FIELD, PBK_INVALID_JSON, PBK_CLIENT_CLOSED or
 *         PBK_WOULD_DEADLOCK.
 * @note Not from callbacks. Blocks for at most "timeout_ms" (default: 35000 to book, 5000
 *       for other tools).
 * @since 0.1
 */
PBK_API char *pbk_call_tool(pbk_client *client, const char *request_json,
                            pbk_status *status);

/**
 * Searches ahead when the phone rings. The next find_appointment_slots of the bot then
 * needs no round trip, for "cache_ms" of the configuration.
 *
 *     pbk_prefetch(client, "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\"}", NULL)
 *
 * @param client        The client. Its configuration needs "voice" with a "time_zone".
 * @param request_json  "bot_id" is required. Optional: "service", "timeout_ms", "tag".
 * @param error_json    Receives the error reply.
 * @return PBK_OK if the search was handed over, or the cache is fresh. Nothing reports
 *         its end.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_prefetch(pbk_client *client, const char *request_json,
                                char **error_json);

/**
 * Forgets the offers of a conversation when the caller has hung up. Without it they are
 * forgotten after an hour. Bookings stay in the ledger.
 *
 *     pbk_conversation_end(client, "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\","
 *                                  "\"call_id\":\"call-7\"}", NULL)
 *
 * @param client        The client.
 * @param request_json  "bot_id" and "call_id".
 * @param error_json    Receives the error reply.
 * @return PBK_OK, also for an unknown conversation.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_status pbk_conversation_end(pbk_client *client, const char *request_json,
                                        char **error_json);

/** @} */

/** @name Metrics and log */
/** @{ */

/**
 * Returns the counters since the client was opened, and gauges of the moment. Export them
 * to your metrics, for example every 15 seconds.
 *
 *     {"uptime_ms":61000,...,
 *      "calls":[{"operation":"search_availability","status":"ok","count":12,
 *                "total_ms":1890,"buckets":[0,3,5,2,1,1,0,0,0,0,0,0,0]}],
 *      "attempts":[{"result":"http_2xx","count":13},{"result":"timeout","count":1}],...
 *      "retries":1,...,"in_flight":0,"queued":0,"open_connections":1,"in_doubt":0,...}
 *
 * All words are of closed sets. Nothing names a bot, a call or a caller. With
 * "stats":false in the configuration all counters are 0.
 *
 * @param client  The client.
 * @param status  Receives the status.
 * @return Owned JSON as above; PBK_INVALID_CLIENT or PBK_CLIENT_CLOSED.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_stats(pbk_client *client, pbk_status *status);

/**
 * Takes one log line. Write it somewhere and return.
 *
 * @param context    The context of pbk_client_set_log().
 * @param level      The level of the line.
 * @param line_json  One JSON object without a line end. Borrowed.
 * @note Runs on the client's transfer thread alone.
 * @since 0.1
 */
typedef void (*pbk_log_callback)(void *context, pbk_log_level level,
                                 const char *line_json);

/**
 * Switches the log on or off. At first it is off and costs nothing.
 *
 *     pbk_client_set_log(client, PBK_LOG_INFO, write_line, log_file)
 *
 * Lines are about calls, attempts and their ends, retries, circuit breakers, the journal
 * and settled bookings. They contain no API key, secret, idempotency key or caller's
 * data. "ticket" and "tag" name the call.
 *
 * At most 1,024 lines wait. Others are lost and counted: "lost" of the next line,
 * "log_lines_dropped" of pbk_stats().
 *
 * @param client    The client.
 * @param level     Lines up to this level are sent.
 * @param callback  Takes the lines. Required unless PBK_LOG_OFF.
 * @param context   Passed to the callback. May be NULL.
 * @return PBK_OK, PBK_INVALID_ARGUMENT, PBK_INVALID_CLIENT, PBK_CLIENT_CLOSED, or
 *         PBK_WOULD_DEADLOCK in a callback of another client. The previous callback is
 *         not called after the return; pbk_client_close() also ends the log.
 * @note Waits for a line being handed over, and up to one second for others, but not on
 *       the transfer thread. Hold no lock that the callback takes.
 * @since 0.1
 */
PBK_API pbk_status pbk_client_set_log(pbk_client *client, pbk_log_level level,
                                      pbk_log_callback callback, void *context);

/** @} */

/** @name Webhooks, for platforms */
/** @{ */

/**
 * Verifies that a webhook request is signed with the secret, whole and recent. Pass the
 * body before anything parses it.
 *
 *     const char *secret = getenv("WEBHOOK_SECRET");
 *     pbk_webhook_verdict verdict =
 *         pbk_webhook_verify(&secret, 1, header, body, body_length, 0, 0);
 *     if (verdict != PBK_WEBHOOK_VALID)
 *         return answer(401, pbk_webhook_verdict_text(verdict));
 *
 * X-DialStack-Signature is "t=<seconds>,v1=<hex>", the lower-case HMAC-SHA256 of
 * "<seconds>.<body>". It is read strictly:
 *
 * - At most 4096 bytes: "scheme=value", separated by single commas, no white space.
 * - One `t` of 1 to 15 digits without leading zeros.
 * - One or more `v1`; one must match. Only 64 lower-case digits can.
 * - Other schemes are ignored.
 *
 * The comparison takes constant time. The time is checked last, if the signature is
 * right.
 *
 * @param secrets            The webhook's secrets, not NULL or empty: any may have
 *                           signed. Two while one replaces the other.
 * @param secret_count       Number of secrets, 1 to 16.
 * @param signature_header   The header's value. NULL and "": there was none.
 * @param body               The body as it arrived, byte for byte. NULL only with a
 *                           length of 0.
 * @param body_length        Its length in bytes.
 * @param now                Time in seconds since 1970; 0: the system's clock.
 * @param tolerance_seconds  Most that the signature's time may be off, in seconds; 0:
 *                           300, the protocol's value.
 * @return PBK_WEBHOOK_VALID, or the reason to refuse the request.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API pbk_webhook_verdict pbk_webhook_verify(const char *const *secrets,
                                               size_t secret_count,
                                               const char *signature_header,
                                               const void *body, size_t body_length,
                                               int64_t now, int64_t tolerance_seconds);

/**
 * Returns a verdict in words for a log or an answer: "the signature does not match". It
 * reveals nothing of the secret.
 *
 * @param verdict  Any value, also an unknown one.
 * @return A static string, never NULL.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API const char *pbk_webhook_verdict_text(pbk_webhook_verdict verdict);

/**
 * Signs the body of a webhook request as a client with "platform_webhook" does. For
 * tests.
 *
 * @param secret       The webhook's secret, not empty.
 * @param body         The body as it will be sent. NULL only with a length of 0.
 * @param body_length  Its length in bytes.
 * @param timestamp    Time in seconds since 1970, at most 15 digits; 0: the system's
 *                     clock.
 * @return Owned value of X-DialStack-Signature: "t=1705312800,v1=5257a8...". NULL if an
 *         argument is wrong (no secret, no body, no such time) or memory is out.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API char *pbk_webhook_sign(const char *secret, const void *body, size_t body_length,
                               int64_t timestamp);

/** @} */

/** @name Memory */
/** @{ */

/**
 * Frees a string that this library returned.
 *
 * @param string  The string, once. NULL does nothing.
 * @note Non-blocking.
 * @since 0.1
 */
PBK_API void pbk_string_free(char *string);

/** @} */

#ifdef __cplusplus
}
#endif

#endif /* PARTNERBOOKING_H */
