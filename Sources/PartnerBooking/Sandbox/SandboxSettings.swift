/// The clinic that the sandbox plays: docs/json-contract.md, "The sandbox".
struct SandboxSettings: Sendable {
    /// Opening times of each day, Sunday first, in minutes after midnight.
    var openingHours: [[Range<Int>]]
    var utcOffsetMinutes: Int
    var slotMinutes: Int
    var days: Int
    var capacity: Int
    /// The clinic's treatment of idempotency keys.
    var keys: BookingRules.Keys
    /// nil: every bot is known.
    var bots: Set<String>?
    /// nil: every partner key is accepted.
    var apiKey: String?
    /// The clinic's time when the client opens, in seconds since 1970; nil: the system's clock.
    var now: Int?
    var latencyMilliseconds: Int
    /// Trouble for bookings; the first that applies happens.
    var faults: [SandboxFault]
    /// For what happens by chance.
    var seed: Int
}
