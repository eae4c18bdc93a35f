/// The clinic that the sandbox plays: docs/json-contract.md, "The sandbox".
struct SandboxSettings: Sendable {
    /// The items of a search.
    enum Listing: String, CaseIterable, Sendable {
        /// One item for each slot.
        case slots
        /// One item for each free stretch of time. A booking may start at any second of it.
        case windows
    }

    /// The clinic's reading of a date without a time in a search.
    enum Dates: String, CaseIterable, Sendable {
        /// A day of the clinic. As an end it includes its day.
        case clinic
        /// Midnight UTC, as a start and as an end.
        case utc
    }

    /// The answer to a request when the first one with its key is at work. Only for `keys` that are checked first.
    enum InWork: String, CaseIterable, Sendable {
        /// A 409 that says so.
        case refuse
        /// The reply to the first request, when that is done.
        case wait
        /// The answer that any other key gets: the first request holds the slot.
        case look
    }

    var listing: Listing
    var dates: Dates
    /// Opening times of each day, Sunday first, in minutes after midnight.
    var openingHours: [[Range<Int>]]
    var zone: SandboxZone
    var slotMinutes: Int
    /// A search lists nothing that starts earlier than so many minutes from now.
    var noticeMinutes: Int
    var days: Int
    var capacity: Int
    /// The clinic's treatment of idempotency keys.
    var keys: BookingRules.Keys
    var inWork: InWork
    /// nil: every bot is known.
    var bots: Set<String>?
    /// nil: every partner key is accepted.
    var apiKey: String?
    /// The clinic's time when the client opens, in seconds since 1970; nil: the system's clock.
    var now: Int?
    var latencyMilliseconds: Int
    /// Trouble; the first that applies to a request happens.
    var faults: [SandboxFault]
    /// For what happens by chance.
    var seed: Int
}
