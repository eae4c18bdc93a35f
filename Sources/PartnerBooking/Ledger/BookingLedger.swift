/// The state of each idempotency key: one key, one booking. A pure state machine. The caller
/// provides the time, from a `LedgerClock`.
///
/// A key is absent, in flight, in doubt, booked or refused. In doubt: the booking may have been
/// made. Refused: it was not made, and the key is free. Booked and refused are ends. An end is
/// listed until the host has heard it. Unheard ends and all booked keys stay for the retention
/// time, while there is room. A booking in doubt stays until it is settled or given up.
struct BookingLedger: Sendable {
    /// One end of a key, and the time when it is forgotten or counts as heard.
    private struct Settled: Sendable {
        let key: String
        let end: TransferID
        let dueAt: Int
    }

    let settings: Settings
    private(set) var entries: [String: Entry] = [:]
    private(set) var conversations = ConversationIndex()
    /// The keys whose end the host has not heard. Some may have been heard just now.
    private var listed: Set<String> = []
    /// Number of bookings in doubt or in flight, by service.
    private var unsettled: [Int: Int] = [:]
    private(set) var settledCount = 0
    /// Settled keys, oldest first. Some may be gone.
    private var settled = FIFO<Settled>()
    /// Ends that the host has heard, or will have heard, in the order of their receipts.
    private var receipts = FIFO<Settled>()
    /// Booked keys that the host has heard. They are the first to go when room is short.
    private var replaceable = FIFO<Settled>()

    init(_ settings: Settings) { self.settings = settings }

    var count: Int { entries.count }

    /// Number of bookings that one service may have in doubt or in flight.
    var unsettledLimit: Int { settings.capacity / 2 }

    // MARK: The life of a key

    /// Begins a booking under a key. Without a wish it resumes the recorded booking.
    /// `wallClock` is in milliseconds since 1970.
    mutating func begin(
        _ key: String, _ wish: Wish?, body: [UInt8], service: Int?, id: TransferID, now: Int, wallClock: Int
    ) -> Decision {
        forgetExpired(now)
        var known = entries[key]
        if known?.isExpired(now) ?? false {
            store(nil, under: key)
            known = nil
        }
        guard var entry = known else { return start(key, wish, body, service, id, wallClock, replacing: nil) }
        if let wish, !isEqual(wish, body, to: entry) {
            if case .refused = entry.state { return start(key, wish, body, service, id, wallClock, replacing: entry) }
            return .refuse(existing(entry))
        }
        switch entry.state {
        case .refused(let outcome):
            guard wish == nil else { return start(key, wish, body, service, id, wallClock, replacing: entry) }
            return entry.isHeard(now) ? .absent : .notMade(outcome, end: entry.end)
        case .inFlight(let id): return .join(id)
        case .booked(let reply?): return .replay(reply, end: entry.end)
        case .booked(nil):
            // Only the service has the reply.
            guard wish != nil else { return .replyNotKept }
            entry.ask(with: body, in: id)
            store(entry, under: key)
            return .send(Grant(body: body, evidence: .ofBookingMade, isRecorded: true))
        case .inDoubt(let evidence):
            // A repeat of a cancelled booking needs a new record.
            entry.isRecorded = entry.isRecorded && !entry.isWithdrawn
            let isOrphan = entry.isOrphan
            entry.isOrphan = false
            if wish != nil { entry.isInherited = false }
            entry.isWithdrawn = false
            entry.state = .inFlight(id)
            entries[key] = entry
            return .send(
                Grant(
                    body: entry.body, evidence: evidence, isRecorded: entry.isRecorded, accountID: entry.accountID,
                    isOrphan: isOrphan, owedReport: entry.owedReport))
        }
    }

    private mutating func start(
        _ key: String, _ wish: Wish?, _ body: [UInt8], _ service: Int?, _ id: TransferID, _ wallClock: Int,
        replacing refused: Entry?
    ) -> Decision {
        guard let wish else { return .absent }
        if let service, unsettled[service, default: 0] >= unsettledLimit { return .full(limit: unsettledLimit) }
        let old = makeRoom() ? entries[key] : refused
        var entry = Entry(wish: wish, body: body, recordedAt: wallClock, service: service, state: .inFlight(id))
        // The record of an earlier end stays valid until there is a new record.
        entry.recordedEnd = old?.recordedEnd
        store(entry, under: key, replacing: old)
        return .send(Grant(body: body))
    }

    private func isEqual(_ wish: Wish, _ body: [UInt8], to entry: Entry) -> Bool {
        let own = entry.isOfVersion1 ? Fingerprint.ofVersion1(body: wish.written ?? body) : wish.fingerprint
        if own == entry.wish.fingerprint { return true }
        // An earlier version sent requests as they were written, and recorded that fingerprint.
        guard !entry.isOfVersion1, let written = wish.written else { return false }
        return Fingerprint(body: written) == entry.wish.fingerprint
    }

    /// Ends a doubt when a void reaches the disk after its exchange has ended. Returns nil if
    /// the intent was not the only doubt, or if a later record follows the void.
    mutating func voided(_ key: String, clock: Int?, now: Int) -> LateEnd? {
        guard let clock, let entry = entries[key], entry.lastRecord == clock, case .inDoubt(let evidence) = entry.state,
            let outcome = evidence.outcomeWithoutRecord
        else { return nil }
        ended(key, .notBooked(outcome), end: entry.end, now: now)
        return LateEnd(outcome: outcome, end: entry.end, owedReport: entry.owedReport)
    }

    /// Ends a booking in flight. `end` identifies this end.
    mutating func ended(_ key: String, _ ending: Ending, end: TransferID, now: Int) {
        let expiresAt = now + settings.retentionMilliseconds * 1_000
        guard let place = entries.index(forKey: key),
            let (isSettled, service) = entries.values[place].end(ending, as: end, expiresAt: expiresAt), isSettled
        else { return }
        if let service { unsettled[service, default: 0] -= 1 }
        settledCount += 1
        settled.append(Settled(key: key, end: end, dueAt: expiresAt))
        // Refused keys are forgotten early, and leave their items in this queue.
        if settled.count > 2 * settledCount + 64 { settled = settled.filter { !isGone($0) } }
    }

    /// Restores the entries of an earlier process. Each has a different key.
    mutating func restore(_ entries: [JournalEntry], _ evidence: Evidence, service: (String) -> Int?) {
        let settled = entries.count { $0.isSettled }
        self.entries.reserveCapacity(entries.count - settled + min(settled, settings.capacity + 1))
        listed.reserveCapacity(entries.count { !$0.isHeard })
        for entry in entries {
            restore(entry, service: entry.wish.summary.flatMap { service($0.botID) }, evidence)
        }
    }

    /// Restores an entry whose key no other entry has. `evidence` is for a booking in doubt.
    mutating func restore(_ entry: JournalEntry, service: Int?, _ evidence: Evidence) {
        var restored = Entry(
            wish: entry.wish, body: [], recordedAt: entry.recordedAt, service: service, state: .inDoubt(evidence),
            accountID: entry.accountID, isOfVersion1: entry.isOfVersion1, isRecorded: true,
            isWithdrawn: entry.isWithdrawn)
        let expiresAt = entry.clock + settings.retentionMilliseconds * 1_000
        switch entry.state {
        case .unsettled(let body):
            restored.body = body
            restored.owedReport = OwedReport()
        case .booked(let reply): restored.settle(.booked(reply: reply), expiresAt: expiresAt)
        case .refused(let outcome): restored.settle(.refused(outcome), expiresAt: expiresAt)
        }
        if entry.isSettled {
            restored.recordedEnd = entry.clock
            restored.heardAt = entry.isHeard ? entry.clock : nil
            settled.append(Settled(key: entry.key, end: .none, dueAt: expiresAt))
            if entry.isHeard { replaceable.append(Settled(key: entry.key, end: .none, dueAt: expiresAt)) }
        }
        store(restored, under: entry.key, replacing: nil)
        // Otherwise the first new booking would drop them all at once.
        while settledCount > settings.capacity, let oldest = replaceable.popFirst() { forget(oldest) }
    }

    /// Notes that a booking in doubt is about to be taken over. `isInherited`: from another client.
    mutating func isOrphan(_ key: String, isInherited: Bool) {
        entries[key]?.isOrphan = true
        if isInherited { entries[key]?.isInherited = true }
    }

    mutating func remove(_ key: String) { store(nil, under: key) }

    /// Stores or removes an entry, and counts it.
    mutating func store(_ entry: Entry?, under key: String) { store(entry, under: key, replacing: entries[key]) }

    private mutating func store(_ entry: Entry?, under key: String, replacing old: Entry?) {
        if let old { count(old, -1) }
        if let entry { count(entry, 1) }
        conversations.replace(old?.wish, by: entry?.wish, key: key)
        entries[key] = entry
        if entry?.isListed ?? false { listed.insert(key) } else { listed.remove(key) }
    }

    private mutating func count(_ entry: Entry, _ step: Int) {
        if entry.isSettled {
            settledCount += step
        } else if let service = entry.service {
            unsettled[service, default: 0] += step
        }
    }

    // MARK: Records

    /// Notes that an intent is on its way to the journal, or with `isEnd` the record of an end.
    /// `clock` identifies the record. After the record of an end, a repeat needs a new intent.
    mutating func recording(_ key: String, clock: Int, isEnd: Bool) {
        entries[key]?.lastRecord = clock
        guard isEnd else { return }
        entries[key]?.recordedEnd = clock
        entries[key]?.isRecorded = false
    }

    /// Notes that the intent did not reach the journal.
    mutating func recordUndone(_ key: String) {
        let recordedEnd = entries[key]?.recordedEnd
        entries[key]?.lastRecord = recordedEnd
    }

    /// Notes that the intent is in the journal. Has no effect if a later record is on its way.
    mutating func recorded(_ key: String, clock: Int?) {
        if let clock, entries[key]?.lastRecord == clock { entries[key]?.isRecorded = true }
    }

    /// Notes that the call of a booking was cancelled. Returns true if the journal must record
    /// it, also while the intent is being written.
    mutating func withdraw(_ key: String) -> Bool {
        guard let entry = entries[key], !entry.isSettled, !entry.wasMade else { return false }
        entries[key]?.isWithdrawn = true
        return true
    }

    /// Notes that the host repeats a cancelled booking in flight. Returns the intent to write,
    /// if any.
    mutating func renew(_ key: String) -> (wish: Wish, body: [UInt8])? {
        guard let entry = entries[key], entry.isWithdrawn, !entry.isSettled else { return nil }
        entries[key]?.isWithdrawn = false
        return (entry.wish, entry.body)
    }

    /// Returns the wish of a key and the time of its request, in milliseconds since 1970.
    func wish(of key: String) -> (wish: Wish, recordedAt: Int)? { entries[key].map { ($0.wish, $0.recordedAt) } }

    // MARK: Hearing of an end

    /// Notes that the host has heard an end, or will have heard it at `moment`. Returns the
    /// clock of the end's record in the journal, at the first time only.
    mutating func heard(_ key: String, end: TransferID, at moment: Int) -> Int? {
        guard let place = entries.index(forKey: key),
            let (heardAt, record) = entries.values[place].hear(end, at: moment)
        else { return nil }
        receipts.append(Settled(key: key, end: end, dueAt: heardAt))
        return record
    }

    /// Returns the bookings whose end the host has not heard, in any order.
    func pending(_ now: Int) -> [Pending] {
        listed.compactMap { key in
            entries[key].flatMap { $0.isHeard(now) || $0.isExpired(now) ? nil : pending(key, $0) }
        }
    }

    private func pending(_ key: String, _ entry: Entry) -> Pending? {
        entry.wish.summary.map { summary in
            Pending(
                key: key, summary: summary, recordedAt: entry.recordedAt, conversation: entry.wish.conversation,
                state: entry.pendingState)
        }
    }

    // MARK: Given up by a person

    /// Forgets bookings in doubt. Returns nil when the key is unknown.
    mutating func giveUp(_ selection: GiveUp, now: Int) -> GivenUp? {
        let selected = selected(selection).filter { !$0.entry.isExpired(now) }
        if case .booking = selection, selected.isEmpty { return nil }
        var result = GivenUp()
        for (key, entry) in selected {
            guard let pending = pending(key, entry) else { continue }
            if case .inDoubt = entry.state {
                store(nil, under: key)
                result.givenUp.append(pending)
            } else {
                result.kept.append(pending)
            }
        }
        return result
    }

    /// Returns the exchanges of the selected bookings that are in flight.
    func inFlight(_ selection: GiveUp) -> [TransferID] {
        selected(selection).compactMap { if case .inFlight(let id) = $0.entry.state { id } else { nil } }
    }

    private func selected(_ selection: GiveUp) -> [(key: String, entry: Entry)] {
        switch selection {
        case .booking(let key): return entries[key].map { [(key, $0)] } ?? []
        case .bookings(let botID, let startBefore):
            return listed.compactMap { key in
                guard let entry = entries[key], !entry.isSettled, let summary = entry.wish.summary,
                    summary.botID == botID, let start = Timestamp(summary.startAt), start.isBefore(startBefore)
                else { return nil }
                return (key, entry)
            }
        }
    }

    // MARK: Looking up

    /// Returns whether a booking under the key was made, or may have been made.
    func mayBeMade(_ key: String, now: Int) -> Bool {
        guard let entry = entries[key], !entry.isExpired(now) else { return false }
        if case .refused = entry.state { return false }
        return true
    }

    private func existing(_ entry: Entry) -> PartnerBookingError.Existing {
        let booking: JSONValue? =
            if case .booked(let reply?) = entry.state {
                (try? JSONDocument(reply, profile: .reply))?.root["booking"]
            } else {
                nil
            }
        return PartnerBookingError.Existing(
            state: entry.pendingState, startAt: entry.wish.summary?.startAt ?? booking?["start_at"]?.string,
            bookingID: booking?["id"]?.string)
    }

    // MARK: Forgetting

    /// Drops expired keys, and refused keys that were heard. Takes constant time on average.
    private mutating func forgetExpired(_ now: Int) {
        while let first = receipts.first, first.dueAt <= now {
            _ = receipts.popFirst()
            guard !isGone(first) else { continue }
            listed.remove(first.key)
            if case .booked = entries[first.key]?.state { replaceable.append(first) } else { forget(first) }
        }
        while let first = settled.first, first.dueAt <= now { forget(settled.popFirst()) }
        while let first = replaceable.first, isGone(first) { _ = replaceable.popFirst() }
    }

    /// Drops the oldest settled keys when there are too many, heard ones first. Bookings in
    /// doubt or in flight stay. Returns whether it dropped any.
    private mutating func makeRoom() -> Bool {
        guard settledCount >= settings.capacity else { return false }
        while settledCount >= settings.capacity, let oldest = replaceable.popFirst() ?? settled.popFirst() { forget(oldest) }
        return true
    }

    /// Returns true if the key has another state by now, or was settled again.
    private func isGone(_ settled: Settled) -> Bool {
        guard let entry = entries[settled.key], entry.isSettled else { return true }
        return entry.end != settled.end
    }

    private mutating func forget(_ settled: Settled?) {
        guard let settled, !isGone(settled) else { return }
        store(nil, under: settled.key)
    }
}
