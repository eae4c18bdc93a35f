/// Settings of a platform that decide what its answers prove. See "What settles a doubt" in
/// docs/exactly-once.md.
struct BookingRules: Sendable, Equatable {
    /// The platform's treatment of idempotency keys.
    enum Keys: String, Sendable, CaseIterable {
        /// The platform keeps keys. It may check slot or time first.
        case kept
        /// The platform keeps keys, and checks the key first.
        case first
        /// The platform keeps no keys. The same key can book twice.
        case none
    }

    var keys = Keys.kept
    /// Maximum time that the platform works on one request. After that the request makes no
    /// booking.
    var platformLimitMilliseconds = 30_000
    /// True when another client may use the same key at the same time.
    var areKeysShared = false
    /// True when a reply with another start than the request is refused.
    var checksStart = true

    /// Margin on top of the limit, for the tolerance of clocks and networks.
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
    /// The reply contains a booking with another start.
    case otherBooking
    /// No usable answer. The sending may have made the booking.
    case none
}
