/// The ledger of one client, shared by the transfer thread and by threads that list it, and the journal that keeps it
/// beyond the process.
final class BookingLedger: Sendable {
    private let ledger: Monitor<Ledger>
    let journal: Journal?

    /// `openedAt` dates the sendings of earlier processes.
    init(
        _ ledger: Ledger, _ journal: Journal? = nil, restoring entries: [JournalEntry] = [],
        openedAt: MonotonicTime = .now()
    ) {
        var ledger = ledger
        for entry in entries { ledger.restore(entry, Evidence(inheritedAt: openedAt)) }
        self.ledger = Monitor(ledger)
        self.journal = journal
    }

    /// Begins a booking under a key.
    func begin(_ request: Request, _ key: String, id: TransferID) -> Ledger.Decision {
        let fingerprint = request.isResuming ? nil : Fingerprint(body: request.body)
        return ledger.withLock {
            $0.begin(key, fingerprint, body: request.body, id: id, now: WallClock.milliseconds())
        }
    }

    /// Returns the account in which an earlier process sent the booking, if that is known.
    func accountID(of key: String) -> String? { ledger.withLock { $0.accountID(of: key) } }

    /// Writes the intent of a booking in flight, without waiting. Returns false when there is no journal.
    func record(_ key: String, body: [UInt8], accountID: String?, id: TransferID) -> Bool {
        guard let journal, let fingerprint = ledger.withLock({ $0.fingerprint(of: key) }) else { return false }
        let now = WallClock.milliseconds()
        let intent = JournalRecord.intent(
            key: key, at: now, fingerprint: fingerprint, body: body, accountID: accountID)
        journal.append(intent, id: id)
        return true
    }

    /// The intent is on the disk.
    func recorded(_ key: String) { ledger.withLock { $0.recorded(key) } }

    /// The void is on the disk.
    func voided(_ key: String) { ledger.withLock { $0.voided(key) } }

    /// Takes back a record that is not written yet. Returns false when it may be on the disk.
    func takeBack(_ id: TransferID) -> Bool { journal?.takeBack(id) ?? true }

    /// Writes that a booking was not made, without waiting.
    func void(_ key: String, id: TransferID) { journal?.append(.void(key: key, at: WallClock.milliseconds()), id: id) }

    /// The call of a booking was cancelled.
    func withdraw(_ key: String) {
        guard ledger.withLock({ $0.withdraw(key) }) else { return }
        journal?.append(.withdrawn(key: key, at: WallClock.milliseconds()))
    }

    /// The host repeats a cancelled booking that is still in flight.
    func renew(_ key: String, accountID: String?) {
        guard let entry = ledger.withLock({ $0.renew(key) }), case .unsettled(let body) = entry.state else { return }
        journal?.append(
            .intent(
                key: key, at: WallClock.milliseconds(), fingerprint: entry.fingerprint, body: body,
                accountID: accountID))
    }

    /// A booking in flight has ended.
    func ended(_ key: String, _ ending: Ledger.Ending) {
        let now = WallClock.milliseconds()
        guard let entry = ledger.withLock({ $0.ended(key, ending, now: now) }) else { return }
        if case .booked(let reply) = entry.state {
            journal?.append(.booked(key: key, at: now, fingerprint: entry.fingerprint, reply: reply))
        }
    }

    /// Returns the error of a booking that was refused before its key was looked up. A known key may be booked or under
    /// way, so its outcome is `unknown`.
    func completing(_ error: PartnerBookingError) -> PartnerBookingError {
        guard error.outcome == .notSent, let key = error.idempotencyKey, ledger.withLock({ $0.knows(key) }) else {
            return error
        }
        var error = error
        error.outcome = .unknown
        return error
    }

    /// The end of a settled booking could not be reported.
    func remainsUnheard(_ key: String, _ unheard: Ledger.Unheard, body: [UInt8]) {
        let now = WallClock.milliseconds()
        ledger.withLock { $0.remainsUnheard(key, unheard, body: body, now: now) }
    }

    /// Bookings that are not settled or not reported, oldest first.
    var pending: [Ledger.Pending] { ledger.withLock { $0 }.pending }
}
