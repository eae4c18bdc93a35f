import Glibc

/// The ledger of one client, and its storage beyond the process: a journal, or a store of the
/// host. The transfer thread and threads of the host share it.
final class LedgerStore: Sendable {
    struct State {
        var ledger: BookingLedger
        var clock: LedgerClock
        /// Heard ends whose `heard` record is not written yet, earliest first.
        var unwritten = FIFO<(key: String, record: Int, dueAt: MonotonicTime)>()
    }

    /// One hearing: the host has heard an end, or will have heard it at `moment` on the
    /// ledger's clock.
    private struct Hearing: Sendable {
        let key: String
        let end: TransferID
        let moment: Int
        /// The earliest time for the record in the journal.
        let dueAt: MonotonicTime
    }

    let state: Monitor<State>
    /// The hearings that the ledger does not have yet. They let a thread free a completion
    /// without waiting for the ledger. This lock is taken inside the lock of `state`.
    private let hearings = Monitor<[Hearing]>([])
    /// No other object uses it.
    private let journal: Journal?
    let host: HostLedger?
    private let clock: LedgerClock
    let service: @Sendable (String) -> Int?
    /// The handler that sends the bookings in doubt that were taken over. nil: it is not wanted.
    let resuming = Monitor<(@Sendable ([JournalEntry]) -> Void)?>(nil)
    private let process = getpid()

    /// The least delay between the hearing of an end and its record in the journal. So the
    /// journal is never ahead of a host that writes down what it has heard.
    static let heardMilliseconds = 1_000

    /// Restores `entries`. `openedAt` dates the sendings of earlier processes. `service`
    /// returns the service of a bot.
    init(
        _ ledger: BookingLedger, _ journal: Journal? = nil, host: HostLedger? = nil, restoring entries: [JournalEntry] = [],
        openedAt: MonotonicTime = .now(), service: @escaping @Sendable (String) -> Int? = { _ in 0 }
    ) {
        var ledger = ledger
        ledger.restore(entries, Evidence(inheritedAt: openedAt), service: service)
        clock = journal?.clock ?? host?.clock ?? LedgerClock()
        state = Monitor(State(ledger: ledger, clock: clock))
        self.journal = journal
        self.host = host
        self.service = service
    }

    func begin(_ request: Request, _ key: String, service: Int?, id: TransferID) -> BookingLedger.Decision {
        let wallClock = WallClock.milliseconds()
        return state.withLock { state in
            noteHearings(&state)
            let decision = state.ledger.begin(
                key, request.wish, body: request.body, service: service, id: id, now: state.clock.now,
                wallClock: wallClock)
            // The lease of the recorded booking may be over, so it needs a new claim.
            guard host != nil, case .send(var grant) = decision, grant.isRecorded else {
                return decision
            }
            grant.isRecorded = false
            return .send(grant)
        }
    }

    /// Ends a booking in flight. `end` identifies this end.
    func ended(_ key: String, _ ending: BookingLedger.Ending, end: TransferID) {
        state.withLock { $0.ledger.ended(key, ending, end: end, now: $0.clock.now) }
        if let host, case .inDoubt = ending {
            host.release(key)
            state.withLock { $0.ledger.leftToOthers(key) }
        }
        guard isJournaled, case .booked(let reply) = ending,
            let entry = state.withLock({ $0.ledger.wish(of: key) })
        else { return }
        let kept = journal?.keepsReplies ?? true ? reply : nil
        append(key) { .booked(entry.wish, recordedAt: entry.recordedAt, reply: kept) }
    }

    /// Returns the error of a booking that was refused before its key was looked up. The
    /// booking of a known key may have been made, so its outcome becomes `unknown`.
    func annotating(_ error: PartnerBookingError) -> PartnerBookingError {
        guard error.outcome == .notSent, let key = error.idempotencyKey, mayBeMade(key) else { return error }
        var error = error
        error.outcome = .unknown
        return error
    }

    /// Returns whether the key's booking is booked, in flight or in doubt.
    func mayBeMade(_ key: String) -> Bool { state.withLock { $0.ledger.mayBeMade(key, now: $0.clock.now) } }

    func knownBookings(of conversation: String, botID: String) -> [BookingLedger.Known] {
        state.withLock { state in
            noteHearings(&state)
            return state.ledger.bookings(of: conversation, botID: botID, now: state.clock.now)
        }
    }

    // MARK: The journal

    /// True when bookings are recorded beyond the process.
    var isJournaled: Bool { journal != nil || host != nil }

    /// The state of the journal's file when it was opened. nil without a journal.
    var opening: (path: String, found: Journal.Opening)? { journal.map { ($0.path, $0.opening) } }

    /// Starts the thread that writes the journal or serves the host's store, if there is one.
    /// `report` gets the result of each record with an ID. `find` gets the findings from the store.
    func startJournal(
        report: @escaping @Sendable ([Journal.Report]) -> Void,
        find: @escaping @Sendable ([LedgerFinding]) -> Void = { _ in }
    ) throws(PartnerBookingError) -> Thread? {
        if let host {
            return try host.start(
                HostLedger.Receiver(
                    report: report, find: find, waiting: { [self] in heardRecords(isEnd: $0) },
                    inherit: { [self] in inheritOrphans($0) }))
        }
        return try journal?.start(report: report, waiting: { [self] in heardRecords(isEnd: $0) }, heir: self)
    }

    /// Begins the close: no more records will come.
    func beginClose() {
        journal?.beginClose()
        host?.beginClose()
    }

    /// Returns whether the thread of the journal or the store is about to end. False: the disk
    /// or the host hangs.
    func waitForEnd(until moment: MonotonicTime) -> Bool {
        journal?.waitForEnd(until: moment) ?? host?.waitForEnd(until: moment) ?? true
    }

    /// Stops waiting for a thread that does not end.
    func abandon(_ thread: Thread) {
        host?.abandon()
        thread.detach()
    }

    // MARK: Hearing of an end

    /// The bookings whose end the host has not heard, oldest first.
    var pending: [BookingLedger.Pending] {
        state.withLock { state in
            noteHearings(&state)
            return state.ledger.pending(state.clock.now)
        }.sorted()
    }

    /// Notes that the host has heard an end, or will have heard it after `delay` milliseconds.
    func heard(_ key: String, end: TransferID, afterMilliseconds delay: Int) {
        // In a forked child a thread that does not exist there may hold the lock. The booking
        // belongs to the parent.
        guard getpid() == process else { return }
        let dueAt = MonotonicTime.now().adding(milliseconds: Self.heardMilliseconds)
        let hearing = Hearing(key: key, end: end, moment: clock.now + delay * 1_000, dueAt: dueAt)
        hearings.withLock { $0.append(hearing) }
        journal?.ask(at: dueAt)
        host?.ask(at: dueAt)
    }

    /// Hands the hearings to the ledger.
    func noteHearings(_ state: inout State) {
        let hearings = hearings.withLock { hearings in
            defer { hearings.removeAll(keepingCapacity: true) }
            return hearings
        }
        for hearing in hearings {
            guard let record = state.ledger.heard(hearing.key, end: hearing.end, at: hearing.moment), isJournaled
            else { continue }
            state.unwritten.append((hearing.key, record, hearing.dueAt))
        }
    }

    /// Returns the records of heard ends: the due ones, or at the end all of them. Called on
    /// the thread of the journal or the store.
    func heardRecords(isEnd: Bool) -> [JournalRecord] {
        let now = MonotonicTime.now()
        let at = WallClock.milliseconds()
        let (records, next) = state.withLock { state in
            noteHearings(&state)
            var records: [JournalRecord] = []
            while let first = state.unwritten.first, isEnd || first.dueAt <= now {
                _ = state.unwritten.popFirst()
                let stamp = JournalRecord.Stamp(at: at, clock: state.clock.tick())
                records.append(.event(.heard(end: first.record), key: first.key, stamp))
            }
            return (records, state.unwritten.first?.dueAt)
        }
        if let next {
            journal?.ask(at: next)
            host?.ask(at: next)
        }
        return records
    }

    // MARK: Given up by a person

    /// Returns the exchanges of the selected bookings that are in flight.
    func inFlight(_ selection: GiveUp) -> [TransferID] { state.withLock { $0.ledger.inFlight(selection) } }

    /// Forgets bookings in doubt. Returns nil when the key is unknown. The journal reports the
    /// result of the records under `id`.
    func giveUp(_ selection: GiveUp, id: TransferID) -> BookingLedger.GivenUp? {
        let at = WallClock.milliseconds()
        let (result, records) = state.withLock { state in
            noteHearings(&state)
            let result = state.ledger.giveUp(selection, now: state.clock.now)
            let records = (result?.givenUp ?? []).map { booking in
                JournalRecord.event(
                    .givenUp, key: booking.key, JournalRecord.Stamp(at: at, clock: state.clock.tick()))
            }
            return (result, records)
        }
        if !records.isEmpty { journal?.append(records, id: id) }
        return result.map { BookingLedger.GivenUp(givenUp: $0.givenUp.sorted(), kept: $0.kept.sorted()) }
    }

    // MARK: Records

    /// Writes the intent of a booking in flight, without waiting. Returns false without a
    /// journal or store. `isOrphan`: no call of this host has asked for the booking.
    func record(_ key: String, body: [UInt8], accountID: String?, id: TransferID, isOrphan: Bool = false) -> Bool {
        guard isJournaled, let entry = state.withLock({ $0.ledger.wish(of: key) }) else { return false }
        append(key, id: id, isOrphan: isOrphan) {
            .intent(entry.wish, body: body, accountID: accountID, recordedAt: entry.recordedAt)
        }
        return true
    }

    /// Notes that the intent is on the disk.
    func recorded(_ key: String, clock: Int?) { state.withLock { $0.ledger.recorded(key, clock: clock) } }

    /// Notes that the void is on the disk. Returns the end of a booking that it settles after
    /// its exchange.
    func voided(_ key: String, clock: Int?) -> BookingLedger.LateEnd? {
        state.withLock { $0.ledger.voided(key, clock: clock, now: $0.clock.now) }
    }

    /// Takes back a record that is not written yet. Returns false if it may be on the disk.
    func revoke(_ key: String, _ id: TransferID) -> Bool {
        let isRevoked = journal?.revoke(id) ?? host?.revoke(id) ?? true
        if isRevoked { recordUndone(key) }
        return isRevoked
    }

    /// Notes that the intent is not on the disk.
    func recordUndone(_ key: String) { state.withLock { $0.ledger.recordUndone(key) } }

    /// Writes that a booking was not made, without waiting.
    func void(_ key: String, _ outcome: PartnerBookingError.Outcome, id: TransferID) {
        guard let entry = state.withLock({ $0.ledger.wish(of: key) }) else { return }
        append(key, id: id) { .void(entry.wish, recordedAt: entry.recordedAt, outcome) }
    }

    /// Withdraws a booking whose call was cancelled.
    func withdraw(_ key: String) {
        guard state.withLock({ $0.ledger.withdraw(key) }) else { return }
        append(key) { .withdrawn }
    }

    /// Renews the intent of a cancelled booking in flight, because the host repeats it.
    func renew(_ key: String, accountID: String?) {
        let (renewed, recordedAt) = state.withLock { ($0.ledger.renew(key), $0.ledger.wish(of: key)?.recordedAt) }
        guard let (wish, body) = renewed else { return }
        append(key) { .intent(wish, body: body, accountID: accountID, recordedAt: recordedAt) }
    }

    /// Writes an event, if there is a journal or store. With an ID the result is reported.
    private func append(_ key: String, id: TransferID? = nil, isOrphan: Bool = false, _ event: () -> JournalRecord.Event) {
        guard isJournaled else { return }
        let event = event()
        let clock = state.withLock { state in
            let clock = state.clock.tick()
            if let isEnd = event.isEnd { state.ledger.recording(key, clock: clock, isEnd: isEnd) }
            return clock
        }
        let stamp = JournalRecord.Stamp(at: WallClock.milliseconds(), clock: clock)
        journal?.append(.event(event, key: key, stamp), id: id)
        host?.append(.event(event, key: key, stamp), id: id, isOrphan: isOrphan)
    }
}

extension LedgerStore: JournalHeir {
    /// Sets the handler for bookings in doubt that are taken over from other journals.
    func resumeInherited(_ body: @escaping @Sendable ([JournalEntry]) -> Void) { resuming.withLock { $0 = body } }

    func known(of key: String) -> JournalAdoption.Known {
        state.withLock { state in
            noteHearings(&state)
            return state.ledger.known(key, now: state.clock.now)
        }
    }

    var unsettledCount: Int { state.withLock { $0.ledger.unsettledCount } }

    func inherit(_ entries: [JournalEntry]) {
        let evidence = Evidence(inheritedAt: .now())
        // Takes the lock once per booking, so that no caller waits for all of them.
        let inherited = entries.filter { entry in
            let number = entry.wish.summary.flatMap { service($0.botID) }
            return state.withLock { $0.ledger.inherit(entry, service: number, evidence, now: $0.clock.now) }
        }
        resuming.withLock { $0 }?(inherited)
    }
}

extension JournalRecord.Event {
    /// True for an end, false for an intent, nil for other events.
    fileprivate var isEnd: Bool? {
        switch self {
        case .booked, .void: true
        case .intent: false
        case .withdrawn, .heard, .givenUp: nil
        }
    }
}

/// The receipt for one end of a booking. The host acknowledges it when it has heard that end.
package final class Receipt: Sendable {
    /// Weak, because a host may keep a completion long after the client was closed.
    private weak let ledger: LedgerStore?
    private let key: String
    private let end: TransferID

    init(_ ledger: LedgerStore, key: String, end: TransferID) {
        self.ledger = ledger
        self.key = key
        self.end = end
    }

    /// Acknowledges that the host has the end. Then its booking is no longer listed.
    package func acknowledge() { ledger?.heard(key, end: end, afterMilliseconds: 0) }

    /// Acknowledges, a second later, an end that a blocking call has returned. The process may
    /// die before the host has the end.
    func acknowledgeSoon() { ledger?.heard(key, end: end, afterMilliseconds: LedgerStore.heardMilliseconds) }
}
