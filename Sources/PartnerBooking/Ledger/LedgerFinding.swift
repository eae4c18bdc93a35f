/// News of a key from the host's store, for the exchange that waits for it.
struct LedgerFinding: Sendable {
    enum State: Sendable {
        /// The key is ours. A dead engine, or this client before, may have sent the booking.
        case tookOver(LedgerRow, isOwn: Bool)
        /// An engine that may be alive has the key.
        case held(LedgerRow)
        /// The row as it is; nil: there is none. `isLive`: another client, which may be alive, is
        /// at work on it.
        case looked(LedgerRow?, isLive: Bool)
        /// The key belongs to another request.
        case other(PartnerBookingError.Existing?)
        /// Another engine has taken the key over.
        case lost
        /// A person has given bookings up, those of the keys among them. nil: nothing is known
        /// under the key.
        case gaveUp(BookingLedger.GivenUp?, [String])
        /// The store does not answer, or answers with an error.
        case failed(String)
    }

    /// `none`: whoever has the key in flight.
    let id: TransferID
    let key: String
    let state: State
    /// The record that was to be made.
    var record: JournalRecord?
    /// The record of the claim that was lost, by its clock. nil: not known.
    var clock: Int?
}

/// One round in which a person gives up bookings in the host's store.
struct LedgerGiveUp: Sendable {
    /// Rows of a bot that one round looks at.
    static let mostRows = 1_000

    private let selection: GiveUp
    private(set) var left: Set<String> = []
    /// The keys that were given up.
    private(set) var keys: [String] = []
    private var givenUp = BookingLedger.GivenUp()
    private var hasFound = false

    init(_ selection: GiveUp) {
        self.selection = selection
        if case .booking(let key) = selection { left = [key] }
    }

    /// nil: nothing is known under the key.
    var result: BookingLedger.GivenUp? {
        if case .booking = selection, !hasFound { return nil }
        return BookingLedger.GivenUp(givenUp: givenUp.givenUp.sorted(), kept: givenUp.kept.sorted())
    }

    /// Returns the keys to give up among the rows of a bot.
    mutating func selected(_ rows: [LedgerRow]) -> [String] {
        guard case .bookings(let botID, let startBefore) = selection else { return [] }
        let keys = rows.filter { row in
            guard row.state == .open, let summary = row.wish.summary, summary.botID == botID,
                let start = Timestamp(summary.startAt)
            else { return false }
            return start.isBefore(startBefore)
        }.map(\.key)
        left = Set(keys)
        return keys
    }

    /// The store has answered for a key.
    mutating func ended(_ key: String, _ answer: LedgerAnswer) {
        guard left.remove(key) != nil, let row = answer.row else { return }
        hasFound = true
        if case .givenUp = answer {
            keys.append(key)
            if let pending = row.pending(.inDoubt) { givenUp.givenUp.append(pending) }
        } else if let pending = row.pending(row.pendingState) {
            givenUp.kept.append(pending)
        }
    }
}

/// The times at which a client takes over what dead engines have left: each key at most once in a
/// minute, and more seldom the more often it was in vain.
struct TakeoverSchedule: Sendable {
    private static let firstPauseMilliseconds = 60_000
    private static let lastPauseMilliseconds = 600_000

    private var next: [String: (at: MonotonicTime, pause: Int)] = [:]

    /// Keys that are not to be taken over yet.
    func waiting(_ now: MonotonicTime) -> Int { next.values.count { now < $0.at } }

    /// Returns whether to take a key over now.
    mutating func admit(_ key: String, _ now: MonotonicTime) -> Bool {
        if let known = next[key], now < known.at { return false }
        let pause = next[key].map { min($0.pause * 2, Self.lastPauseMilliseconds) } ?? Self.firstPauseMilliseconds
        if next.count >= 10_000 { next = next.filter { now < $0.value.at } }
        next[key] = (now.adding(milliseconds: pause), pause)
        return true
    }
}
