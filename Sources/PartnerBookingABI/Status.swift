import CPartnerBooking
import PartnerBooking

extension PartnerBookingError {
    /// The `pbk_status` of the header.
    var pbkStatus: pbk_status { pbk_status(rawValue: UInt32(callStatus.rawValue)) }

    /// The `pbk_outcome` of the header.
    var pbkOutcome: pbk_outcome {
        switch outcome {
        case nil: PBK_OUTCOME_NONE
        case .notSent: PBK_OUTCOME_NOT_SENT
        case .rejected: PBK_OUTCOME_REJECTED
        case .unknown: PBK_OUTCOME_UNKNOWN
        }
    }
}

/// Returns the sentence of `pbk_status_text`.
func text(of status: pbk_status) -> StaticString {
    switch status {
    case PBK_OK: "ok"
    case PBK_INVALID_ARGUMENT: "an argument is NULL or too long"
    case PBK_INVALID_CLIENT: "the client handle is NULL or never came from pbk_client_open"
    case PBK_CLIENT_CLOSED: "the client is closed"
    case PBK_INVALID_CONFIG: "a member of the configuration is wrong"
    case PBK_INVALID_JSON: "the text is not valid JSON"
    case PBK_INVALID_FIELD: "a member of the request is missing or wrong"
    case PBK_CANCELLED: "the call was cancelled"
    case PBK_WOULD_DEADLOCK: "a blocking function was called from a callback"
    case PBK_IDEMPOTENCY_KEY_REUSED: "the idempotency key was used for another booking"
    case PBK_NOT_RECORDED: "no booking is recorded under the idempotency key"
    case PBK_UNSUPPORTED_OPERATION: "the endpoint has no such operation"
    case PBK_UNKNOWN_BOT: "the bot is not in the configuration's platforms"
    case PBK_NO_WEBHOOK: "the bot has no webhook_url in the configuration's platforms"
    case PBK_ACCOUNT_CHANGED: "the booking may have been made in the account that the bot had before"
    case PBK_UNKNOWN_TIME_ZONE: "there is no such time zone"
    case PBK_TIME_UNCLEAR: "the text has no time that the library understands"
    case PBK_PHONE_UNCLEAR: "the text has no phone number that the library understands"
    case PBK_QUEUE_FULL: "queue full: max_in_flight + max_queued calls are outstanding"
    case PBK_RESOURCE_UNAVAILABLE: "out of memory, threads or descriptors"
    case PBK_JOURNAL_UNAVAILABLE: "the booking could not be recorded in the journal"
    case PBK_JOURNAL_LOCKED: "another client has the journal open"
    case PBK_CIRCUIT_OPEN: "the circuit breaker is open: the service failed too often in a row"
    case PBK_LEDGER_FULL: "too many bookings of the service are in doubt or in flight"
    case PBK_TIMEOUT: "no definite answer came within timeout_ms"
    case PBK_DNS_FAILED: "the host name did not resolve"
    case PBK_CONNECT_FAILED: "no connection could be made"
    case PBK_TLS_FAILED: "the TLS handshake or the certificate failed"
    case PBK_CONNECTION_LOST: "the connection broke after it was made"
    case PBK_PROXY_FAILED: "the proxy's name did not resolve, or it refused"
    case PBK_ADDRESS_REFUSED: "the webhook's host has a private address"
    case PBK_INVALID_REPLY: "the reply is not JSON of the promised shape"
    case PBK_REPLY_TOO_LARGE: "the reply is longer than max_reply_bytes"
    case PBK_NOT_CONFIRMED: "the platform has declined or cancelled the booking"
    case PBK_OTHER_BOOKING: "the reply has another start_at than the request"
    case PBK_IN_DOUBT: "the booking may have been made: repeat it with the same key"
    case PBK_UNAUTHORIZED: "the service does not accept the API key, the bot or the signature"
    case PBK_SLOT_UNAVAILABLE: "the slot is no longer available"
    case PBK_REFUSED: "the service refused the request"
    case PBK_RATE_LIMITED: "the service asks for fewer requests"
    case PBK_SERVICE_FAILED: "the service failed"
    default: "unknown status"
    }
}
