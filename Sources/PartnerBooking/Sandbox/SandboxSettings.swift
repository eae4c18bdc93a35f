/// The clinic that the sandbox plays. See "The sandbox" in docs/json-contract.md.
struct SandboxSettings: Sendable {
    /// The kind of items in a search reply.
    enum Listing: String, CaseIterable, Sendable {
        /// One item for each free slot.
        case slots
        /// One item for each free stretch of time. A booking may start at any second of it.
        case windows
    }

    /// The clinic's reading of a date without a time in a search.
    enum Dates: String, CaseIterable, Sendable {
        /// A day of the clinic. An end includes its day.
        case clinic
        /// Midnight UTC, for a start and for an end.
        case utc
    }

    /// The answer to a repeat while the first request with its key is at work. Used only when
    /// `keys` are checked first.
    enum InWork: String, CaseIterable, Sendable {
        /// A 409: the key is in progress.
        case refuse
        /// The booking of the first request, when it is made.
        case wait
        /// The answer for any other key: the first request holds the slot.
        case look
    }

    var listing: Listing
    var dates: Dates
    /// Opening hours of each day, Sunday first, in minutes after midnight.
    var openingHours: [[Range<Int>]]
    var zone: SandboxZone
    var slotMinutes: Int
    /// Minimum notice. A search lists nothing that starts earlier than this time from now.
    var noticeMinutes: Int
    var days: Int
    var capacity: Int
    /// The clinic's treatment of idempotency keys.
    var keys: BookingRules.Keys
    var inWork: InWork
    /// The known bots. Nil means every bot is known.
    var bots: Set<String>?
    /// The accepted partner key. Nil means every partner key is accepted.
    var apiKey: String?
    /// The clinic's time when the client opens, in seconds since 1970. Nil means the system's
    /// clock.
    var now: Int?
    var latencyMilliseconds: Int
    /// Faults to inject. The first fault that applies to a request is used.
    var faults: [SandboxFault]
    /// Seed of the random numbers.
    var seed: Int
}
