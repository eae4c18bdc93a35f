// The errors of the library. Their texts are in the folder Messages.

extension PartnerBookingError {
    /// Returns the error for a missing or wrong member of a request.
    static func field(_ path: String, _ expectation: String, _ kind: Kind) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidField, ErrorMessage.member(path, expectation), source: .caller)
        error.field = path
        error.kind = kind
        return error
    }

    /// Returns the error for an unknown or wrong member of the configuration.
    static func config(_ path: String, _ expectation: String) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidConfig, ErrorMessage.member(path, expectation), source: .caller)
        error.field = path
        return error
    }

    static func json(_ what: String, _ cause: JSONSyntaxError, advice: String? = nil) -> PartnerBookingError {
        let reason = advice.map { ErrorMessage.advised(cause.reason, $0) } ?? cause.reason
        let message = ErrorMessage.notJSON(what, at: cause.offset, reason)
        var error = PartnerBookingError(.invalidJSON, message, source: .caller)
        error.offset = cause.offset
        return error
    }

    /// Returns the error for a wrong argument without a `field`.
    package static func argument(_ message: String) -> PartnerBookingError {
        PartnerBookingError(.invalidArgument, message, source: .caller)
    }

    /// The error for an invalid handle. Only the C ABI has handles.
    package static var invalidClient: PartnerBookingError {
        PartnerBookingError(.invalidClient, ErrorMessage.invalidClient, source: .caller)
    }

    package static var clientClosed: PartnerBookingError {
        PartnerBookingError(.clientClosed, ErrorMessage.clientClosed, source: .caller)
    }

    /// The error for a parent's handle in the child of a fork.
    package static var clientOfParent: PartnerBookingError {
        PartnerBookingError(.clientClosed, ErrorMessage.clientOfParent, source: .caller)
    }

    /// Returns the error for a time zone. `message` is a sentence about the zone.
    static func unknownTimeZone(_ message: String) -> PartnerBookingError {
        var error = PartnerBookingError(.unknownTimeZone, message, source: .caller)
        error.field = "time_zone"
        return error
    }

    static var cancelled: PartnerBookingError {
        PartnerBookingError(.cancelled, ErrorMessage.cancelled, source: .caller, isRetryable: true)
    }

    /// The error for a blocking call on the thread that it would wait for.
    package static var wouldDeadlock: PartnerBookingError {
        PartnerBookingError(.wouldDeadlock, ErrorMessage.wouldDeadlock, source: .caller)
    }

    static func idempotencyKeyReused(_ existing: Existing) -> PartnerBookingError {
        let message =
            switch existing.state {
            case .booked: ErrorMessage.keyIsBooked
            case .inFlight: ErrorMessage.keyInFlight
            default: ErrorMessage.keyInDoubt
            }
        var error = PartnerBookingError(.idempotencyKeyReused, message, source: .caller)
        error.field = "idempotency_key"
        error.existing = existing
        return error
    }

    static var notRecorded: PartnerBookingError {
        var error = PartnerBookingError(.notRecorded, ErrorMessage.notRecorded, source: .caller)
        error.field = "idempotency_key"
        return error
    }

    /// The error for resuming a booking that was made, but whose reply the journal did not
    /// keep.
    static var replyNotKept: PartnerBookingError {
        var error = notRecorded
        error.message = ErrorMessage.replyNotKept
        return error
    }

    /// The error for a key without a booking to give up.
    static var nothingToGiveUp: PartnerBookingError {
        var error = notRecorded
        error.message = ErrorMessage.nothingToGiveUp
        return error
    }

    /// The error for resuming a booking that was not made.
    static var notMade: PartnerBookingError {
        var error = notRecorded
        error.message = ErrorMessage.notMade
        return error
    }

    static func ledgerFull(_ limit: Int) -> PartnerBookingError {
        PartnerBookingError(.ledgerFull, ErrorMessage.ledgerFull(limit), source: .library, isRetryable: true)
    }

    static var unsupportedOperation: PartnerBookingError {
        PartnerBookingError(.unsupportedOperation, ErrorMessage.noLookups, source: .caller)
    }

    static var unknownBot: PartnerBookingError {
        var error = PartnerBookingError(.unknownBot, ErrorMessage.unknownBot, source: .caller)
        error.field = "bot_id"
        return error
    }

    static var noWebhook: PartnerBookingError {
        var error = PartnerBookingError(.noWebhook, ErrorMessage.noWebhook, source: .caller)
        error.field = "bot_id"
        return error
    }

    static var accountChanged: PartnerBookingError {
        PartnerBookingError(.accountChanged, ErrorMessage.accountChanged, source: .caller)
    }

    static func journalUnavailable(_ why: String) -> PartnerBookingError {
        PartnerBookingError(.journalUnavailable, ErrorMessage.notRecorded(why), source: .library, isRetryable: true)
    }

    static func journalLocked(_ path: String) -> PartnerBookingError {
        var error = PartnerBookingError(
            .journalLocked, ErrorMessage.journalLocked(path), source: .library, isRetryable: true)
        error.field = "journal_path"
        return error
    }

    static func journalNotOpened(_ why: String, _ field: String = "journal_path") -> PartnerBookingError {
        var error = PartnerBookingError(
            .journalUnavailable, ErrorMessage.journalNotOpened(why), source: .library, isRetryable: true)
        error.field = field
        return error
    }

    static func circuitOpen(retryAfterMilliseconds: Int) -> PartnerBookingError {
        var error = PartnerBookingError(.circuitOpen, TransferMessage.circuitOpen, source: .library, isRetryable: true)
        error.retryAfterMilliseconds = retryAfterMilliseconds
        return error
    }

    static func inDoubt(_ doubt: Doubt, source: Source) -> PartnerBookingError {
        let message = doubt.answerText.map(ErrorMessage.lastAnswer) ?? ErrorMessage.mayBeMade
        var error = PartnerBookingError(.inDoubt, message, source: source, isRetryable: true)
        error.doubt = doubt
        return error
    }

    static func queueFull(_ limit: Int) -> PartnerBookingError {
        PartnerBookingError(.queueFull, ErrorMessage.queueFull(limit), source: .library, isRetryable: true)
    }

    static var timeout: PartnerBookingError {
        PartnerBookingError(.timeout, ErrorMessage.timeout, source: .network, isRetryable: true)
    }

    /// Returns the error for a system resource that has run out.
    static func resource(_ message: String) -> PartnerBookingError {
        PartnerBookingError(.resourceUnavailable, message, source: .library, isRetryable: true)
    }

    /// `exit` was called, and the library starts no more threads.
    static var isExiting: PartnerBookingError {
        .resource(ErrorMessage.isExiting)
    }

    /// Returns the result of `body`. A system error becomes `resourceUnavailable`.
    static func resources<Value>(
        _ body: () throws(SystemError) -> Value
    ) throws(PartnerBookingError) -> Value {
        do throws(SystemError) { return try body() } catch { throw .resource(error.message) }
    }
}

extension PartnerBookingError.Doubt {
    /// The last answer as text, such as `HTTP 409 slot_unavailable`. nil when there is none.
    fileprivate var answerText: String? {
        let word = code.flatMap { Self.isPlain($0.rawValue) ? $0.rawValue : nil }
        let parts = [status.map { "HTTP \($0)" }, word].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// Returns whether a code can stand in a message. A service may send any code.
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
