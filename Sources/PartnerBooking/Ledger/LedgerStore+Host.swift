// Results from the host's store.

extension LedgerStore {
    /// Takes over the row of a dead engine. Its key is in flight here.
    func tookOver(_ row: LedgerRow) {
        let number = row.wish.summary.flatMap { service($0.botID) }
        state.withLock { $0.ledger.tookOver(row, service: number) }
    }

    /// Notes that another client has ended the booking of a key. The host here gets that end
    /// as `end`.
    func endedElsewhere(_ row: LedgerRow, end: TransferID) {
        state.withLock { state in
            state.ledger.endedElsewhere(row, end: end, clock: state.clock.tick(), now: state.clock.now)
        }
    }

    /// Returns whether a row is about the booking that its key has here. True if the key is
    /// unknown here.
    func isEqual(_ row: LedgerRow) -> Bool {
        state.withLock { $0.ledger.wish(of: row.key) }.map { $0.wish.fingerprint == row.wish.fingerprint } ?? true
    }

    /// Removes a key that belongs to another request, of another client.
    func refusedElsewhere(_ key: String) { state.withLock { $0.ledger.refusedElsewhere(key) } }

    /// Forgets the bookings that a person has given up in the host's store.
    func gaveUp(_ keys: [String]) {
        state.withLock { state in
            for key in keys { _ = state.ledger.giveUp(.booking(key: key), now: state.clock.now) }
        }
    }

    /// Returns the exchange that has a key in flight. With `clock`, the key's claim must be
    /// the record with that clock.
    func exchange(of key: String, clock: Int?) -> TransferID? {
        state.withLock { $0.ledger.exchange(of: key, clock: clock) }
    }

    /// Takes over a booking that only the host's store knew.
    func inherit(_ row: LedgerRow) {
        let number = row.wish.summary.flatMap { service($0.botID) }
        state.withLock { state in
            noteHearings(&state)
            let entry = row.entry(clock: state.clock.tick())
            _ = state.ledger.inherit(entry, service: number, Evidence(inheritedAt: .now()), now: state.clock.now)
        }
    }

    /// Takes over the bookings that dead engines have left, and sends them again.
    func inheritOrphans(_ entries: [JournalEntry]) {
        let evidence = Evidence(inheritedAt: .now())
        let wallClock = WallClock.milliseconds()
        // Takes the lock once per booking, so that no caller waits for all of them.
        let orphans = entries.filter { entry in
            guard let summary = entry.wish.summary, summary.startMilliseconds > wallClock else { return false }
            let number = service(summary.botID)
            return state.withLock { state in
                noteHearings(&state)
                // The other half of the room is for the host's bookings.
                guard state.ledger.unsettledCount < state.ledger.unsettledLimit / 2 else { return false }
                guard let isKnown = state.ledger.isInDoubt(entry.key) else { return false }
                var entry = entry
                entry.clock = state.clock.tick()
                let now = state.clock.now
                guard isKnown || state.ledger.inherit(entry, service: number, evidence, now: now) else { return false }
                state.ledger.isOrphan(entry.key, isInherited: !isKnown)
                return true
            }
        }
        resuming.withLock { $0 }?(orphans)
    }
}
