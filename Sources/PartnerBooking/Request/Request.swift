/// A checked request: the first stage of a call. The caller's thread reads it once, and the
/// results travel with it.
final class Request: Sendable {
    static let maxBytes = 262_144

    let operation: CallOperation
    /// The text to send, without the library's own members. With `resume` it is empty until the
    /// ledger has found the booking, with `give_up` always.
    let body: [UInt8]
    /// The wish of a booking. nil for other requests, `resume` and `give_up`.
    let wish: Wish?
    /// The requested start of a booking, in seconds since 1970. nil for other operations, and
    /// until the ledger has found the booking.
    let startSeconds: Int?
    /// The last requested moment, in seconds since 1970: a search's end, or a booking's start.
    /// `Int.max` for look-ups, `resume` and `give_up`.
    private let lastSeconds: Int
    /// True for a search with a plain date in its range.
    let hasPlainDates: Bool
    /// The key of a booking. nil for other operations, and when several bookings are given up.
    let idempotencyKey: String?
    let timeoutMilliseconds: Int?
    let slowAfterMilliseconds: Int?
    /// True when a cancel does not end the call.
    let isDetached: Bool
    /// True when the request asks for its recorded booking by the key alone.
    let isResuming: Bool
    /// The bookings in doubt to give up. nil: none.
    let givesUp: GiveUp?
    let tag: String?
    let traceparent: String?
    /// The parsed request, and the members that `body` leaves out. nil until the ledger has
    /// found the booking.
    private let document: JSONDocument?
    private let leftOut: [StaticString]

    /// The bot. nil until the ledger has found the booking. Most searches need it only in their
    /// body.
    var botID: String? { wish?.summary?.botID ?? document?.root["bot_id"]?.string }

    /// Reads a request as docs/json-contract.md describes it. The error names the first wrong
    /// member.
    convenience init(_ operation: CallOperation, json: [UInt8]) throws(PartnerBookingError) {
        var context = ErrorContext(operation: operation)
        let document: JSONDocument
        let refusal: PartnerBookingError
        do throws(PartnerBookingError) {
            document = try JSONDocument(json, what: "request", maxBytes: Self.maxBytes)
        } catch {
            throw context.annotating(error)
        }
        do throws(PartnerBookingError) {
            try self.init(operation, document, written: nil, context: &context)
            return
        } catch {
            refusal = error
        }
        // A refused request may be right, but written in another way.
        guard let canonical = CanonicalRequest.of(document, operation) else { throw context.annotating(refusal) }
        do throws(PartnerBookingError) {
            try self.init(operation, canonical, written: document, context: &context)
        } catch {
            throw context.annotating(error)
        }
    }

    /// Reads a parsed request. `written` is the caller's text, if `document` is its canonical
    /// form. `context` contains what was read before an error.
    private init(
        _ operation: CallOperation, _ document: JSONDocument, written: JSONDocument?, context: inout ErrorContext
    ) throws(PartnerBookingError) {
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)

        // The key is first, because the outcome of an error depends on it. Then the tag, so
        // that errors contain it.
        idempotencyKey =
            operation == .createBooking
            ? try root.optionalString("idempotency_key", maxBytes: 255, Form.idempotencyKey, FieldRules.isVisibleASCII) : nil
        context.idempotencyKey = idempotencyKey
        tag = try root.optionalString("tag", maxBytes: 256, Form.textUpTo256)
        context.tag = tag
        if operation == .createBooking {
            let isGivingUp = try root.optionalBoolean("give_up") ?? false
            if idempotencyKey == nil, !isGivingUp { throw root.missing("idempotency_key", Form.idempotencyKey.description) }
            isDetached = try root.optionalBoolean("detach") ?? false
            isResuming = try root.optionalBoolean("resume") ?? false
            givesUp = isGivingUp ? try GiveUp(root) : nil
        } else {
            (isDetached, isResuming, givesUp) = (false, false, nil)
        }
        timeoutMilliseconds = try root.optionalInteger("timeout_ms", in: 1...600_000)
        slowAfterMilliseconds = try root.optionalInteger("slow_after_ms", in: 1...600_000)
        traceparent = try root.optionalString(
            "traceparent", maxBytes: 55, Form.traceparent, FieldRules.isTraceparent)

        self.operation = operation
        if isResuming || givesUp != nil {
            let others: [StaticString] = isResuming ? ["bot_id", "booking", "conversation", "start_before"] : []
            for name in others where try root.value(name) != nil {
                throw root.refuse(name, MemberMessage.notForResume, .unexpected)
            }
            (body, self.document, leftOut, wish, startSeconds, lastSeconds) = ([], nil, [], nil, nil, .max)
            hasPlainDates = false
            return
        }
        let hasEscapes = document.hasEscapes
        let botID = try root.checkText("bot_id", maxBytes: 256, Form.text1To256) {
            !$0.isEmpty && (!hasEscapes || FieldRules.isLine($0))
        }
        leftOut = Self.ownMembers(operation).filter { root.hasMember($0) }
        let isBooking = operation == .createBooking
        wish = isBooking ? try Self.wish(root, botID: botID, without: leftOut, written: written) : nil
        startSeconds = wish?.summary?.startSeconds
        switch operation {
        case .searchAvailability:
            let range = try FieldRules.checkQuery(root.object("query"))
            lastSeconds = range.end.latestSeconds
            hasPlainDates = range.start.isDate || range.end.isDate
        case .lookupCustomer:
            try FieldRules.checkCustomer(root.object("customer"))
            (lastSeconds, hasPlainDates) = (.max, false)
        case .createBooking: (lastSeconds, hasPlainDates) = (startSeconds ?? .max, false)
        }
        if hasEscapes { try document.refuseNull(without: leftOut) }
        self.document = document
        body = leftOut.isEmpty ? document.bytes : document.object(without: leftOut)
    }

    /// Checks the booking in a request, and returns its wish.
    private static func wish(
        _ root: ObjectReader, botID: JSONValue, without names: [StaticString], written: JSONDocument?
    ) throws(PartnerBookingError) -> Wish {
        let booking = try FieldRules.checkBooking(root.object("booking"))
        return try Wish(
            root, Fingerprint(root.object, without: names),
            BookingSummary(
                botID: botID.string ?? "", startAt: booking.startAt.string ?? "", durationMinutes: booking.minutes,
                startSeconds: booking.startSeconds), written: written?.object(without: ownMembers(.createBooking)))
    }

    /// Returns the request with the recorded body in place of its own.
    func sending(_ recorded: [UInt8]) -> Request { recorded == body ? self : Request(self, recorded) }

    private init(_ request: Request, _ recorded: [UInt8]) {
        let document = try? JSONDocument(recorded, profile: .request)
        let root = document?.root
        body = recorded
        self.document = document
        leftOut = []
        startSeconds =
            request.startSeconds ?? root?["booking"].flatMap { BookingSummary(botID: root?["bot_id"], $0)?.startSeconds }
        operation = request.operation
        lastSeconds = request.lastSeconds
        hasPlainDates = false
        wish = request.wish
        idempotencyKey = request.idempotencyKey
        timeoutMilliseconds = request.timeoutMilliseconds
        slowAfterMilliseconds = request.slowAfterMilliseconds
        isDetached = request.isDetached
        isResuming = request.isResuming
        givesUp = request.givesUp
        tag = request.tag
        traceparent = request.traceparent
    }

    /// Returns the search with the days of a zone in place of plain dates. The range is from
    /// the first instant of the first day to the first instant after the last day.
    func withDays(of zone: Zone) throws(PartnerBookingError) -> Request {
        guard hasPlainDates, let document = try? JSONDocument(body, profile: .request),
            let range = document.root["query"]?["filter"]?["start_at_range"],
            let start = range["start_at"], let end = range["end_at"],
            let first = start.withText(Timestamp.init) ?? nil, let last = end.withText(Timestamp.init) ?? nil
        else { return self }
        let (from, to) = (zone.instant(first), zone.instant(last, isEnd: true))
        guard from < to else {
            let message = MemberMessage.notAfterStart(daysIn: zone.name)
            throw .field("query.filter.start_at_range.end_at", message, .outOfRange)
        }
        // Edits the later place first, so that the earlier place does not move.
        let edits = [(start, first, from), (end, last, to)].filter { $0.1.isDate }
        var json = body
        for (value, _, instant) in edits.sorted(by: { $0.0.span.lowerBound > $1.0.span.lowerBound }) {
            let offset = zone.offset(at: instant).flooringDivision(by: 60)
            json.replaceSubrange(
                value.span, with: JSONWriter.string(Timestamp.format(seconds: instant, offsetMinutes: offset)))
        }
        return Request(self, json)
    }

    /// Returns the body without some members, and with others in front; nil when there is none.
    func body(without names: [StaticString], adding write: (inout JSONWriter) -> Void) -> [UInt8]? {
        document?.object(without: leftOut + names, adding: write)
    }

    /// Tolerance for a moment that has passed. Clocks differ, a caller at the desk is booked
    /// from now on, and the platform has the last word. A platform refuses the signature of a
    /// clock that differs by more.
    static let pastToleranceSeconds = 300

    /// Refuses a booking whose start has passed, or a search whose whole range has. `now` is in
    /// seconds since 1970. Recorded requests are not checked.
    @inline(__always)
    func checkNotPast(now: Int) throws(PartnerBookingError) {
        if lastSeconds < now &- Self.pastToleranceSeconds { throw past(now: now) }
    }

    @inline(never)
    private func past(now: Int) -> PartnerBookingError {
        let today = Timestamp.day(ofSeconds: now)
        if let summary = wish?.summary {
            return .field("booking.start_at", MemberMessage.past(summary.startAt, today: today), .inThePast)
        }
        let end = document?.root["query"]?["filter"]?["start_at_range"]?["end_at"]?.string ?? MemberMessage.someTime
        return .field("query.filter.start_at_range.end_at", MemberMessage.past(end, today: today), .inThePast)
    }

    /// Returns the members that are removed before the request is sent.
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
    /// Returns the error of a call that was refused before its request was read. A closed
    /// client may have sent the booking earlier.
    package func beforeSending(_ operation: CallOperation) -> PartnerBookingError {
        ErrorContext(operation: operation).annotating(self, outcome: code == .clientClosed ? .unknown : .notSent)
    }
}

/// The members of every error of one call: its tag, and for a booking its key and outcome.
struct ErrorContext: Sendable {
    let operation: CallOperation
    var tag: String?
    var idempotencyKey: String?

    /// Returns the error with the members of its call. Until a request was sent, the outcome is
    /// `not_sent`.
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
