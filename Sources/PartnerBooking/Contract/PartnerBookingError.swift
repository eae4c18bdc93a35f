/// The reason why a call failed. For a booking, also whether it may have been made.
///
/// If the service answered (`isFromService`), `code` and `message` are its own. `Code` has the
/// library's codes and the best known codes of services. docs/errors.md describes a voice
/// bot's reaction to each code. No member contains the API key. Only a service's own `message`
/// and `reply` may contain a caller's personal details.
public struct PartnerBookingError: Error, Sendable, Equatable {
    /// The side at fault.
    public enum Source: String, Sendable {
        /// The program that uses the library.
        case caller
        /// The library, or the machine it runs on.
        case library
        /// The network between the machine and the service.
        case network
        /// The platform behind the bot.
        case platform
        /// The service itself.
        case partnerAPI = "partner_api"
    }

    /// The state of the booking after a failed call.
    public enum Outcome: String, Sendable {
        /// This client sent nothing under the key that can have made the booking.
        case notSent = "not_sent"
        /// Every request under the key was refused. Nothing was booked.
        case rejected
        /// The booking may have been made. Repeat it with the same key, never with a new key.
        case unknown
    }

    /// The details of a booking in doubt.
    public struct Doubt: Sendable, Equatable {
        /// The age of the oldest request that may have made the booking. After a restart: time
        /// since the client opened.
        public var age: Duration { .milliseconds(sentMillisecondsAgo) }
        let sentMillisecondsAgo: Int
        /// The HTTP status of the last answer. nil when none came.
        public let status: Int?
        /// The code of the last answer, or of the failure instead. nil when nothing was sent
        /// since this client took over the doubt.
        public let code: Code?

        init(sentMillisecondsAgo: Int, status: Int? = nil, code: Code? = nil) {
            self.sentMillisecondsAgo = sentMillisecondsAgo
            self.status = status
            self.code = code
        }
    }

    /// The booking that an idempotency key belongs to.
    public struct Existing: Sendable, Equatable {
        /// The state of the booking: `inFlight`, `inDoubt` or `booked`.
        public let state: PendingBooking.State
        /// The start in RFC 3339, as sent. nil when the record has none, as in version 1 of
        /// the journal.
        public let startAt: String?
        /// The platform's ID of the booking, if it is booked and has an ID.
        public let bookingID: String?

        init(state: PendingBooking.State, startAt: String? = nil, bookingID: String? = nil) {
            self.state = state
            self.startAt = startAt
            self.bookingID = bookingID
        }
    }

    /// The cause of the failure.
    public var code: Code { details.code }
    /// A short text for a log. A service's own text may name the customer.
    public internal(set) var message: String {
        get { details.message }
        set { change { $0.message = newValue } }
    }
    /// The side at fault.
    public var source: Source { details.source }
    /// True when the same call, unchanged, may succeed later. Repeat a booking with the same
    /// key.
    public internal(set) var isRetryable: Bool {
        get { details.isRetryable }
        set { change { $0.isRetryable = newValue } }
    }
    /// The HTTP status, if a reply came.
    public internal(set) var status: Int? {
        get { details.status }
        set { change { $0.status = newValue } }
    }
    /// True when `code` and `message` are the service's own.
    public internal(set) var isFromService: Bool {
        get { details.isFromService }
        set { change { $0.isFromService = newValue } }
    }
    /// Number of HTTP attempts.
    public internal(set) var attempts: Int {
        get { details.attempts }
        set { change { $0.attempts = newValue } }
    }
    /// The path of the wrong member, such as `booking.customer.phone`.
    public internal(set) var field: String? {
        get { details.field }
        set { change { $0.field = newValue } }
    }
    /// The kind of mistake in the request. Set with `invalidField` and `invalidJSON`.
    public internal(set) var kind: Kind? {
        get { details.kind }
        set { change { $0.kind = newValue } }
    }
    /// The byte at which a text stops being JSON.
    public internal(set) var offset: Int? {
        get { details.offset }
        set { change { $0.offset = newValue } }
    }
    /// The `X-Request-Id` of the service's reply.
    public internal(set) var requestID: String? {
        get { details.requestID }
        set { change { $0.requestID = newValue } }
    }
    /// The pause that the service asked for. With `circuitOpen`: the time until the circuit
    /// breaker lets a call through.
    public var retryAfter: Duration? { retryAfterMilliseconds.map { .milliseconds($0) } }
    package internal(set) var retryAfterMilliseconds: Int? {
        get { details.retryAfterMilliseconds }
        set { change { $0.retryAfterMilliseconds = newValue } }
    }
    /// The libcurl code of a failed transfer.
    public internal(set) var curlCode: Int? {
        get { details.curlCode }
        set { change { $0.curlCode = newValue } }
    }
    /// Content type and length of the reply. Set with refusals and `invalidReply`.
    public internal(set) var received: ReceivedReply? {
        get { details.received }
        set { change { $0.received = newValue } }
    }
    /// The reply, if it is JSON of at most 64 KiB. Set with refusals, `notConfirmed`,
    /// `otherBooking`, and with `inDoubt` after these. Do not log it: it may name the
    /// customer.
    public internal(set) var reply: [UInt8]? {
        get { details.reply }
        set { change { $0.reply = newValue } }
    }
    /// Details of a booking in doubt. Set with `inDoubt`.
    public internal(set) var doubt: Doubt? {
        get { details.doubt }
        set { change { $0.doubt = newValue } }
    }
    /// The booking that the key belongs to. Set with `idempotencyKeyReused`.
    public internal(set) var existing: Existing? {
        get { details.existing }
        set { change { $0.existing = newValue } }
    }
    /// The problem of a wish for a time. Set with `timeUnclear`.
    public internal(set) var timeProblem: TimeProblem? {
        get { details.timeProblem }
        set { change { $0.timeProblem = newValue } }
    }
    /// The problem of a phone number. Set with `phoneUnclear`.
    public internal(set) var phoneProblem: PhoneProblem? {
        get { details.phoneProblem }
        set { change { $0.phoneProblem = newValue } }
    }

    /// The state of the booking. Set for bookings only.
    public internal(set) var outcome: Outcome? {
        get { details.outcome }
        set { change { $0.outcome = newValue } }
    }
    /// The request's idempotency key. Set for bookings only.
    public internal(set) var idempotencyKey: String? {
        get { details.idempotencyKey }
        set { change { $0.idempotencyKey = newValue } }
    }
    /// The request's tag.
    public internal(set) var tag: String? {
        get { details.tag }
        set { change { $0.tag = newValue } }
    }

    /// The timing of an accepted call.
    public internal(set) var timing: CallTiming? {
        get { details.timing }
        set { change { $0.timing = newValue } }
    }

    /// Content type and length of a reply.
    public struct ReceivedReply: Sendable, Equatable {
        /// The content type that the service named.
        public let contentType: String?
        /// The length of the body in bytes, after decompression.
        public let byteCount: Int
    }

    /// All members. They are on the heap, because every throwing function reserves stack space
    /// for the error.
    private struct Details: Sendable, Equatable {
        let code: Code
        var message: String
        let source: Source
        var isRetryable: Bool
        var status: Int?
        var isFromService: Bool = false
        var attempts: Int = 0
        var field: String?
        var offset: Int?
        var requestID: String?
        var retryAfterMilliseconds: Int?
        var curlCode: Int?
        var received: ReceivedReply?
        var reply: [UInt8]?
        var doubt: Doubt?
        var existing: Existing?
        var kind: Kind?
        var timeProblem: TimeProblem?
        var phoneProblem: PhoneProblem?
        var outcome: Outcome?
        var idempotencyKey: String?
        var tag: String?
        var timing: CallTiming?
    }

    /// `@unchecked Sendable` is safe because `change` writes only to storage that no other
    /// value shares.
    private final class Storage: @unchecked Sendable {
        var details: Details

        init(_ details: Details) { self.details = details }
    }

    private var storage: Storage

    private var details: Details { storage.details }

    private mutating func change(_ body: (inout Details) -> Void) {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.details) }
        body(&storage.details)
    }

    init(_ code: Code, _ message: String, source: Source, isRetryable: Bool = false) {
        storage = Storage(Details(code: code, message: message, source: source, isRetryable: isRetryable))
    }

    public static func == (left: PartnerBookingError, right: PartnerBookingError) -> Bool { left.details == right.details }
}

extension PartnerBookingError: CustomStringConvertible {
    public var description: String { "\(code.rawValue): \(message)" }
}
