/// One idempotency key, one booking: what is known of each key. A pure state machine; the clock is the caller's, in milliseconds
/// since 1970, because what it remembers outlives the process.
///
/// A key is absent, in flight, settled (the booking was made) or in doubt (it may have been made). A try that certainly booked
/// nothing leaves its key absent, free for a corrected request. "Recorded" is a key whose booking the journal holds.
struct Ledger: Sendable {
    /// What to do with a booking.
    enum Decision: Equatable {
        /// Send it: the key is in flight from now on, under the ID that was named. When an earlier try is in doubt, so is this
        /// one until the service settles it.
        case send(body: [UInt8], isInDoubt: Bool, isRecorded: Bool)
        /// The same booking is under way: share its end.
        case join(TransferID)
        /// It was made before: here is the reply to it.
        case replay([UInt8])
        /// The key belongs to another booking.
        case refuse
        /// There is nothing to resume under this key.
        case absent
    }

    /// What came of a delivery.
    enum Ending: Equatable {
        case booked(reply: [UInt8])
        /// It certainly booked nothing.
        case notBooked
        case inDoubt
    }

    /// A booking that is not settled.
    struct Pending: Equatable {
        let key: String
        let body: [UInt8]
        let recordedAt: Int
        let isInFlight: Bool
    }

    private enum State {
        case inFlight(TransferID)
        case settled(reply: [UInt8])
        case inDoubt
    }

    private struct Entry {
        let fingerprint: Fingerprint
        /// The request's; let go of once the booking is settled.
        var body: [UInt8]
        let recordedAt: Int
        /// The account in which an earlier process sent it.
        var accountID: String?
        var state: State
        var isRecorded: Bool
        /// When the entry is forgotten; nil while in flight.
        var expiresAt: Int?

        var isSettled: Bool {
            if case .settled = state { true } else { false }
        }

        var isInFlight: Bool {
            if case .inFlight = state { true } else { false }
        }
    }

    let retentionMilliseconds: Int
    private let capacity: Int
    private var entries: [String: Entry] = [:]
    private var nextSweep = 0

    init(retentionMilliseconds: Int, capacity: Int) {
        self.retentionMilliseconds = retentionMilliseconds
        self.capacity = capacity
    }

    /// Keys known at the moment.
    var count: Int { entries.count }

    /// Somebody wants a booking made under a key. Without a fingerprint: the one that is in doubt there, whatever it is.
    mutating func begin(
        _ key: String, _ fingerprint: Fingerprint?, body: [UInt8], id: TransferID, now: Int
    ) -> Decision {
        if let expiresAt = entries[key]?.expiresAt, expiresAt <= now { entries[key] = nil }
        guard var entry = entries[key] else {
            guard let fingerprint else { return .absent }
            sweep(now)
            entries[key] = Entry(
                fingerprint: fingerprint, body: body, recordedAt: now, state: .inFlight(id), isRecorded: false)
            return .send(body: body, isInDoubt: false, isRecorded: false)
        }
        if let fingerprint, fingerprint != entry.fingerprint { return .refuse }
        switch entry.state {
        case .inFlight(let id): return .join(id)
        case .settled(let reply): return .replay(reply)
        case .inDoubt:
            entry.state = .inFlight(id)
            entry.expiresAt = nil
            entries[key] = entry
            return .send(body: entry.body, isInDoubt: true, isRecorded: entry.isRecorded)
        }
    }

    /// The journal holds the booking now.
    mutating func recorded(_ key: String) { entries[key]?.isRecorded = true }

    func knows(_ key: String) -> Bool { entries[key] != nil }

    func fingerprint(of key: String) -> Fingerprint? { entries[key]?.fingerprint }

    func accountID(of key: String) -> String? { entries[key]?.accountID }

    /// A booking in flight has ended. What is to be remembered of it, and is to go to the journal, or nil.
    @discardableResult
    mutating func ended(_ key: String, _ ending: Ending, now: Int) -> JournalEntry? {
        guard let entry = entries[key] else { return nil }
        let state: JournalEntry.State
        switch ending {
        case .notBooked:
            entries[key] = nil
            return nil
        case .booked(let reply): state = .booked(reply: reply)
        case .inDoubt: state = .unsettled(body: entry.body)
        }
        let recordedAt = if case .booked = state { now } else { entry.recordedAt }
        let rest = JournalEntry(
            key: key, fingerprint: entry.fingerprint, recordedAt: recordedAt, state: state, accountID: entry.accountID)
        restore(rest)
        entries[key]?.isRecorded = entry.isRecorded
        return rest
    }

    /// Takes back what an earlier process knew.
    mutating func restore(_ entry: JournalEntry) {
        let (state, body): (State, [UInt8]) =
            switch entry.state {
            case .booked(let reply): (.settled(reply: reply), [])
            case .unsettled(let body): (.inDoubt, body)
            }
        entries[entry.key] = Entry(
            fingerprint: entry.fingerprint, body: body, recordedAt: entry.recordedAt, accountID: entry.accountID,
            state: state,
            isRecorded: true, expiresAt: entry.expiresAt(retentionMilliseconds: retentionMilliseconds))
    }

    /// What is not settled, oldest first.
    var pending: [Pending] {
        entries.compactMap { key, entry in
            entry.isSettled
                ? nil : Pending(key: key, body: entry.body, recordedAt: entry.recordedAt, isInFlight: entry.isInFlight)
        }.sorted { ($0.recordedAt, $0.key) < ($1.recordedAt, $1.key) }
    }

    /// Lets go of what has expired, and when there are too many keys of the oldest tenth: those settled first, then those in
    /// doubt. Keys in flight are never let go. Once a minute, or else once in a tenth of the capacity.
    private mutating func sweep(_ now: Int) {
        guard now >= nextSweep || entries.count >= capacity else { return }
        nextSweep = now + 60_000
        entries = entries.filter { !($0.value.expiresAt.map { $0 <= now } ?? false) }
        guard entries.count >= capacity else { return }
        let resting = entries.filter { !$0.value.isInFlight }.sorted { left, right in
            left.value.isSettled == right.value.isSettled
                ? left.value.recordedAt < right.value.recordedAt : left.value.isSettled
        }
        for (key, _) in resting.prefix(entries.count - capacity + capacity / 10 + 1) { entries[key] = nil }
    }
}
