/// The ledger of one client at work: what is known of each key, for the transfer thread and for those who list it, and the journal
/// that keeps it beyond the process.
final class BookingLedger: Sendable {
    /// How far the record of a booking has come.
    enum Recording {
        /// There is no journal, or the booking goes without it.
        case none
        case underWay
        case done
    }

    private let ledger: Monitor<Ledger>
    let journal: Journal?

    init(_ ledger: Ledger, _ journal: Journal? = nil, restoring entries: [JournalEntry] = []) {
        var ledger = ledger
        for entry in entries { ledger.restore(entry) }
        self.ledger = Monitor(ledger)
        self.journal = journal
    }

    /// What to do with a booking.
    func begin(_ request: Request, _ key: String, id: TransferID) -> Ledger.Decision {
        let fingerprint = request.isResuming ? nil : Fingerprint(body: request.body)
        return ledger.withLock {
            $0.begin(key, fingerprint, body: request.body, id: id, now: WallClock.milliseconds())
        }
    }

    /// The account in which an earlier process sent the booking, where that is known.
    func accountID(of key: String) -> String? { ledger.withLock { $0.accountID(of: key) } }

    /// Puts the intent of a booking in flight on its way to the disk.
    func record(_ key: String, body: [UInt8], accountID: String?, id: TransferID) -> Recording {
        guard let journal, let fingerprint = ledger.withLock({ $0.fingerprint(of: key) }) else { return .none }
        let now = WallClock.milliseconds()
        let intent = JournalRecord.intent(
            key: key, at: now, fingerprint: fingerprint, body: body, accountID: accountID)
        journal.append(intent, id: id)
        return .underWay
    }

    /// The intent is on the disk.
    func recorded(_ key: String) { ledger.withLock { $0.recorded(key) } }

    /// Whether a record that was under way is taken back before it was written.
    func withdraw(_ id: TransferID) -> Bool { journal?.withdraw(id) ?? true }

    /// Puts it on its way to the disk that a booking was not made.
    func void(_ key: String, id: TransferID) { journal?.append(.void(key: key, at: WallClock.milliseconds()), id: id) }

    /// A booking in flight has ended.
    func ended(_ key: String, _ ending: Ledger.Ending) {
        let now = WallClock.milliseconds()
        guard let entry = ledger.withLock({ $0.ended(key, ending, now: now) }) else { return }
        if case .booked(let reply) = entry.state {
            journal?.append(.booked(key: key, at: now, fingerprint: entry.fingerprint, reply: reply))
        }
    }

    /// The error of a booking that was refused before it was looked up. What is known of its key counts all the same: it may be
    /// booked, or under way.
    func completing(_ error: PartnerBookingError) -> PartnerBookingError {
        guard error.outcome == .notSent, let key = error.idempotencyKey, ledger.withLock({ $0.knows(key) }) else {
            return error
        }
        var error = error
        error.outcome = .unknown
        return error
    }

    /// What is not settled, oldest first.
    var pending: [Ledger.Pending] { ledger.withLock { $0 }.pending }
}
