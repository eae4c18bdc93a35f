/// A request that was read and found right: the first stage of a call.
struct Request: Sendable {
    static let maxBytes = 262_144

    let operation: CallOperation
    /// The text to send: the caller's without the library's own members. With `resume`, empty until the ledger has found
    /// it.
    var body: [UInt8]
    /// nil until the ledger has found it.
    var botID: String?
    /// The wish of a booking. nil for other requests.
    private(set) var wish: Wish?
    /// The requested start of a booking, in seconds since 1970. nil for other operations, and until the ledger has found
    /// it.
    var startSeconds: Int?
    /// nil for all but bookings, and for a give-up of several.
    let idempotencyKey: String?
    let timeoutMilliseconds: Int?
    let slowAfterMilliseconds: Int?
    /// The call is not ended by a cancel.
    let isDetached: Bool
    /// Asks for the booking that is recorded under the key, whatever it is.
    let isResuming: Bool
    /// The bookings in doubt to give up. nil: none.
    let givesUp: GiveUp?
    let tag: String?
    let traceparent: String?

    /// Reads a request as docs/json-contract.md describes it. The error names the first member that is wrong.
    init(_ operation: CallOperation, json: [UInt8]) throws(PartnerBookingError) {
        var context = ErrorContext(operation: operation)
        do throws(PartnerBookingError) {
            try self.init(operation, json: json, context: &context)
        } catch {
            throw context.annotating(error)
        }
    }

    /// `context` holds what was read before an error was thrown.
    private init(
        _ operation: CallOperation, json: [UInt8], context: inout ErrorContext
    ) throws(PartnerBookingError) {
        let document = try JSONDocument(json, what: "request", maxBytes: Self.maxBytes)
        let root = try ObjectReader(document.root, what: "The request") { .field($0, $1) }

        // The key first, because the outcome of an error depends on it. Then the tag, so that errors carry it.
        let keyForm: StaticString = "1 to 255 visible ASCII characters"
        idempotencyKey =
            operation == .createBooking
            ? try root.optionalString("idempotency_key", maxBytes: 255, keyForm, FieldRules.isVisibleASCII) : nil
        context.idempotencyKey = idempotencyKey
        tag = try root.optionalString("tag", maxBytes: 256, "a string of at most 256 bytes")
        context.tag = tag
        switch operation {
        case .searchAvailability, .lookupCustomer:
            isDetached = false
            isResuming = false
            givesUp = nil
        case .createBooking:
            let isGivingUp = try root.optionalBoolean("give_up") ?? false
            if idempotencyKey == nil, !isGivingUp {
                throw root.refuse("idempotency_key", "is required: \(keyForm)")
            }
            isDetached = try root.optionalBoolean("detach") ?? false
            isResuming = try root.optionalBoolean("resume") ?? false
            givesUp = isGivingUp ? try GiveUp(root) : nil
        }
        timeoutMilliseconds = try root.optionalInteger("timeout_ms", in: 1...600_000)
        slowAfterMilliseconds = try root.optionalInteger("slow_after_ms", in: 1...600_000)
        traceparent = try root.optionalString(
            "traceparent", maxBytes: 55, "a W3C trace context of version 00, such as 00-<32 hex digits>-<16 hex digits>-01",
            FieldRules.isTraceparent)

        self.operation = operation
        if isResuming || givesUp != nil {
            let others: [StaticString] = isResuming ? ["bot_id", "booking", "conversation", "start_before"] : []
            for name in others where try root.value(name) != nil {
                throw root.refuse(name, "must be left out with \"resume\":true: the recorded request is sent")
            }
            body = []
            return
        }
        botID = try root.checkText("bot_id", maxBytes: 256, "a string of 1 to 256 bytes") { !$0.isEmpty }.string
        switch operation {
        case .searchAvailability: try FieldRules.checkQuery(root.object("query"))
        case .createBooking:
            let (start, minutes, _) = try FieldRules.checkBooking(root.object("booking"))
            startSeconds = start
            wish = try Wish(
                root, Fingerprint(document.root, without: Self.ownMembers(operation)),
                BookingSummary(
                    botID: botID ?? "", startAt: document.root["booking"]?["start_at"]?.string ?? "",
                    durationMinutes: minutes, startSeconds: start))
        case .lookupCustomer: try FieldRules.checkCustomer(root.object("customer"))
        }

        let ownMembers = Self.ownMembers(operation)
        let holdsOwn = ownMembers.contains { document.root.member($0).count > 0 }
        body = holdsOwn ? document.object(without: ownMembers) : json
    }

    /// Replaces the body by the recorded one.
    mutating func replaceBody(with recorded: [UInt8]) {
        body = recorded
        guard isResuming, let summary = BookingSummary(body: recorded) else { return }
        botID = summary.botID
        startSeconds = summary.startSeconds
    }

    /// The members that are taken off before the request is sent.
    private static func ownMembers(_ operation: CallOperation) -> [StaticString] {
        switch operation {
        case .searchAvailability, .lookupCustomer: ["timeout_ms", "slow_after_ms", "tag", "traceparent"]
        case .createBooking:
            [
                "timeout_ms", "slow_after_ms", "tag", "traceparent", "idempotency_key", "conversation", "detach", "resume",
                "give_up", "start_before",
            ]
        }
    }
}

extension PartnerBookingError {
    /// Returns the error of a call that was refused before its request was read. A client that is closed may have sent the
    /// booking before.
    package func beforeSending(_ operation: CallOperation) -> PartnerBookingError {
        ErrorContext(operation: operation).annotating(self, outcome: code == .clientClosed ? .unknown : .notSent)
    }
}

/// What every error of one call carries: its tag, and for a booking its key and what may have become of it.
struct ErrorContext: Sendable {
    let operation: CallOperation
    var tag: String?
    var idempotencyKey: String?

    /// The error with the members that belong to its call. Until a request was sent its outcome is `not_sent`.
    func annotating(
        _ error: PartnerBookingError, outcome: PartnerBookingError.Outcome = .notSent, attempts: Int = 0,
        timing: CallTiming? = nil
    ) -> PartnerBookingError {
        var error = error
        error.tag = tag
        error.attempts = attempts
        error.timing = timing
        if operation == .createBooking {
            error.outcome = outcome
            error.idempotencyKey = idempotencyKey
        }
        return error
    }
}

extension ErrorContext {
    init(_ request: Request) {
        self.init(operation: request.operation, tag: request.tag, idempotencyKey: request.idempotencyKey)
    }
}
