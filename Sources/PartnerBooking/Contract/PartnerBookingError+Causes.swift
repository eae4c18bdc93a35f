// The errors of the library, each with its words.

extension PartnerBookingError {
    /// A member of a request that is missing or wrong.
    static func field(_ path: String, _ expectation: String, _ kind: Kind) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidField, "\(path) \(expectation)", source: .caller)
        error.field = path
        error.kind = kind
        return error
    }

    /// A member of the configuration that is unknown or wrong.
    static func config(_ path: String, _ expectation: String) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidConfig, "\(path) \(expectation)", source: .caller)
        error.field = path
        return error
    }

    static func json(_ what: String, _ cause: JSONSyntaxError, advice: String? = nil) -> PartnerBookingError {
        let reason = advice.map { "\(cause.reason). \($0)" } ?? cause.reason
        let message = "The \(what) is not valid JSON at byte \(cause.offset): \(reason)"
        var error = PartnerBookingError(.invalidJSON, message, source: .caller)
        error.offset = cause.offset
        return error
    }

    /// An argument that is wrong in a way that has no `field`.
    package static func argument(_ message: String) -> PartnerBookingError {
        PartnerBookingError(.invalidArgument, message, source: .caller)
    }

    /// For callers by handle: the handle is not one.
    package static var invalidClient: PartnerBookingError {
        let message = "The client handle is NULL or never came from pbk_client_open"
        return PartnerBookingError(.invalidClient, message, source: .caller)
    }

    /// The client is closed.
    package static var clientClosed: PartnerBookingError {
        PartnerBookingError(.clientClosed, "The client is closed", source: .caller)
    }

    /// For callers by handle, in the child of a fork: its parent's client.
    package static var clientOfParent: PartnerBookingError {
        let message = "The client belongs to the process that this one was forked from: open a client in this process"
        return PartnerBookingError(.clientClosed, message, source: .caller)
    }

    /// `message` is a sentence about the zone.
    static func unknownTimeZone(_ message: String) -> PartnerBookingError {
        var error = PartnerBookingError(.unknownTimeZone, message, source: .caller)
        error.field = "time_zone"
        return error
    }

    static var cancelled: PartnerBookingError {
        PartnerBookingError(.cancelled, "The call was cancelled", source: .caller, isRetryable: true)
    }

    /// A blocking function was called on the thread that it would wait for.
    package static var wouldDeadlock: PartnerBookingError {
        let message = "A function that waits was called from a callback, which runs on the thread it would wait for"
        return PartnerBookingError(.wouldDeadlock, message, source: .caller)
    }

    static func idempotencyKeyReused(_ existing: Existing) -> PartnerBookingError {
        let advice =
            switch existing.state {
            case .booked: "is made: resume it to get its reply"
            case .inFlight: "is in flight: resume it to get its end"
            default: "is in doubt: resume it to settle it"
            }
        let message = "This key's booking \(advice). The request asks for another one: that needs another idempotency_key"
        var error = PartnerBookingError(.idempotencyKeyReused, message, source: .caller)
        error.field = "idempotency_key"
        error.existing = existing
        return error
    }

    static var notRecorded: PartnerBookingError {
        let message = "No booking is recorded under the idempotency_key: send the whole request, with the same key"
        var error = PartnerBookingError(.notRecorded, message, source: .caller)
        error.field = "idempotency_key"
        return error
    }

    /// The booking to resume was made, and the journal does not keep replies.
    static var replyNotKept: PartnerBookingError {
        var error = notRecorded
        error.message =
            "The booking was made, and its reply is not kept (journal_keeps_replies): to get it from the service, "
            + "send the whole request, with the same key"
        return error
    }

    /// There is nothing to give up under the key.
    static var nothingToGiveUp: PartnerBookingError {
        var error = notRecorded
        error.message = "No booking is recorded under the idempotency_key: nothing was given up"
        return error
    }

    /// The booking to resume was not made.
    static var notMade: PartnerBookingError {
        var error = notRecorded
        error.message = "The booking was not made, and its idempotency_key is free: send a whole request to book"
        return error
    }

    static func ledgerFull(_ limit: Int) -> PartnerBookingError {
        let message =
            "Ledger full: \(limit) bookings of this service are in doubt or in flight. "
            + "Resume or give up those that pbk_pending_bookings lists"
        return PartnerBookingError(.ledgerFull, message, source: .library, isRetryable: true)
    }

    static var unsupportedOperation: PartnerBookingError {
        let message = "The Partner API looks up no customers: that takes \"endpoint\":\"platform_webhook\" or the sandbox"
        return PartnerBookingError(.unsupportedOperation, message, source: .caller)
    }

    static var unknownBot: PartnerBookingError {
        var error = PartnerBookingError(.unknownBot, "The configuration's platforms name no such bot_id", source: .caller)
        error.field = "bot_id"
        return error
    }

    static var noWebhook: PartnerBookingError {
        let message = "The configuration's platforms name no webhook_url for the bot_id"
        var error = PartnerBookingError(.noWebhook, message, source: .caller)
        error.field = "bot_id"
        return error
    }

    static var accountChanged: PartnerBookingError {
        let message =
            "The booking may have been made in another account, which its bot had when it was sent: settle it there"
        return PartnerBookingError(.accountChanged, message, source: .caller)
    }

    static func journalUnavailable(_ why: String) -> PartnerBookingError {
        let message = "The booking could not be recorded in the journal (\(why))"
        return PartnerBookingError(.journalUnavailable, message, source: .library, isRetryable: true)
    }

    static func journalLocked(_ path: String) -> PartnerBookingError {
        let message = "Another client, in this process or another, has the journal \(path) open"
        var error = PartnerBookingError(.journalLocked, message, source: .library, isRetryable: true)
        error.field = "journal_path"
        return error
    }

    static func journalNotOpened(_ why: String, _ field: String = "journal_path") -> PartnerBookingError {
        let message = "The journal could not be opened (\(why))"
        var error = PartnerBookingError(.journalUnavailable, message, source: .library, isRetryable: true)
        error.field = field
        return error
    }

    static func circuitOpen(retryAfterMilliseconds: Int) -> PartnerBookingError {
        let message = "The service failed too often in a row, and is left alone for a moment"
        var error = PartnerBookingError(.circuitOpen, message, source: .library, isRetryable: true)
        error.retryAfterMilliseconds = retryAfterMilliseconds
        return error
    }

    static func inDoubt(_ doubt: Doubt, source: Source) -> PartnerBookingError {
        let advice = "The booking may have been made. Repeat it with the same idempotency_key, never with a new one"
        let message = doubt.answerText.map { "\(advice). Last answer: \($0)" } ?? advice
        var error = PartnerBookingError(.inDoubt, message, source: source, isRetryable: true)
        error.doubt = doubt
        return error
    }

    static func queueFull(_ limit: Int) -> PartnerBookingError {
        let message = "\(limit) calls are accepted and not over, as many as max_in_flight and max_queued allow"
        return PartnerBookingError(.queueFull, message, source: .library, isRetryable: true)
    }

    static var timeout: PartnerBookingError {
        let message = "No definite answer came within timeout_ms"
        return PartnerBookingError(.timeout, message, source: .network, isRetryable: true)
    }

    /// `what` could not be had from this machine.
    static func resource(_ message: String) -> PartnerBookingError {
        PartnerBookingError(.resourceUnavailable, message, source: .library, isRetryable: true)
    }

    /// `exit` was called, and the library starts no more threads.
    static var isExiting: PartnerBookingError {
        .resource("The process is exiting: no thread can be started for another client")
    }

    /// Returns what `body` gets from the system.
    static func resources<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(PartnerBookingError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .resource(error.message) }
    }
}

extension PartnerBookingError.Doubt {
    /// The last answer in a message, such as `HTTP 409 slot_unavailable`; nil when there is none.
    fileprivate var answerText: String? {
        let word = code.flatMap { Self.isPlain($0.rawValue) ? $0.rawValue : nil }
        let parts = [status.map { "HTTP \($0)" }, word].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// Returns whether a code can stand in a message. A service may send anything as its code.
    private static func isPlain(_ code: String) -> Bool {
        (1...64).contains(code.utf8.count)
            && code.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
