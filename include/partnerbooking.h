/*
 * libpartnerbooking: find free appointment slots and book one through the Partner API, from inside a voice engine.
 *
 * JSON goes in, JSON comes out. A reply that succeeded is the service's own, byte for byte; a call that failed gives
 *
 *     {"error":{"code":"slot_unavailable","message":"...","status":409,"source":"platform","retryable":false,
 *               "attempts":1,"field":null,"request_id":null,"outcome":"rejected","idempotency_key":"call-7-1",...}}
 *
 * Every code, and what a voice bot should do on it, is in docs/errors.md; every member of the configuration, the
 * requests and the replies is in docs/json-contract.md.
 *
 * Reading.    pbk_json_get() reads a value from a reply, pbk_json_quote() writes a text
 *             into a request. A host needs no JSON library.
 *
 * Encoding.   Every string is UTF-8 and ends with a NUL byte. Text that is not UTF-8 is refused, never repaired.
 *             (pbk_json_quote() alone repairs.)
 *
 * Ownership.  Strings you pass in are borrowed until the function returns. Every `char *` you get back is yours: give
 *             it to pbk_string_free(), on success and on failure alike. A `const char *` is static, or belongs to its
 *             completion and goes with that: never free it. Outputs are written whole or not at all.
 *
 * Handles.    A pbk_client is a number in a pointer's clothes. It is looked up and never dereferenced, so a handle that
 *             is NULL, closed or garbage gives an error. A handle value is never used again after its client is closed.
 *
 * Threads.    Call any function from any thread at any time, also for the same client.
 *             Each client owns one thread that does all network work, one that watches it,
 *             and with a journal one that waits for the disk. The calling thread only
 *             checks, waits and copies. In a child after fork() inherited handles are
 *             closed: open new ones there.
 *
 * Blocking.   Six functions wait: pbk_search_availability(), pbk_create_booking(),
 *             pbk_lookup_customer(), pbk_call_tool(), pbk_next_completion() and
 *             pbk_client_close(). pbk_client_set_log() waits while your log callback runs.
 *             A thread that serves audio hands calls over with
 *             pbk_submit(). It gets their completions by a callback, or from the client's
 *             completion queue.
 *
 * Platforms.  An engine on a platform's own premises needs no Partner API between the two: {"endpoint":"platform_webhook",
 *             "platforms":{...}} relays requests to the platform's webhook, signed. Platforms verify what arrives there with
 *             pbk_webhook_verify(). docs/platform-webhook.md has both sides.
 *
 * Safety.     While there is memory, no function here raises a signal, throws, exits or
 *             changes process-wide state (locale, signal handlers, environment, working
 *             directory). The library is never unloaded by dlclose(): its threads may still run.
 *
 * Memory.     When memory is out, the process ends: Swift's allocator cannot fail, it
 *             traps. Only the copy of a returned string can fail: then the function
 *             returns NULL with PBK_RESOURCE_UNAVAILABLE. A journal keeps the bookings.
 *
 * Stack.      pbk_client_open() needs 37 kB, pbk_call_tool() and pbk_submit() of a tool call
 *             31 kB, pbk_when() 25 kB, every other function at most 20 kB.
 *             docs/embedding.md names the program that measures it.
 *
 * Cancelling. A function that can wait or take a lock holds pthread_cancel() off until it
 *             returns. What it returns is lost with a thread that is cancelled meanwhile.
 *
 * Usage, where a thread may wait (examples-c/ has the others: an epoll loop, callbacks, barge-in):
 *
 *     char *error = NULL;
 *     pbk_client *client = pbk_client_open("{\"endpoint\":\"sandbox\"}", &error, NULL);
 *     if (client == NULL) { fprintf(stderr, "%s\n", error); pbk_string_free(error); return 1; }
 *
 *     pbk_status status;
 *     char *reply = pbk_search_availability(client,
 *         "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"query\":{\"filter\":{\"start_at_range\":"
 *         "{\"start_at\":\"2030-01-14T00:00:00Z\",\"end_at\":\"2030-01-15T00:00:00Z\"}}}}", &status);
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

/** The version of this header, MAJOR.MINOR.PATCH. pbk_version() tells that of the library that is running. */
#define PBK_VERSION "0.1.0"
/** The first number of PBK_VERSION. */
#define PBK_VERSION_MAJOR 0
/** The second number of PBK_VERSION. */
#define PBK_VERSION_MINOR 1
/** The third number of PBK_VERSION. */
#define PBK_VERSION_PATCH 0

/** Marks what the library exports. */
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

/** Names one submitted call of a client. Never 0, and never given twice by the same client. Since 0.1. */
typedef uint64_t pbk_ticket;

/** What became of a submitted call. Opaque; read with pbk_completion_...(), and free with pbk_completion_free(). Since 0.1. */
typedef struct pbk_completion pbk_completion;

/** What to ask of the service. The values are stable. Since 0.1. */
typedef enum pbk_operation {
    PBK_SEARCH_AVAILABILITY = 1, /**< As pbk_search_availability() asks. */
    PBK_CREATE_BOOKING = 2,      /**< As pbk_create_booking() asks. */
    PBK_LOOKUP_CUSTOMER = 3,     /**< As pbk_lookup_customer() asks. */
    PBK_CALL_TOOL = 4            /**< As pbk_call_tool() asks. */
} pbk_operation;

/**
 * The kind of a completion. New values may be added: free a completion whose event you do
 * not know. Since 0.1.
 */
typedef enum pbk_event {
    /** The call has ended. Exactly one for each ticket, and the last. */
    PBK_EVENT_DONE = 1,
    /**
     * "slow_after_ms" have passed and the call goes on. At most one for each ticket,
     * before the end. Say "one moment, please", once a turn.
     */
    PBK_EVENT_SLOW = 2,
    /**
     * A booking whose call ended with PBK_OUTCOME_UNKNOWN is settled. PBK_OK: it was
     * booked. Comes once for each such booking, with "report_settled" only, and from
     * pbk_next_completion() only. Ticket 0, context NULL: pbk_completion_key() and
     * pbk_completion_tag() identify it.
     */
    PBK_EVENT_SETTLED = 3
} pbk_event;

/**
 * How a call ended, coarse enough for a switch and for a metric label. The "error" object of the reply says more.
 * pbk_reply_status() reads it from a reply.
 *
 * Values are stable, and a retired one is never used again. New ones may be added: treat a value you do not know as a
 * failure. Up to 69 the name in lower case without its prefix is the reply's "code"; from 80 on the service answered, and
 * "code" and "message" are its own words, or "code" is "http_error" when it gave none.
 */
typedef enum pbk_status {
    /** The reply is the service's, and holds "availabilities", "booking" or "found". */
    PBK_OK = 0,

    /* Your side; the same call fails again until it is corrected. For a booking, "outcome" says whether it may have been made,
       here and everywhere below. */
    PBK_INVALID_ARGUMENT = 1, /**< A pointer is NULL that must not be, or a text is longer than its limit. */
    PBK_INVALID_CLIENT = 2,   /**< The handle is NULL or never came from pbk_client_open(). */
    PBK_CLIENT_CLOSED = 3,    /**< The client was closed before the call, or while it was under way. */
    PBK_INVALID_CONFIG = 4,   /**< A member of the configuration is wrong; "field" names it. */
    PBK_INVALID_JSON = 5,     /**< Not JSON; "offset" is the byte where it stops being JSON. */
    PBK_INVALID_FIELD = 6,    /**< A member of the request is missing or wrong; "field" names it. */
    PBK_CANCELLED = 7,        /**< pbk_cancel() ended the call. */
    PBK_WOULD_DEADLOCK = 8,   /**< A function that waits was called from a callback. */
    PBK_IDEMPOTENCY_KEY_REUSED = 9, /**< The key belongs to another booking, which
                                         "existing" describes. Nothing was sent. */
    PBK_NOT_RECORDED = 10,    /**< "resume" or "give_up" of a key under which nothing is
                                   recorded, or whose booking was not made. */
    PBK_UNSUPPORTED_OPERATION = 11, /**< The endpoint has no such operation: the Partner API looks up no customers. */
    PBK_UNKNOWN_BOT = 12,     /**< With "platform_webhook": "platforms" does not name the request's "bot_id". */
    PBK_NO_WEBHOOK = 13,      /**< With "platform_webhook": "platforms" names the bot, but no "webhook_url" for it. */
    PBK_ACCOUNT_CHANGED = 14, /**< With "platform_webhook": the booking in doubt was sent in another account than its bot has now. */
    PBK_UNKNOWN_TIME_ZONE = 15, /**< There is no such time zone, or its file is damaged. */
    PBK_TIME_UNCLEAR = 16,      /**< pbk_when(): the text is not understood; "field" names
                                     it. */
    PBK_PHONE_UNCLEAR = 17,     /**< pbk_phone(): the text is not understood; "reason" says
                                     why. */

    /* This library or this machine. */
    PBK_QUEUE_FULL = 20,           /**< As many calls as "max_in_flight" and "max_queued" allow are accepted and not over. */
    PBK_RESOURCE_UNAVAILABLE = 21, /**< Out of memory, threads or descriptors. */
    PBK_JOURNAL_UNAVAILABLE = 22,  /**< The journal could not be opened, or did not take the booking, which was not sent then. */
    PBK_JOURNAL_LOCKED = 23,       /**< Another client, in this process or another, has the journal open. */
    PBK_CIRCUIT_OPEN = 24,         /**< The service failed too often in a row, and is left alone for a moment. */
    PBK_LEDGER_FULL = 25,          /**< Too many bookings of the service are in doubt or in
                                        flight. This one was not sent. */

    /* The network. */
    PBK_TIMEOUT = 40,         /**< No definite answer came within "timeout_ms"; of pbk_next_completion(): none came in time. */
    PBK_DNS_FAILED = 41,      /**< The host name did not resolve. */
    PBK_CONNECT_FAILED = 42,  /**< No connection could be made. */
    PBK_TLS_FAILED = 43,      /**< The TLS handshake failed or the certificate is not to be trusted; "message" says why. */
    PBK_CONNECTION_LOST = 44, /**< The connection broke after it was made. */
    PBK_PROXY_FAILED = 45,    /**< The proxy's name did not resolve, or it refused. */
    PBK_ADDRESS_REFUSED = 46, /**< The webhook's host has a private address, and "private_hosts" does not name it. */

    /* The reply cannot be used, is not a success, or has not come. */
    PBK_INVALID_REPLY = 60,   /**< Not JSON, or not of the promised outer shape. */
    PBK_REPLY_TOO_LARGE = 61, /**< Longer than "max_reply_bytes". */
    PBK_NOT_CONFIRMED = 62,   /**< The platform declined or cancelled the booking. There
                                   is no appointment. */
    PBK_OTHER_BOOKING = 63,   /**< The reply contains another start than the request. The
                                   booking may exist. */
    PBK_IN_DOUBT = 64,        /**< The booking was sent and is not settled. "doubt"
                                   contains the last answer. */

    /* The service said no. */
    PBK_UNAUTHORIZED = 80,     /**< HTTP 401 or 403: the API key, the bot or the signature is not accepted. */
    PBK_SLOT_UNAVAILABLE = 81, /**< HTTP 409 about the slot. Nothing was booked. Offer
                                    another slot. */
    PBK_REFUSED = 82,          /**< Any other HTTP 3xx or 4xx. */
    PBK_RATE_LIMITED = 83,     /**< HTTP 429, also after the retries. */
    PBK_SERVICE_FAILED = 84    /**< HTTP 5xx, also after the retries. */
} pbk_status;

/**
 * What pbk_webhook_verify() found. Values are stable, and a retired one is never used again. New ones may be added: whatever is not
 * PBK_WEBHOOK_VALID is refused. Since 0.1.
 */
typedef enum pbk_webhook_verdict {
    PBK_WEBHOOK_VALID = 0,               /**< Signed with one of the secrets, and recent. */
    PBK_WEBHOOK_INVALID_ARGUMENT = 1,    /**< Your side: no secret, an empty one, more than 16, no body, or a negative time. */
    PBK_WEBHOOK_SIGNATURE_MISSING = 2,   /**< The header is NULL or empty. */
    PBK_WEBHOOK_SIGNATURE_MALFORMED = 3, /**< The header is not "t=<seconds>,v1=<hex>", as the protocol has it. */
    PBK_WEBHOOK_SIGNATURE_MISMATCH = 4,  /**< Signed with another secret, or over another body or time. */
    PBK_WEBHOOK_TIMESTAMP_TOO_OLD = 5,   /**< Rightly signed, but too long ago: sent again by somebody, or a clock is wrong. */
    PBK_WEBHOOK_TIMESTAMP_IN_FUTURE = 6  /**< Rightly signed, but for a time too far ahead: a clock is wrong. */
} pbk_webhook_verdict;

/**
 * The meaning of a failed booking: of pbk_completion_outcome() and pbk_reply_outcome().
 * Since 0.1.
 */
typedef enum pbk_outcome {
    PBK_OUTCOME_NONE = 0,     /**< Not a booking that failed. */
    PBK_OUTCOME_NOT_SENT = 1, /**< This client sent nothing under the key that can have
                                   booked. */
    PBK_OUTCOME_REJECTED = 2, /**< Every request under the key was refused. Nothing was
                                   booked. */
    PBK_OUTCOME_UNKNOWN = 3   /**< It may have booked: repeat with the same key, never with a new one. */
} pbk_outcome;

/** The grades of log lines, from the gravest on, and PBK_LOG_OFF. */
typedef enum pbk_log_level {
    PBK_LOG_OFF = 0,     /**< No line. */
    PBK_LOG_ERROR = 1,   /**< Bookings are refused, or no longer protected: somebody has to
                              act. */
    PBK_LOG_WARNING = 2, /**< A booking is in doubt, or a service is left alone for a while. */
    PBK_LOG_INFO = 3,    /**< Other failures, and how they were dealt with. */
    PBK_LOG_DEBUG = 4    /**< Each attempt, and each end of a call. */
} pbk_log_level;

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
 * @param status       Where to put the status: PBK_OK, or why there is no client. May be NULL.
 * @return The client, to be closed with pbk_client_close(); NULL on failure.
 * Any thread. Starts the client's thread, which begins to connect at once so that the first call finds a connection; reads the
 * CA file and the journal if they are named ("journal_path": one journal belongs to one client, others get PBK_JOURNAL_LOCKED;
 * "journal_dir": each client finds one in it, and may wait up to 2.5 s for others that open there); does not wait for the
 * network. Since 0.1.
 */
PBK_API pbk_client *pbk_client_open(const char *config_json, char **error_json, pbk_status *status);

/**
 * Closes a client: refuses new calls, lets those under way finish, ends the rest, and stops the client's thread.
 *
 * Within the same time it also waits for background bookings, whose calls have ended. A
 * booking that is not settled by then stays in doubt. A journal keeps it. Such bookings
 * do not make the result PBK_TIMEOUT.
 *
 * Every call under way is still completed, at the latest when the time is up; one that was ended gets "client_closed", for a
 * booking with the "outcome" that is true for it. 0 ends all of them at once. No callback begins after the return.
 * Completions that nobody has taken from the queue yet can be taken after the close, until there are none; do so, since they
 * keep their memory. The descriptor of pbk_client_fd() must not be used any more.
 *
 * @param client      The client. NULL, closed and garbage handles are told by the return value. When two threads close
 *                    one client, the first closes it and the second gets PBK_CLIENT_CLOSED at once.
 * @param timeout_ms  How long calls under way may go on, in milliseconds, 0 to 600000. Less counts as 0, more as 600000.
 * @return PBK_OK when no call had to be ended, PBK_TIMEOUT when some were (the client is closed all the same),
 *         PBK_INVALID_CLIENT, PBK_CLIENT_CLOSED, or from a callback PBK_WOULD_DEADLOCK (the client stays open).
 * Any thread. Blocks for at most `timeout_ms` and two seconds, also while a name is being resolved. When a callback of yours does not
 * return in that time, or the machine gives the client's thread none of its own, that callback and the calls that are left
 * stay behind without a completion, and a journal knows their bookings as pending. Since 0.1.
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
 * Any thread but that of a callback; calls may overlap. Blocks until the reply or the deadline: the request's "timeout_ms",
 * else the configuration's, else 5 seconds. A machine in trouble may add one second, not more. Since 0.1.
 */
PBK_API char *pbk_search_availability(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Books an appointment slot and waits for the outcome.
 *
 * The request's "idempotency_key" names the booking: one key, one booking.
 *
 * - The key of a booking in flight: the call shares its request and its reply.
 * - The key of a booking that was made: the call returns the recorded reply.
 * - The key of another booking: PBK_IDEMPOTENCY_KEY_REUSED. Two requests ask for the same
 *   booking if they differ only in the spelling of "start_at" (the instant counts), in
 *   spelling and order, or in members that are missing, null or "".
 *
 * After an error with "outcome":"unknown" repeat the call with the same key, never with a
 * new one, or send {"idempotency_key":"...","resume":true} alone.
 *
 * The library never forgets a booking in doubt. A person can give one up:
 *
 *     {"idempotency_key":"...","give_up":true}
 *     {"give_up":true,"bot_id":"...","start_before":"2030-01-14T09:00:00-05:00"}
 *
 * The second form gives up the bookings in doubt of a bot that start before a moment. This
 * sends nothing. The reply is {"given_up":[...],"kept":[...]}, with items as in
 * pbk_pending_bookings(). A booking with a call under way, or that has ended, is kept.
 *
 * "conversation", 1 to 256 bytes, names the phone call. It is not sent. The journal keeps
 * it, and pbk_pending_bookings() lists it. See docs/exactly-once.md.
 *
 * The host has heard the end of a booking one second after this function has returned it.
 *
 * The library does not abandon a booking that was sent. If it is not settled at the
 * deadline, the call ends with "outcome":"unknown", and the request continues in the
 * background. Then the library asks again with the same key, for at most "settle_for_ms"
 * (not with "platform_keys":"none"). A repeat of the key joins the background request.
 *
 * @param client        The client. NULL, closed and garbage handles give an error reply.
 * @param request_json  {"bot_id":...,"idempotency_key":...,"booking":{"start_at":...,"duration_minutes":...,"customer":
 *                      {"phone":...,"name":...}}}; may hold "timeout_ms", "tag" and "traceparent". Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free: {"booking":{...}} from the service, or {"error":{...}} with an
 *         "outcome", as pbk_outcome describes it: "not_sent", "rejected" or "unknown". NULL
 *         only when memory is out (status PBK_RESOURCE_UNAVAILABLE): repeat the call with the
 *         same key then.
 * Any thread but that of a callback; calls may overlap. Blocks until the outcome or the deadline: the request's "timeout_ms",
 * else the configuration's, else 35 seconds (the service itself waits up to 30 for the platform). A machine in trouble may add
 * one second, not more. Since 0.1.
 */
PBK_API char *pbk_create_booking(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Looks a customer up by phone number and waits for the reply: who is calling, and which appointment they have.
 *
 *     char *reply = pbk_lookup_customer(client,
 *         "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\",\"customer\":{\"phone\":\"+15551234567\"}}", &status);
 *
 * A platform's webhook knows that ("endpoint":"platform_webhook"), and so does the sandbox. The Partner API has no such operation: a
 * client of it gives PBK_UNSUPPORTED_OPERATION, and sends nothing.
 *
 * @param client        The client. NULL, closed and garbage handles give an error reply.
 * @param request_json  {"bot_id":...,"customer":{"phone":...}}, the phone number in E.164; may hold "timeout_ms", "tag" and
 *                      "traceparent". Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free: {"found":false}, or {"found":true,"customer":{"name":...,"phone":...,"existing_appointment":
 *         {"start_at":...,"end_at":...,"status":...}}} from the platform (the appointment is left out when there is none), or
 *         {"error":{...}}. NULL only when memory is out (status PBK_RESOURCE_UNAVAILABLE).
 * Any thread but that of a callback; calls may overlap. Blocks until the reply or the deadline: the request's "timeout_ms",
 * else the configuration's, else 5 seconds. A machine in trouble may add one second, not more. Since 0.1.
 */
PBK_API char *pbk_lookup_customer(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Is told of a submitted call, on the client's transfer thread: return soon, and wait for nothing, since every other call of
 * the client waits meanwhile. It may call any function that does not wait, pbk_submit() and pbk_cancel() among them.
 *
 * @param context     What was given to pbk_submit().
 * @param completion  The completion, never NULL. Yours: free it with pbk_completion_free(), here or later, on any thread.
 * Since 0.1.
 */
typedef void (*pbk_callback)(void *context, pbk_completion *completion);

/**
 * Hands over a call and returns at once.
 *
 * Every ticket ends in exactly one completion of PBK_EVENT_DONE: with the service's reply, with an error, when it was
 * cancelled, when its time was up, or when the client was closed. With "slow_after_ms" in the request or in the configuration
 * a PBK_EVENT_SLOW may come before. A call that is refused here has no ticket and no completion.
 *
 *     pbk_ticket search;
 *     if (pbk_submit(client, PBK_SEARCH_AVAILABILITY, request, &search, NULL, on_completion, call) != PBK_OK) ...
 *
 * @param client        The client.
 * @param operation     What to ask.
 * @param request_json  The request, as the operation's blocking function takes it; borrowed. NULL is an error.
 * @param ticket        Where to put the ticket; 0 when the call is refused. It is written before a callback can run. May be NULL.
 * @param error_json    Where to put the error reply when the call is refused (yours to free; NULL when memory is out), NULL
 *                      when it is accepted. May be NULL.
 * @param callback      Gets the completion. NULL: it waits in the client's completion queue instead.
 * @param context       Handed to the callback, and by pbk_completion_context(). May be NULL.
 * @return PBK_OK, or why the call was refused: the request is wrong, PBK_QUEUE_FULL, or the client is closed. The same is in
 *         `error_json`, with "field" and the like.
 * Any thread, callbacks too. Never waits for network, resolver or file: it checks and copies the request, and wakes the transfer
 * thread. Since 0.1.
 */
PBK_API pbk_status pbk_submit(pbk_client *client, pbk_operation operation, const char *request_json, pbk_ticket *ticket,
                              char **error_json, pbk_callback callback, void *context);

/**
 * Asks for a call to be ended.
 *
 * The call always gets its completion: "cancelled", or the reply if it came first. A
 * search is stopped. Over HTTP/2 its connection is kept. For a booking:
 *
 * - Not sent yet: "not_sent". If the key was in doubt before, or another call shares it:
 *   "unknown".
 * - Sent: "unknown". The API cannot cancel an appointment. The library reads the answer
 *   and sends nothing more for this key until you repeat it.
 * - Refused so far, for example with HTTP 429, and waiting for a retry: "rejected".
 * - With "detach":true in its request: it is not cancelled, and completes.
 *
 * @param client  The client.
 * @param ticket  The call. One that is over already is left alone.
 * @return PBK_OK, also for a call that is over; PBK_INVALID_ARGUMENT for a ticket this client never gave; PBK_INVALID_CLIENT or
 *         PBK_CLIENT_CLOSED.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API pbk_status pbk_cancel(pbk_client *client, pbk_ticket ticket);

/**
 * A descriptor for your own loop (poll, epoll, asyncio): readable as long as a completion waits in the queue, level-triggered.
 *
 * On readable, call pbk_next_completion(client, 0, NULL) until it gives NULL. Do not read, write or close the descriptor. It is one
 * for the life of the client, and goes with pbk_client_close().
 *
 * @param client  The client.
 * @return The descriptor, or -1 when the client is closed or garbage, or no descriptor is left on this machine.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API int pbk_client_fd(pbk_client *client);

/**
 * Takes the oldest completion from the client's queue, where those of calls submitted
 * without a callback wait, and the reports of "report_settled".
 *
 * Take them: a completion that waits counts against "max_in_flight" and "max_queued".
 * Reports do not: at most 1,000 wait.
 *
 * @param client      The client; also a closed one that has completions left.
 * @param timeout_ms  How long to wait for one, in milliseconds, 0 to 600000. Less counts as 0, more as 600000.
 * @param status      Where to put PBK_OK, PBK_TIMEOUT (none came in time), PBK_CLIENT_CLOSED (closed, and none will come),
 *                    or PBK_INVALID_CLIENT. May be NULL.
 * @return The completion, to be freed with pbk_completion_free(), or NULL.
 * Any thread, and several at once: each completion goes to one of them. From a callback it never waits. Since 0.1.
 */
PBK_API pbk_completion *pbk_next_completion(pbk_client *client, int32_t timeout_ms, pbk_status *status);

/**
 * Returns the kind of the completion.
 *
 * @param completion  The completion, or NULL.
 * @return The event. 0 for NULL.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API pbk_event pbk_completion_event(const pbk_completion *completion);

/**
 * Returns the operation of the call.
 *
 * @param completion  The completion, or NULL.
 * @return The operation. PBK_CREATE_BOOKING for PBK_EVENT_SETTLED. 0 for NULL.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API pbk_operation pbk_completion_operation(const pbk_completion *completion);

/**
 * The ticket it belongs to.
 *
 * @param completion  The completion, or NULL.
 * @return The ticket. 0 for PBK_EVENT_SETTLED and for NULL.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API pbk_ticket pbk_completion_ticket(const pbk_completion *completion);

/**
 * Returns the context given to pbk_submit(). NULL for PBK_EVENT_SETTLED.
 *
 * @param completion  The completion, or NULL.
 * @return The context. NULL for NULL.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API void *pbk_completion_context(const pbk_completion *completion);

/**
 * Returns how the call ended, as the blocking functions do. For PBK_EVENT_SETTLED: how
 * the booking ended.
 *
 * @param completion  The completion, or NULL.
 * @return The status. PBK_OK for PBK_EVENT_SLOW, PBK_INVALID_ARGUMENT for NULL, PBK_RESOURCE_UNAVAILABLE when memory was out for the
 *         reply (which is then NULL: repeat a booking with the same key).
 * Any thread; never blocks. Since 0.1.
 */
PBK_API pbk_status pbk_completion_status(const pbk_completion *completion);

/**
 * Returns the outcome of a booking that failed.
 *
 * @param completion  The completion, or NULL.
 * @return The outcome. PBK_OUTCOME_NONE for all else, and for NULL.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API pbk_outcome pbk_completion_outcome(const pbk_completion *completion);

/**
 * The reply: JSON as the blocking functions give it, {"error":{...}} included.
 *
 * @param completion  The completion, or NULL.
 * @return The reply. NULL for PBK_EVENT_SLOW and for NULL. Borrowed: valid until pbk_completion_free().
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_completion_reply(const pbk_completion *completion);

/**
 * The length of the reply in bytes, without its NUL byte.
 *
 * @param completion  The completion, or NULL.
 * @return The length. 0 where there is no reply.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API size_t pbk_completion_reply_length(const pbk_completion *completion);

/**
 * The request's "tag".
 *
 * @param completion  The completion, or NULL.
 * @return The tag. NULL where there is none, and for NULL. Borrowed: valid until pbk_completion_free().
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_completion_tag(const pbk_completion *completion);

/**
 * Returns the "idempotency_key" of a booking's request.
 *
 * @param completion  The completion, or NULL.
 * @return The key. NULL for other operations and for NULL. Borrowed: valid until
 *         pbk_completion_free().
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_completion_key(const pbk_completion *completion);

/**
 * Where the time went: {"total_us":...,"queue_us":...,"attempts":...,...}, member by member in docs/json-contract.md. Holds
 * nothing personal.
 *
 * @param completion  The completion, or NULL.
 * @return The timing, as JSON. NULL for NULL. Borrowed: valid until pbk_completion_free().
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_completion_timing(const pbk_completion *completion);

/**
 * Frees a completion and all that was borrowed from it.
 *
 * If the completion is the end of a booking, the host has heard that end: the booking
 * leaves the list of pbk_pending_bookings(). So use the end first, then free the
 * completion. Free completions before you close the client: afterwards the journal does
 * not record it, and the next client lists the booking once more.
 *
 * @param completion  The completion; NULL is allowed and does nothing. A completion is freed once.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API void pbk_completion_free(pbk_completion *completion);

/**
 * Gets a connection ready in the background, so that the next call finds one: call it when the phone rings.
 *
 * A client does so by itself when it opens, keeps its connection in use while it is idle ("keep_warm_ms"), and replaces one
 * that died. So this is needed only by hosts that turned that off, and does no harm in others. With "platform_webhook" it is one
 * connection to each of the first 64 servers that "platforms" names; to the others connections are made by calls.
 *
 * @param client  The client.
 * @return PBK_OK, PBK_INVALID_CLIENT or PBK_CLIENT_CLOSED. Whether a connection could be made is told by the next call.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API pbk_status pbk_prewarm(pbk_client *client);

/**
 * Derives the idempotency key of a booking from what is booked and in which call.
 *
 * For engines whose language model may call its booking tool twice: however often it repeats a booking within one phone call,
 * the key is the same, and so there is one booking. When the caller corrects the time, the key is another one. The call id, the
 * bot, the start as an instant (to the second; its offset makes no difference), the duration and the phone count; names and notes do not.
 * Use pbk_random_key() instead where the same caller may want the same slot again within one call, after a cancellation:
 * docs/exactly-once.md tells both stories.
 *
 * @param call_id       Names the phone call: 1 to 256 bytes. Borrowed. NULL is an error.
 * @param request_json  The request as for pbk_create_booking(); its "idempotency_key" may be missing. Borrowed. NULL is an error.
 * @param error_json    Where to put the error reply on failure (yours to free; NULL when memory is out), NULL on success.
 *                      May be NULL.
 * @param status        Where to put the status: PBK_OK, or why there is no key. May be NULL.
 * @return The key, yours to free; NULL when the request is wrong or memory is out (status PBK_RESOURCE_UNAVAILABLE).
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API char *pbk_booking_key(const char *call_id, const char *request_json, char **error_json, pbk_status *status);

/**
 * Makes an idempotency key that nobody has had before. Make it once for each booking that the caller wants, and keep it for
 * all repetitions of that.
 *
 * @return The key, yours to free; NULL when memory is out.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API char *pbk_random_key(void);

/**
 * Lists the bookings whose end the host has not heard, oldest first. With a journal
 * ("journal_path" or "journal_dir") it includes those of earlier processes.
 *
 * The host has heard an end when it has freed the completion, or one second after a
 * blocking call has returned it. The journal records that about a second later. So after a
 * crash a booking may be listed although the host has heard its end: at least once.
 *
 * Each item has "idempotency_key", "bot_id", "start_at", "duration_minutes",
 * "recorded_at", "state", "in_flight", "expired" (its start has passed), and
 * "conversation" if the request had one. It contains no customer data. The states:
 *
 * - "in_flight": a request is under way. A resume joins it.
 * - "in_doubt": it may have been made. A resume settles it. Only that or a "give_up" ends it.
 * - "booked": it was made. A resume returns the reply.
 * - "refused": it was not made, and the key is free. A resume returns PBK_NOT_RECORDED
 *   with the outcome "not_sent" or "rejected".
 *
 * To resume one, call pbk_create_booking() with
 *
 *     {"idempotency_key":"...","resume":true}
 *
 * It leaves the list when the host has heard the end of that call. Ends that nobody hears
 * leave it after "booking_retention_minutes". "journal" describes the damage that was
 * found when the journal was opened, or is null.
 *
 * @param client  The client.
 * @param status  Where to put the status; may be NULL.
 * @return JSON, yours to free: {"pending_bookings":[...],"journal":...} or {"error":{...}}. NULL only when memory is out.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API char *pbk_pending_bookings(pbk_client *client, pbk_status *status);

/**
 * Lists the bookings that the embedded sandbox has made: what would be in a service's books. For tests.
 *
 * @param client  A client with "endpoint":"sandbox"; others get PBK_INVALID_ARGUMENT.
 * @param status  Where to put the status; may be NULL.
 * @return JSON, yours to free: {"bookings":[{"idempotency_key":...,"id":...,"bot_id":...,"start_at":...,"end_at":...},...]},
 *         oldest first, or {"error":{...}}. NULL only when memory is out.
 * Any thread, callbacks too; never blocks. Since 0.1.
 */
PBK_API char *pbk_sandbox_bookings(pbk_client *client, pbk_status *status);

/**
 * Returns the status of a reply: what the call that gave it put into its `status`.
 *
 *     char *reply = pbk_create_booking(client, request, NULL);
 *     if (pbk_reply_status(reply) == PBK_SLOT_UNAVAILABLE) ...        // offer another slot
 *
 * @param reply  A reply or an error reply of this library, from any function. Borrowed.
 * @return PBK_OK for a reply without "error". For an error reply the status of its call.
 *         PBK_INVALID_ARGUMENT for NULL. PBK_INVALID_JSON for a text that is no reply:
 *         not JSON, not an object, or with an "error" that this library does not write.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API pbk_status pbk_reply_status(const char *reply);

/**
 * Returns the outcome of a booking from its reply.
 *
 *     char *reply = pbk_create_booking(client, request, NULL);
 *     if (pbk_reply_outcome(reply) == PBK_OUTCOME_UNKNOWN) ...    // repeat the key
 *
 * @param reply  The reply. Borrowed.
 * @return The "outcome" of an error reply. PBK_OUTCOME_NONE for a success, and for an
 *         error reply without one. PBK_OUTCOME_UNKNOWN for NULL and for a text that is no
 *         reply: nothing is known about that booking.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API pbk_outcome pbk_reply_outcome(const char *reply);

/**
 * Returns whether the same call, unchanged, may succeed later. Repeat a booking with the
 * same key.
 *
 * @param reply  The reply. Borrowed.
 * @return 1 for an error reply with "retryable":true. 0 for every other reply, for NULL
 *         and for a text that is no reply.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API int pbk_reply_retryable(const char *reply);

/**
 * Returns how long to wait before the next try, if the service or this library named it.
 *
 * @param reply  The reply. Borrowed.
 * @return The "retry_after_ms" of an error reply, in milliseconds. -1 for every other
 *         reply, for NULL and for a text that is no reply.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API int64_t pbk_reply_retry_after_ms(const char *reply);

/**
 * Reads one value from a JSON text, for hosts without a JSON library.
 *
 *     char *start_at = pbk_json_get(reply, "/availabilities/0/start_at");
 *     char *code = pbk_json_get(reply, "/error/code");                // NULL on success
 *
 * The pointer is that of RFC 6901. "" is the whole text. Each part begins with "/" and is
 * the name of a member or the number of an element, counted from 0 without leading zeros.
 * In a name, write "~1" for "/" and "~0" for "~". Of several members with one name the
 * first counts. Each call reads the whole text, up to 128 levels deep.
 *
 * A string comes without quotes and escapes. Two things do not fit into a C string: the
 * character U+0000, and half of a surrogate pair. Both become U+FFFD. Every other value
 * comes as written: 30, true, {...}, and null as the text "null".
 *
 * @param json     The text, for example a reply. Borrowed.
 * @param pointer  The pointer. Borrowed.
 * @return The value, yours to free with pbk_string_free(). NULL when there is no such
 *         value, the text is not JSON, the pointer is malformed, an argument is NULL, or
 *         memory is out.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API char *pbk_json_get(const char *json, const char *pointer);

/**
 * Writes a text as a JSON string, with its quotes and escapes. Put everything that a
 * caller said, or that comes from elsewhere, into a request this way.
 *
 *     char *name = pbk_json_quote(said);              // Jo "J" Roe: "Jo \"J\" Roe"
 *
 * @param text  The text, UTF-8. Borrowed. Invalid bytes become U+FFFD.
 * @return The JSON string, yours to free with pbk_string_free(). NULL when `text` is NULL
 *         or memory is out.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API char *pbk_json_quote(const char *text);

/**
 * Makes slots that can be offered and booked of the reply of a search.
 *
 *     char *slots = pbk_slots(reply, "{\"time_zone\":\"America/New_York\","
 *                                    "\"offers\":3}", NULL);
 *     char *token = pbk_json_get(slots, "/offers/0/slot");          // tue15-0930u
 *     char *start_at = pbk_json_get(slots, "/offers/0/start_at");   // for the booking
 *
 * Some platforms list slots and others whole free windows, with Z, with an offset or
 * without one. This function reads all of them, cuts windows on the clinic's wall clock,
 * filters, sorts, and removes doubles. An item that it cannot read is skipped and named
 * with its index and reason. No free slot is no error: the lists are empty then.
 * docs/voice.md describes the rules, and docs/json-contract.md each member.
 *
 * @param reply_json    The reply of pbk_search_availability(), or of the platform: JSON
 *                      with a list "availabilities". Borrowed.
 * @param options_json  At most 256 KiB. Borrowed. "time_zone" (an IANA name) is required.
 *                      The length of the appointment is "duration_minutes" (1 to 1440, 30
 *                      if left out), the grid of its starts "step_minutes" (1 to 1440).
 *                      "items" is "auto", "slots" or "windows". "reading" is a reading of
 *                      pbk_when(), as it is; its members can also stand alone: "from",
 *                      "to", "weekdays", "not_before", "before", "parts", "earliest",
 *                      "around". "now", "min_notice_minutes" and "max_days_ahead" limit
 *                      the time ahead, "limit" (1 to 1000, 500) the list. "offers" (1 to
 *                      10) chooses slots, and "pick" (at most 256 bytes, with "locale")
 *                      finds the one that a text names. Other members are refused.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free with pbk_string_free(): an object with "slots", "more",
 *         "items", "skipped_count" and "skipped", and with "offers" and "picked" if they
 *         are asked for. Each slot has a "slot" (its token), "start_at" and
 *         "duration_minutes". Or {"error":{...}}, with PBK_INVALID_ARGUMENT for NULL or a
 *         longer text, PBK_INVALID_JSON, PBK_INVALID_FIELD or PBK_UNKNOWN_TIME_ZONE. NULL
 *         only when memory is out, with PBK_RESOURCE_UNAVAILABLE.
 * Any thread, callbacks too; needs no client. Does not block, except that it reads the
 * file of a time zone once. Since 0.1.
 */
PBK_API char *pbk_slots(const char *reply_json, const char *options_json,
                        pbk_status *status);

/**
 * Reads what a caller said about a day and a time.
 *
 *     char *wish = pbk_when("{\"when\":\"tomorrow\",\"time\":\"after three\","
 *                           "\"time_zone\":\"America/New_York\"}", NULL);
 *     // {"clear":true,"readings":[{"from":"2030-01-15","to":"2030-01-15",
 *     //  "not_before":"15:00","start_at":"2030-01-15T00:00:00-05:00",
 *     //  "end_at":"2030-01-16T00:00:00-05:00"}],"corrected":[],"assumed":["afternoon"]}
 *     char *reading = pbk_json_get(wish, "/readings/0");      // an option of pbk_slots()
 *
 * "start_at" and "end_at" of a reading are for pbk_search_availability(), the whole
 * reading is the "reading" of pbk_slots(). If "clear" is false there are two to four: ask
 * the caller which one is meant. Nothing is corrected or assumed without an entry in
 * "corrected" or "assumed", and words that are not understood are an error. docs/voice.md
 * describes the rules, and docs/json-contract.md each member.
 *
 * @param request_json  At most 256 KiB. Borrowed. "time_zone" (an IANA name) is required.
 *                      "when" and "time" are the caller's words, each at most 512 bytes;
 *                      either may have both, and empty ones mean any day and any time.
 *                      "locale" is en-US (if left out), en-GB, es or fr. "now" is a
 *                      date-time with offset, if it is not the clock's. "opening" has the
 *                      hours of weekdays and decides about a bare hour. "max_days_ahead"
 *                      (1 to 3660, 60) ends a wish without an end. Other members are
 *                      refused.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free with pbk_string_free(): the readings as above; or
 *         {"error":{...}}, with PBK_TIME_UNCLEAR, which has a "field" and a "reason",
 *         PBK_INVALID_ARGUMENT for NULL or a longer text, PBK_INVALID_JSON,
 *         PBK_INVALID_FIELD or PBK_UNKNOWN_TIME_ZONE. NULL only when memory is out, with
 *         PBK_RESOURCE_UNAVAILABLE.
 * Any thread, callbacks too; needs no client. Does not block, except that it reads the
 * file of a time zone once. Since 0.1.
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
 * @param request_json  At most 256 KiB. Borrowed. Exactly one of "start_at", "slot" (a
 *                      slot of pbk_slots(), or the "booking" of a reply), "slots" (1 to
 *                      24), "phone" and "duration_minutes" (1 to 1440). "time_zone" (an
 *                      IANA name) is required with a start. "locale" is en-US (if left
 *                      out), en-GB, es or fr. "now" is a date-time with offset, if it is
 *                      not the clock's: it decides about "tomorrow" and the year. "style"
 *                      is "full" (if left out), "day" or "time", "joiner" "or" (if left
 *                      out) or "and", "region" that of the phone number. Other members
 *                      are refused.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free with pbk_string_free(): {"say":"..."}, or {"error":{...}},
 *         with PBK_INVALID_ARGUMENT for NULL or a longer text, PBK_INVALID_JSON,
 *         PBK_INVALID_FIELD, PBK_UNKNOWN_TIME_ZONE or PBK_PHONE_UNCLEAR. NULL only when
 *         memory is out, with PBK_RESOURCE_UNAVAILABLE.
 * Any thread, callbacks too; needs no client. Does not block, except that it reads the
 * file of a time zone once. Since 0.1.
 */
PBK_API char *pbk_say(const char *request_json, pbk_status *status);

/**
 * Reads a phone number as it is spoken or written, for the booking and for reading it
 * back.
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
 * @param request_json  At most 256 KiB. Borrowed. "text" is required, at most 1024 bytes.
 *                      "region" (ISO 3166, such as US) is needed for a number without its
 *                      country code. "locale" is en-US (if left out), en-GB, es or fr.
 *                      Other members are refused.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free with pbk_string_free(): the number as above; or
 *         {"error":{...}}, with PBK_PHONE_UNCLEAR, which has a "reason" and, if the
 *         length is wrong, "digits_heard" and "digits_wanted", PBK_INVALID_ARGUMENT for
 *         NULL or a longer text, PBK_INVALID_JSON or PBK_INVALID_FIELD. NULL only when
 *         memory is out, with PBK_RESOURCE_UNAVAILABLE.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API char *pbk_phone(const char *request_json, pbk_status *status);

/**
 * Returns the tools with which a language model finds and books appointments, in the form
 * that its API takes, a text for its prompt, and words for the caller who waits.
 *
 *     char *reply = pbk_tools("{\"dialect\":\"openai_realtime\","
 *                             "\"voice\":{\"services\":[{\"name\":\"cleaning\"}]}}", NULL);
 *     char *tools = pbk_json_get(reply, "/tools");      // [{"type":"function",...},...]
 *     char *prompt = pbk_json_get(reply, "/prompt");    // for the instructions
 *     char *filler = pbk_json_get(reply, "/filler");    // "One moment, please." in "locale"
 *
 * Put "tools" unchanged into the request or session. The tools are find_appointment_slots
 * and book_appointment, and on request look_up_caller. Every field is required and may be
 * null, so that strict modes accept the schemas. The model passes the caller's own words.
 *
 * @param options_json  "dialect" is required: openai, openai_responses, openai_realtime,
 *                      anthropic, gemini or mcp. Others: "voice", as in the configuration,
 *                      "bot_id" for the bot's own members of it, "look_up_caller" (false).
 *                      Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL.
 * @return JSON, yours to free: {"tools":[...],"prompt":"...","filler":"..."}; or
 *         {"error":{...}}, with PBK_INVALID_JSON or PBK_INVALID_FIELD. NULL only when memory
 *         is out.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API char *pbk_tools(const char *options_json, pbk_status *status);

/**
 * Answers a tool call of a language model: returns the text for the model and the words
 * to say. Runs find_appointment_slots, book_appointment and look_up_caller.
 *
 *     pbk_call_tool(client, "{\"tool\":\"find_appointment_slots\",\"call_id\":\"call-7\","
 *                   "\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\","
 *                   "\"arguments\":{\"when\":\"tomorrow\",\"time\":\"after three\"}}", &status)
 *     {"tool":"find_appointment_slots","result":"offered","is_error":false,
 *      "text":"Offer these times, and no others: tue15-1500p (tomorrow at three ...",
 *      "say":"I have tomorrow at three in the afternoon. Does that suit you?",
 *      "slots":[{"slot":"tue15-1500p","start_at":"2030-01-15T15:00:00-05:00",
 *                "duration_minutes":30,"say":"tomorrow at three in the afternoon"}]}
 *
 * Hand the model's arguments over as they came: an object, or a text that contains one.
 * The library reads them leniently. Send "text" to the model. Speak "say", if the bot
 * speaks by itself. docs/json-contract.md describes each "result".
 *
 * Read "result" of an answer. pbk_reply_status() and the like read its "error", which may
 * be there although the status is PBK_OK.
 *
 * One conversation has one appointment, unless the arguments say "another":true. Only a
 * slot that this conversation was offered can be booked. The library makes the
 * idempotency key. A booking in doubt is settled before the next one is sent, which takes
 * at most 3 seconds.
 *
 * To call without blocking, use pbk_submit() with PBK_CALL_TOOL. pbk_cancel() then ends
 * the call with PBK_CANCELLED. It does not end a booking that was sent: the next call of
 * the conversation reports its end. With "detach":true pbk_cancel() leaves the call alone
 * once its booking is on its way: the call completes, also after a hang-up.
 *
 * @param client        The client. Its configuration needs "voice" with a "time_zone".
 * @param request_json  "tool", "call_id" and "bot_id" are required; "arguments",
 *                      "caller_phone", "speculative", "timeout_ms", "slow_after_ms", "tag",
 *                      "traceparent" and "detach" are optional. Borrowed. NULL is an error.
 * @param status        Where to put the status; may be NULL. PBK_OK whenever the model has
 *                      something to act on, also if nothing was booked.
 * @return JSON, yours to free: the answer, or {"error":{...}} with PBK_INVALID_FIELD,
 *         PBK_INVALID_JSON, PBK_CLIENT_CLOSED or PBK_WOULD_DEADLOCK. NULL only when memory
 *         is out.
 * Any thread, but not from callbacks. Blocks until the answer, at most "timeout_ms"
 * (default: 35000 to book, 5000 for the other tools). Since 0.1.
 */
PBK_API char *pbk_call_tool(pbk_client *client, const char *request_json, pbk_status *status);

/**
 * Searches ahead, for the moment when the phone rings. The next find_appointment_slots of
 * the bot then needs no round trip, for "cache_ms" of the configuration.
 *
 *     pbk_prefetch(client, "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\"}", NULL)
 *
 * @param client        The client. Its configuration needs "voice" with a "time_zone".
 * @param request_json  "bot_id" is required; "service", "timeout_ms" and "tag" are optional.
 *                      Borrowed. NULL is an error.
 * @param error_json    Where to put {"error":{...}}, yours to free, or NULL; may be NULL.
 * @return PBK_OK when the search was handed over, or when the cache is fresh. Nothing
 *         reports its end.
 * Any thread, callbacks too. Does not block. Since 0.1.
 */
PBK_API pbk_status pbk_prefetch(pbk_client *client, const char *request_json, char **error_json);

/**
 * Forgets what a conversation was offered. Call it when the caller has hung up. Its
 * bookings stay in the ledger. Without it a conversation is forgotten after an hour.
 *
 *     pbk_conversation_end(client, "{\"bot_id\":\"bot_01h2xcejqtf2nbrexx3vqjhp41\","
 *                                  "\"call_id\":\"call-7\"}", NULL)
 *
 * @param client        The client.
 * @param request_json  "bot_id" and "call_id". Borrowed. NULL is an error.
 * @param error_json    Where to put {"error":{...}}, yours to free, or NULL; may be NULL.
 * @return PBK_OK, also for a conversation that is not known.
 * Any thread, callbacks too. Does not block. Since 0.1.
 */
PBK_API pbk_status pbk_conversation_end(pbk_client *client, const char *request_json,
                                        char **error_json);

/**
 * Returns the counters since the client was opened, and gauges of the moment. Export them to
 * your metrics, for example every 15 seconds.
 *
 *     {"uptime_ms":61000,...,
 *      "calls":[{"operation":"search_availability","status":"ok","count":12,
 *                "total_ms":1890,"buckets":[0,3,5,2,1,1,0,0,0,0,0,0,0]}],
 *      "attempts":[{"result":"http_2xx","count":13},{"result":"timeout","count":1}],...
 *      "retries":1,...,"in_flight":0,"queued":0,"open_connections":1,"in_doubt":0,...}
 *
 * All words are of closed sets. Nothing in it names a bot, a call or a caller.
 * docs/json-contract.md describes each member. With "stats":false in the configuration all
 * counters are 0.
 *
 * @param client  The client.
 * @param status  Where to put the status; may be NULL.
 * @return JSON, yours to free: the object, or {"error":{...}} with PBK_INVALID_CLIENT or
 *         PBK_CLIENT_CLOSED. NULL only when memory is out.
 * Any thread, callbacks too. Does not block. Since 0.1.
 */
PBK_API char *pbk_stats(pbk_client *client, pbk_status *status);

/**
 * Takes one log line. Write it somewhere and return: the client's calls wait meanwhile.
 *
 * @param context    The context that was given to pbk_client_set_log().
 * @param level      The grade of the line.
 * @param line_json  One JSON object without a line end, UTF-8. Borrowed: gone after the
 *                   return. docs/json-contract.md describes its members.
 * Runs on the client's transfer thread alone, as completion callbacks do. No exception may
 * leave it. Since 0.1.
 */
typedef void (*pbk_log_callback)(void *context, pbk_log_level level, const char *line_json);

/**
 * Switches the log on, or off. It is off at first, and then costs nothing.
 *
 *     pbk_client_set_log(client, PBK_LOG_INFO, write_line, log_file)
 *
 * Lines tell of calls, attempts and why they ended, retries, circuit breakers, the journal,
 * and bookings that were settled. They contain no API key, no secret, no idempotency key and
 * nothing that callers told. "ticket" and "tag" name the call.
 *
 * At most 1,024 lines wait for the callback. More are lost, and counted: the next line has
 * "lost", and pbk_stats() has "log_lines_dropped".
 *
 * @param client    The client.
 * @param level     The lines up to this level are sent. PBK_LOG_OFF: none.
 * @param callback  Takes the lines. Ignored with PBK_LOG_OFF, else NULL is an error.
 * @param context   Handed to the callback. May be NULL.
 * @return PBK_OK, PBK_INVALID_ARGUMENT, PBK_INVALID_CLIENT or PBK_CLIENT_CLOSED.
 *         PBK_WOULD_DEADLOCK in a callback of another client. After the return the callback
 *         from before is not called any more. pbk_client_close() ends the log, too.
 * Any thread, and callbacks of this client. Waits for a line that is being handed over, and
 * up to one second for those that wait, but not on the transfer thread. Hold no lock that
 * the callback takes. Since 0.1.
 */
PBK_API pbk_status pbk_client_set_log(pbk_client *client, pbk_log_level level,
                                      pbk_log_callback callback, void *context);

/**
 * Verifies the signature of a webhook request, for platforms: whether it comes from somebody who has the secret, is whole, and is
 * recent. Give it the body as it arrived, byte for byte, before anything parses it.
 *
 *     const char *secret = getenv("WEBHOOK_SECRET");
 *     pbk_webhook_verdict verdict = pbk_webhook_verify(&secret, 1, header, body, body_length, 0, 0);
 *     if (verdict != PBK_WEBHOOK_VALID) return answer(401, pbk_webhook_verdict_text(verdict));
 *
 * The header is X-DialStack-Signature: "t=<seconds>,v1=<hex>", the lower-case HMAC-SHA256 of "<seconds>.<body>". It is read
 * strictly: elements "scheme=value" apart by single commas, at most 4096 bytes, no white space; one `t` of 1 to 15 digits without
 * leading zeros; one or more `v1`, of which one has to match (what is not 64 lower-case digits matches nothing). Other schemes
 * are ignored. Comparing takes the same time whatever matches.
 *
 * @param secrets            The webhook's secrets, any of which may have signed: two while one replaces the other. None may be
 *                           NULL or empty. Borrowed.
 * @param secret_count       How many there are, 1 to 16.
 * @param signature_header   The header's value. NULL and "" say that there was none. Borrowed.
 * @param body               The body. NULL only with a length of 0. Borrowed.
 * @param body_length        Its length in bytes.
 * @param now                The time, in seconds since 1970; 0: the system's clock.
 * @param tolerance_seconds  How far the signature's time may be off, in seconds; 0: 300, as the protocol has it.
 * @return PBK_WEBHOOK_VALID, or why the request is to be refused. The time is looked at last: that it is off is only told of a request
 *         that is rightly signed.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API pbk_webhook_verdict pbk_webhook_verify(const char *const *secrets, size_t secret_count, const char *signature_header,
                                               const void *body, size_t body_length, int64_t now, int64_t tolerance_seconds);

/**
 * A verdict in words, for a log line or an answer: "the signature does not match". Tells nothing of the secret.
 *
 * @param verdict  Any value, also one this library does not know.
 * @return A static string, never NULL. Do not free it.
 * Any thread; never blocks. Since 0.1.
 */
PBK_API const char *pbk_webhook_verdict_text(pbk_webhook_verdict verdict);

/**
 * Signs the body of a webhook request, as a client with "platform_webhook" does: for the tests of platforms.
 *
 * @param secret       The webhook's secret, not empty. Borrowed.
 * @param body         The body as it will be sent. NULL only with a length of 0. Borrowed.
 * @param body_length  Its length in bytes.
 * @param timestamp    When, in seconds since 1970, at most 15 digits; 0: the system's clock.
 * @return The value of the header X-DialStack-Signature, yours to free: "t=1705312800,v1=5257a8...". NULL when an argument is
 *         wrong (no secret, no body, no such time) or memory is out.
 * Any thread, callbacks too; needs no client; never blocks. Since 0.1.
 */
PBK_API char *pbk_webhook_sign(const char *secret, const void *body, size_t body_length, int64_t timestamp);

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
