/// The reason why a call failed, and for a booking whether it may have been made.
///
/// `code` and `message` are the service's own words when the service answered (`isFromService`); the library's codes are the
/// static members of `Code`. docs/errors.md says what a voice bot should do on each. No member ever holds the API key or a
/// caller's personal details, apart from what a service chooses to say in its own `message`.
public struct PartnerBookingError: Error, Sendable, Equatable {
    /// What happened. Open-ended: services have codes of their own.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code, as in JSON.
        public let rawValue: String
        /// A code, the library's or a service's.
        public init(rawValue: String) { self.rawValue = rawValue }
        private init(_ rawValue: String) { self.rawValue = rawValue }

        /// A text is longer than its limit, or a ticket was never given.
        public static let invalidArgument = Code("invalid_argument")
        /// A handle that never came from the library. Only the C ABI gives it.
        public static let invalidClient = Code("invalid_client")
        /// The client was closed before the call, or while it was under way.
        public static let clientClosed = Code("client_closed")
        /// A member of the configuration is wrong: `field`.
        public static let invalidConfig = Code("invalid_config")
        /// Not JSON from byte `offset` on.
        public static let invalidJSON = Code("invalid_json")
        /// A member of the request is missing or wrong: `field`.
        public static let invalidField = Code("invalid_field")
        /// `cancel`, or the task was cancelled.
        public static let cancelled = Code("cancelled")
        /// A blocking function was called on the transfer thread.
        public static let wouldDeadlock = Code("would_deadlock")
        /// The key belongs to another booking; nothing was sent.
        public static let idempotencyKeyReused = Code("idempotency_key_reused")
        /// Nothing is recorded under the key to resume or to give up, or its booking was not made.
        public static let notRecorded = Code("not_recorded")
        /// The Partner API looks up no customers.
        public static let unsupportedOperation = Code("unsupported_operation")
        /// `platforms` names no such bot.
        public static let unknownBot = Code("unknown_bot")
        /// `platforms` names the bot, but no `webhook_url` for it.
        public static let noWebhook = Code("no_webhook")
        /// The booking in doubt was sent in another account than its bot has now.
        public static let accountChanged = Code("account_changed")
        /// As many calls as `max_in_flight` and `max_queued` allow are accepted and not over.
        public static let queueFull = Code("queue_full")
        /// Out of memory, threads or descriptors.
        public static let resourceUnavailable = Code("resource_unavailable")
        /// The journal could not be opened, or did not take the booking.
        public static let journalUnavailable = Code("journal_unavailable")
        /// Another client has the journal open.
        public static let journalLocked = Code("journal_locked")
        /// Too many bookings of the service are in doubt or in flight.
        public static let ledgerFull = Code("ledger_full")
        /// The service failed too often in a row, and is left alone for a moment.
        public static let circuitOpen = Code("circuit_open")
        /// No definite answer came in time.
        public static let timeout = Code("timeout")
        /// The host name did not resolve.
        public static let dnsFailed = Code("dns_failed")
        /// No connection could be made.
        public static let connectFailed = Code("connect_failed")
        /// The handshake failed, or the certificate is not to be trusted.
        public static let tlsFailed = Code("tls_failed")
        /// The connection broke after it was made.
        public static let connectionLost = Code("connection_lost")
        /// The proxy's name did not resolve, or it refused.
        public static let proxyFailed = Code("proxy_failed")
        /// The webhook's host has a private address.
        public static let addressRefused = Code("address_refused")
        /// A success that is not JSON of the promised shape.
        public static let invalidReply = Code("invalid_reply")
        /// The reply is longer than `max_reply_bytes`.
        public static let replyTooLarge = Code("reply_too_large")
        /// The platform declined or cancelled the booking. There is no appointment.
        public static let notConfirmed = Code("not_confirmed")
        /// The reply contains another start than the request. The booking may exist.
        public static let otherBooking = Code("other_booking")
        /// The booking was sent and is not settled: `doubt`.
        public static let inDoubt = Code("in_doubt")
        /// An error status whose body is not the API's error object.
        public static let httpError = Code("http_error")
    }

    /// Whose fault it is.
    public enum Source: String, Sendable {
        /// The program that uses the library.
        case caller
        /// The library, or the machine it runs on.
        case library
        /// What is between the machine and the service.
        case network
        /// The platform behind the bot.
        case platform
        /// The service itself.
        case partnerAPI = "partner_api"
    }

    /// The meaning of a failed call for its booking.
    public enum Outcome: String, Sendable {
        /// This client sent nothing under the key that can have booked.
        case notSent = "not_sent"
        /// Every request under the key was refused. Nothing was booked.
        case rejected
        /// It may have been booked. Repeat with the same key, never with a new one.
        case unknown
    }

    /// The reason why a booking is in doubt.
    public struct Doubt: Sendable, Equatable {
        /// Age of the oldest request that may have made the booking. After a restart: time since the client opened.
        public var sentMillisecondsAgo: Int
        /// The HTTP status of the last answer; nil when none came.
        public var status: Int?
        /// The code of the last answer, or of the failure that came in its place; nil when nothing was sent since.
        public var code: String?
    }

    /// The booking that an idempotency key belongs to.
    public struct Existing: Sendable, Equatable {
        /// Its state: `in_flight`, `in_doubt` or `booked`.
        public var state: PendingBooking.State
        /// RFC 3339, as its request wrote it; nil when version 1 of the journal recorded it.
        public var startAt: String?
        /// The platform's name for it, if it is booked and the platform named it.
        public var bookingID: String?
    }

    /// What happened.
    public var code: Code
    /// One sentence for a log. When the service answered these are its own words, which may name the customer.
    public var message: String
    /// Whose fault it is.
    public var source: Source
    /// The same call, unchanged, may succeed later; a booking with the same key.
    public var isRetryable: Bool
    /// The HTTP status, when there was one.
    public var status: Int?
    /// `code` and `message` are the service's own.
    public var isFromService = false
    /// HTTP attempts made.
    public var attempts = 0
    /// The member that is wrong, as a path: `booking.customer.phone`.
    public var field: String?
    /// The byte at which a text stops being JSON.
    public var offset: Int?
    /// The service's `X-Request-Id`.
    public var requestID: String?
    /// How long the service asked to wait, or is left alone (`circuit_open`).
    public var retryAfterMilliseconds: Int?
    /// libcurl's own code, when a transfer failed.
    public var curlCode: Int?
    /// What came instead of a usable reply.
    public var invalidReply: InvalidReply?
    /// The platform's reply, if it is JSON of at most 64 KiB. Set with `not_confirmed` and `other_booking`, and with
    /// `platform_webhook` for every refusal. It may name the customer: do not log it.
    public var reply: [UInt8]?
    /// Details of a booking in doubt. Set with `in_doubt`.
    public var doubt: Doubt?
    /// The booking that the key belongs to. Set with `idempotency_key_reused`.
    public var existing: Existing?

    /// For bookings only.
    public var outcome: Outcome?
    /// The request's key; for bookings only.
    public var idempotencyKey: String?
    /// The request's tag.
    public var tag: String?

    /// Where the time went, for a call that was accepted.
    public var timing: CallTiming?

    /// The outside of a reply that cannot be used; its text is never kept.
    public struct InvalidReply: Sendable, Equatable {
        /// As the service named it.
        public var contentType: String?
        /// How long it was.
        public var byteCount: Int
    }

    init(_ code: Code, _ message: String, source: Source, isRetryable: Bool = false) {
        self.code = code
        self.message = message
        self.source = source
        self.isRetryable = isRetryable
    }
}

extension PartnerBookingError {
    /// A member of a request that is missing or wrong.
    static func field(_ path: String, _ expectation: String) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidField, "\(path) \(expectation)", source: .caller)
        error.field = path
        return error
    }

    /// A member of the configuration that is unknown or wrong.
    static func config(_ path: String, _ expectation: String) -> PartnerBookingError {
        var error = PartnerBookingError(.invalidConfig, "\(path) \(expectation)", source: .caller)
        error.field = path
        return error
    }

    static func json(_ what: String, _ cause: JSONSyntaxError) -> PartnerBookingError {
        let message = "The \(what) is not valid JSON at byte \(cause.offset): \(cause.reason)"
        var error = PartnerBookingError(.invalidJSON, message, source: .caller)
        error.offset = cause.offset
        return error
    }

    /// An argument that is wrong in a way that has no `field`.
    public static func argument(_ message: String) -> PartnerBookingError {
        PartnerBookingError(.invalidArgument, message, source: .caller)
    }

    /// For callers by handle: the handle is not one.
    public static var invalidClient: PartnerBookingError {
        let message = "The client handle is NULL or never came from pbk_client_open"
        return PartnerBookingError(.invalidClient, message, source: .caller)
    }

    /// The client is closed.
    public static var clientClosed: PartnerBookingError {
        PartnerBookingError(.clientClosed, "The client is closed", source: .caller)
    }

    static var cancelled: PartnerBookingError {
        PartnerBookingError(.cancelled, "The call was cancelled", source: .caller, isRetryable: true)
    }

    /// What waits was called where it would wait for itself.
    public static var wouldDeadlock: PartnerBookingError {
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
    static func resource(_ what: String) -> PartnerBookingError {
        PartnerBookingError(.resourceUnavailable, "\(what)", source: .library, isRetryable: true)
    }
}

extension PartnerBookingError.Doubt {
    /// The last answer in a message, such as `HTTP 409 slot_unavailable`; nil when there is none.
    fileprivate var answerText: String? {
        let parts = [status.map { "HTTP \($0)" }, code.flatMap { Self.isPlain($0) ? $0 : nil }].compactMap { $0 }
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

extension PartnerBookingError {
    /// `{"error":{…}}`, as docs/json-contract.md describes it.
    public var json: [UInt8] {
        JSONWriter.object { reply in
            reply.object("error") { error in
                error.member("code", code.rawValue)
                error.member("message", message)
                error.member("status", status)
                error.member("source", source.rawValue)
                error.member("retryable", isRetryable)
                error.member("attempts", attempts)
                error.member("field", field)
                error.member("request_id", requestID)
                if let outcome {
                    error.member("outcome", outcome.rawValue)
                    error.member("idempotency_key", idempotencyKey)
                }
                if let tag { error.member("tag", tag) }
                if let offset { error.member("offset", offset) }
                if let retryAfterMilliseconds { error.member("retry_after_ms", retryAfterMilliseconds) }
                if let curlCode { error.member("curl_code", curlCode) }
                if let invalidReply {
                    error.member("content_type", invalidReply.contentType)
                    error.member("reply_bytes", invalidReply.byteCount)
                }
                if let doubt {
                    error.object("doubt") { object in
                        object.member("sent_ms_ago", doubt.sentMillisecondsAgo)
                        guard let code = doubt.code else { return object.member("answer", nil as String?) }
                        object.object("answer") { answer in
                            answer.member("status", doubt.status)
                            answer.member("code", code)
                        }
                    }
                }
                if let existing {
                    error.object("existing") { object in
                        object.member("state", existing.state.rawValue)
                        object.member("start_at", existing.startAt)
                        if let bookingID = existing.bookingID { object.member("booking_id", bookingID) }
                    }
                }
                if let reply = self.reply { error.member("reply", json: reply) }
                if let timing { error.object("timing", timing.write) }
            }
        }
    }
}

extension PartnerBookingError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(message)" }
}
