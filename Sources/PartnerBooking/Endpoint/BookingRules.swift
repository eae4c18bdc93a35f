/// Settings of a platform that decide what its answers prove: docs/exactly-once.md, "What settles a doubt".
struct BookingRules: Sendable, Equatable {
    /// The platform's treatment of idempotency keys.
    enum Keys: String, Sendable, CaseIterable {
        /// It keeps them. It may check slot or time first.
        case kept
        /// It keeps them, and checks the key first.
        case first
        /// It keeps none: the same key can book twice.
        case none
    }

    var keys = Keys.kept
    /// Longest time that the platform works on one request. After that the request makes no booking.
    var platformLimitMilliseconds = 30_000
    /// Another client may use the same key at the same time.
    var areKeysShared = false
    /// Refuse a reply with another start than the request.
    var checksStart = true

    /// Added to the limit: clocks and networks have a tolerance.
    static let marginMilliseconds = 1_000
}

/// The meaning of the answer to one sending.
enum Answer: Sendable, Equatable {
    /// The booking was made. For other operations: the reply has the promised shape.
    case made
    /// The booking exists and is declined or cancelled.
    case notConfirmed
    /// This sending made no booking, because of its slot or its members.
    case bookingRefused
    /// This sending was refused with a 409 and an unknown code. The key may be in progress.
    case conflict
    /// The key is in progress.
    case inProgress
    /// This sending made no booking, because of the caller, the moment or the route.
    case callerRefused
    /// A booking with another start.
    case otherBooking
    /// No usable answer. The sending may have made the booking.
    case none
}
