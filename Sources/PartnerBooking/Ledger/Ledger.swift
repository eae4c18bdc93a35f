/// One idempotency key, one booking: the state of each key. A pure state machine; the clock is the caller's, in
/// milliseconds since 1970, because what it remembers outlives the process.
///
/// A key is absent, in flight, settled (the booking was made) or in doubt (it may have been made). A try that certainly
/// booked nothing leaves its key absent, free for a corrected request. "Recorded" is a key whose booking the journal
/// holds.
struct Ledger: Sendable {
    /// A key that is in flight from now on.
    struct Grant: Equatable, Sendable {
        /// The request to send. For a booking in doubt, the recorded one.
        var body: [UInt8]
        /// The evidence of earlier sendings under the key.
        var evidence = Evidence()
        var isRecorded = false
        var unheard: Unheard?
    }

    /// Marks a booking whose call ended `unknown`.
    struct Unheard: Equatable, Sendable {
        /// The call's.
        var tag: String?
    }

    /// The decision about a new call for a booking.
    enum Decision: Equatable {
        /// Send it: the key is in flight from now on, under the ID that was named.
        case send(Grant)
        /// The same booking is under way: share its end.
        case join(TransferID)
        /// It was made before: here is the reply to it.
        case replay([UInt8])
        /// The key belongs to another booking.
        case refuse
        /// There is nothing to resume under this key.
        case absent
    }

    /// The end of a delivery.
    enum Ending: Equatable {
        case booked(reply: [UInt8])
        /// It certainly booked nothing.
        case notBooked
        case inDoubt(Evidence, Unheard?)
    }

    /// A booking that is not settled or not reported.
    struct Pending: Equatable {
        enum State: String, Sendable {
            case inFlight = "in_flight"
            case inDoubt = "in_doubt"
            case booked
            case refused
        }

        let key: String
        let body: [UInt8]
        let recordedAt: Int
        let state: State
    }

    private enum State {
        case inFlight(TransferID)
        case settled(reply: [UInt8])
        case inDoubt(Evidence)
        /// It was not made, and there was no room to report that. The key is free.
        case refused
    }

    private struct Entry {
        let fingerprint: Fingerprint
        /// The request's; dropped once the booking is settled and reported.
        var body: [UInt8]
        let recordedAt: Int
        /// The account in which an earlier process sent it.
        var accountID: String?
        var state: State
        var isRecorded: Bool
        /// Its call was cancelled: nothing is sent until the host repeats it.
        var isWithdrawn = false
        var unheard: Unheard?
        /// When the entry is forgotten; nil while in flight.
        var expiresAt: Int?

        var isSettled: Bool {
            switch state {
            case .settled, .refused: true
            case .inFlight, .inDoubt: false
            }
        }

        var isInFlight: Bool {
            if case .inFlight = state { true } else { false }
        }

        /// nil: it is settled and reported.
        var pendingState: Pending.State? {
            switch state {
            case .inFlight: .inFlight
            case .inDoubt: .inDoubt
            case .settled: unheard == nil ? nil : .booked
            case .refused: .refused
            }
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

    /// Begins a booking under a key. Without a fingerprint: the one that is recorded there.
    mutating func begin(
        _ key: String, _ fingerprint: Fingerprint?, body: [UInt8], id: TransferID, now: Int
    ) -> Decision {
        if let expiresAt = entries[key]?.expiresAt, expiresAt <= now { entries[key] = nil }
        if case .refused = entries[key]?.state { entries[key] = nil }
        guard var entry = entries[key] else {
            guard let fingerprint else { return .absent }
            sweep(now)
            entries[key] = Entry(
                fingerprint: fingerprint, body: body, recordedAt: now, state: .inFlight(id), isRecorded: false)
            return .send(Grant(body: body))
        }
        if let fingerprint, fingerprint != entry.fingerprint { return .refuse }
        switch entry.state {
        case .refused: return .absent
        case .inFlight(let id): return .join(id)
        case .settled(let reply):
            if entry.unheard != nil {
                entries[key]?.unheard = nil
                entries[key]?.body = []
            }
            return .replay(reply)
        case .inDoubt(let evidence):
            // A cancelled booking that is repeated needs a new record.
            let isRecorded = entry.isRecorded && !entry.isWithdrawn
            entry.state = .inFlight(id)
            entry.expiresAt = nil
            entry.isWithdrawn = false
            entry.isRecorded = isRecorded
            entries[key] = entry
            return .send(
                Grant(body: entry.body, evidence: evidence, isRecorded: isRecorded, unheard: entry.unheard))
        }
    }

    /// The journal holds the booking now.
    mutating func recorded(_ key: String) { entries[key]?.isRecorded = true }

    /// The journal holds that the booking was not made: a repeat needs a new record.
    mutating func voided(_ key: String) { entries[key]?.isRecorded = false }

    func knows(_ key: String) -> Bool { entries[key] != nil }

    func fingerprint(of key: String) -> Fingerprint? { entries[key]?.fingerprint }

    func accountID(of key: String) -> String? { entries[key]?.accountID }

    /// A booking in flight has ended. Returns the entry that stays, or nil.
    @discardableResult
    mutating func ended(_ key: String, _ ending: Ending, now: Int) -> JournalEntry? {
        guard let entry = entries[key] else { return nil }
        let state: JournalEntry.State
        var evidence = Evidence()
        switch ending {
        case .notBooked:
            entries[key] = nil
            return nil
        case .booked(let reply): state = .booked(reply: reply)
        case .inDoubt(let known, _):
            state = .unsettled(body: entry.body)
            evidence = known
        }
        let recordedAt = if case .booked = state { now } else { entry.recordedAt }
        let rest = JournalEntry(
            key: key, fingerprint: entry.fingerprint, recordedAt: recordedAt, state: state, accountID: entry.accountID,
            isWithdrawn: entry.isWithdrawn)
        restore(rest, evidence)
        entries[key]?.isRecorded = entry.isRecorded
        if case .inDoubt(_, let unheard) = ending { entries[key]?.unheard = unheard }
        return rest
    }

    /// Restores an entry of an earlier process. `evidence` is for a booking that is not settled.
    mutating func restore(_ entry: JournalEntry, _ evidence: Evidence) {
        let (state, body): (State, [UInt8]) =
            switch entry.state {
            case .booked(let reply): (.settled(reply: reply), [])
            case .unsettled(let body): (.inDoubt(evidence), body)
            }
        entries[entry.key] = Entry(
            fingerprint: entry.fingerprint, body: body, recordedAt: entry.recordedAt, accountID: entry.accountID,
            state: state, isRecorded: true, isWithdrawn: entry.isWithdrawn, unheard: entry.isSettled ? nil : Unheard(),
            expiresAt: entry.expiresAt(retentionMilliseconds: retentionMilliseconds))
    }

    /// The call of a booking was cancelled. Returns whether to record it in the journal. True also while the intent is
    /// being written.
    mutating func withdraw(_ key: String) -> Bool {
        guard let entry = entries[key], !entry.isSettled else { return false }
        entries[key]?.isWithdrawn = true
        return true
    }

    /// The host repeats a cancelled booking that is in flight. Returns the record to write, if any.
    mutating func renew(_ key: String) -> JournalEntry? {
        guard let entry = entries[key], entry.isWithdrawn, !entry.isSettled else { return nil }
        entries[key]?.isWithdrawn = false
        return JournalEntry(
            key: key, fingerprint: entry.fingerprint, recordedAt: entry.recordedAt, state: .unsettled(body: entry.body),
            accountID: entry.accountID)
    }

    /// The end of a settled booking could not be reported. It stays pending until a call repeats the key.
    mutating func remainsUnheard(_ key: String, _ unheard: Unheard, body: [UInt8], now: Int) {
        guard entries[key] == nil, let fingerprint = Fingerprint(body: body) else {
            entries[key]?.unheard = unheard
            entries[key]?.body = body
            return
        }
        entries[key] = Entry(
            fingerprint: fingerprint, body: body, recordedAt: now, state: .refused, isRecorded: false, unheard: unheard,
            expiresAt: now + retentionMilliseconds)
    }

    /// Bookings that are not settled or not reported, oldest first.
    var pending: [Pending] {
        entries.compactMap { key, entry in
            entry.pendingState.map { Pending(key: key, body: entry.body, recordedAt: entry.recordedAt, state: $0) }
        }.sorted { ($0.recordedAt, $0.key) < ($1.recordedAt, $1.key) }
    }

    /// Drops expired keys. With too many keys, also drops the oldest tenth: settled ones first, then those in doubt. Keys
    /// in flight are never dropped. Once a minute, or else once in a tenth of the capacity.
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
