/*
 * Includes the public header and nothing before it: it must be complete, and clean C99 and C++17,
 * with C linkage. A function whose prototype drifts from the type below does not compile; one that
 * is not exported does not link.
 */
#include "partnerbooking.h"

static const char *(*volatile version)(void) = pbk_version;
static const char *(*volatile status_text)(pbk_status) = pbk_status_text;
static pbk_client *(*volatile client_open)(const char *, char **, pbk_status *) = pbk_client_open;
static pbk_status (*volatile client_close)(pbk_client *, int32_t) = pbk_client_close;
static char *(*volatile search_availability)(pbk_client *, const char *, pbk_status *) = pbk_search_availability;
static char *(*volatile create_booking)(pbk_client *, const char *, pbk_status *) = pbk_create_booking;
static char *(*volatile lookup_customer)(pbk_client *, const char *, pbk_status *) = pbk_lookup_customer;
static char *(*volatile call_tool)(pbk_client *, const char *, pbk_status *) = pbk_call_tool;
static pbk_status (*volatile prefetch)(pbk_client *, const char *, char **) = pbk_prefetch;
static pbk_status (*volatile conversation_end)(pbk_client *, const char *, char **) = pbk_conversation_end;
static pbk_status (*volatile submit)(pbk_client *, pbk_operation, const char *, pbk_ticket *, char **, pbk_callback,
                                     void *) = pbk_submit;
static pbk_status (*volatile cancel)(pbk_client *, pbk_ticket) = pbk_cancel;
static int (*volatile client_fd)(pbk_client *) = pbk_client_fd;
static pbk_completion *(*volatile next_completion)(pbk_client *, int32_t, pbk_status *) = pbk_next_completion;
static pbk_event (*volatile completion_event)(const pbk_completion *) = pbk_completion_event;
static pbk_operation (*volatile completion_operation)(const pbk_completion *) = pbk_completion_operation;
static pbk_ticket (*volatile completion_ticket)(const pbk_completion *) = pbk_completion_ticket;
static void *(*volatile completion_context)(const pbk_completion *) = pbk_completion_context;
static pbk_status (*volatile completion_status)(const pbk_completion *) = pbk_completion_status;
static pbk_outcome (*volatile completion_outcome)(const pbk_completion *) = pbk_completion_outcome;
static const char *(*volatile completion_reply)(const pbk_completion *) = pbk_completion_reply;
static size_t (*volatile completion_reply_length)(const pbk_completion *) = pbk_completion_reply_length;
static const char *(*volatile completion_tag)(const pbk_completion *) = pbk_completion_tag;
static const char *(*volatile completion_timing)(const pbk_completion *) = pbk_completion_timing;
static void (*volatile completion_free)(pbk_completion *) = pbk_completion_free;
static pbk_status (*volatile prewarm)(pbk_client *) = pbk_prewarm;
static char *(*volatile booking_key)(const char *, const char *, char **, pbk_status *) = pbk_booking_key;
static char *(*volatile random_key)(void) = pbk_random_key;
static char *(*volatile pending_bookings)(pbk_client *, pbk_status *) = pbk_pending_bookings;
static char *(*volatile sandbox_bookings)(pbk_client *, pbk_status *) = pbk_sandbox_bookings;
static pbk_status (*volatile reply_status)(const char *) = pbk_reply_status;
static pbk_outcome (*volatile reply_outcome)(const char *) = pbk_reply_outcome;
static int (*volatile reply_retryable)(const char *) = pbk_reply_retryable;
static int64_t (*volatile reply_retry_after_ms)(const char *) = pbk_reply_retry_after_ms;
static char *(*volatile json_get)(const char *, const char *) = pbk_json_get;
static char *(*volatile json_quote)(const char *) = pbk_json_quote;
static char *(*volatile stats)(pbk_client *, pbk_status *) = pbk_stats;
static pbk_status (*volatile client_set_log)(pbk_client *, pbk_log_level, pbk_log_callback, void *) = pbk_client_set_log;
static pbk_client *(*volatile client_open_with_ledger)(const char *, pbk_ledger_callback, void *, char **, pbk_status *) =
    pbk_client_open_with_ledger;
static pbk_status (*volatile ledger_answer)(pbk_client *, uint64_t, const char *, char **) = pbk_ledger_answer;
static char *(*volatile next_ledger_batch)(pbk_client *, int32_t, uint64_t *, pbk_status *) = pbk_next_ledger_batch;
static pbk_webhook_verdict (*volatile webhook_verify)(const char *const *, size_t, const char *, const void *, size_t,
                                                      int64_t, int64_t) = pbk_webhook_verify;
static const char *(*volatile webhook_verdict_text)(pbk_webhook_verdict) = pbk_webhook_verdict_text;
static char *(*volatile webhook_sign)(const char *, const void *, size_t, int64_t) = pbk_webhook_sign;
static void (*volatile string_free)(char *) = pbk_string_free;

int main(void)
{
    return version && status_text && client_open && client_close && search_availability && create_booking
            && lookup_customer && call_tool && prefetch && conversation_end && submit && cancel && client_fd
            && next_completion && completion_event && completion_ticket && completion_context && completion_status && completion_outcome && completion_reply
            && completion_reply_length && completion_tag && completion_timing && completion_free && prewarm
            && booking_key && random_key && pending_bookings && sandbox_bookings && reply_status && reply_outcome
            && reply_retryable && reply_retry_after_ms && json_get && json_quote && webhook_verify
            && webhook_verdict_text && webhook_sign && string_free && completion_operation && stats && client_set_log
            && client_open_with_ledger && ledger_answer && next_ledger_batch
        ? 0 : 1;
}
