/// News about a key from the host's store, for the exchange that waits for it.
struct LedgerFinding: Sendable {
    enum State: Sendable {
        /// This client has the key. A dead engine, or this client earlier, may have sent the
        /// booking.
        case tookOver(LedgerRow, isOwn: Bool)
        /// An engine that may be alive has the key.
        case held(LedgerRow)
        /// The row as it is. nil: there is none. `isLive`: another client, which may be alive,
        /// works on it.
        case looked(LedgerRow?, isLive: Bool)
        /// The key belongs to another request.
        case other(PartnerBookingError.Existing?)
        /// Another engine has taken the key over.
        case lost
        /// A person has given bookings up: the result, and the keys that were given up. nil:
        /// the key is unknown.
        case gaveUp(BookingLedger.GivenUp?, [String])
        /// The store does not answer, or answers with an error.
        case failed(String)
    }

    /// The waiting exchange. `none`: the exchange that has the key in flight.
    let id: TransferID
    let key: String
    let state: State
    /// The record that the claim stands for.
    var record: JournalRecord?
    /// The clock of the lost claim's record. nil: not known.
    var clock: Int?
}

/// One round in which a person gives up bookings in the host's store.
struct LedgerGiveUp: Sendable {
    /// Number of rows of a bot that one round looks at.
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

    /// The result of the round. nil: the key is unknown.
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

    /// Takes the store's answer for a key.
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

/// The times at which a client takes over bookings of dead engines. Each key is tried at most
/// once a minute. Each further try comes later, up to ten minutes after the last one.
struct TakeoverSchedule: Sendable {
    private static let firstPauseMilliseconds = 60_000
    private static let lastPauseMilliseconds = 600_000

    private var next: [String: (at: MonotonicTime, pause: Int)] = [:]

    /// Returns the number of keys that must not be taken over yet.
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
