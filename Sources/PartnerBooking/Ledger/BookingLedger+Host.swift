// Keys that other clients of the host's store may also have.

extension BookingLedger {
    /// Replaces the entry of a booking in flight by the row that a dead engine has recorded.
    /// That record is the one that counts.
    mutating func tookOver(_ row: LedgerRow, service: Int?) {
        guard let old = entries[row.key], case .inFlight = old.state else { return }
        var entry = Entry(
            wish: row.wish, body: row.body, recordedAt: row.recordedAt, service: service, state: old.state,
            accountID: row.accountID, isRecorded: true, isInherited: old.isInherited)
        entry.owedReport = old.owedReport
        entry.lastRecord = old.lastRecord
        store(entry, under: row.key)
    }

    /// Ends the booking of a key that is in flight or in doubt here, because another client
    /// has ended it. `clock` identifies that end.
    mutating func endedElsewhere(_ row: LedgerRow, end: TransferID, clock: Int, now: Int) {
        guard case .booked(let reply) = row.state, let entry = entries[row.key], !entry.isSettled else { return }
        // The exchange that asked has ended, and another exchange now has the key in flight.
        if case .inFlight(let id) = entry.state, id != end { return }
        ended(row.key, .booked(reply: reply), end: end, now: now)
        recording(row.key, clock: clock, isEnd: true)
    }

    /// Removes a key that another client has, if no call of this host has asked for it.
    mutating func leftToOthers(_ key: String) {
        if entries[key]?.isInherited ?? false { remove(key) }
    }

    /// Removes a key that belongs to another request, of another client.
    mutating func refusedElsewhere(_ key: String) { remove(key) }

    /// Returns the exchange that has a key in flight. With `clock`, the key's claim must be
    /// the record with that clock.
    func exchange(of key: String, clock: Int?) -> TransferID? {
        guard let entry = entries[key], clock == nil || entry.lastRecord == clock, case .inFlight(let id) = entry.state
        else { return nil }
        return id
    }

    /// Returns whether a booking is in doubt here. nil: its call was cancelled, so it must not
    /// be sent.
    func isInDoubt(_ key: String) -> Bool? {
        guard let entry = entries[key], case .inDoubt = entry.state else { return false }
        return entry.isWithdrawn ? nil : true
    }
}
