// Adds entries of other journals to a ledger that is in use.

extension BookingLedger {
    /// Number of bookings in doubt or in flight.
    var unsettledCount: Int { entries.count - settledCount }

    /// Returns the entry that a journal would contain for a key.
    func known(_ key: String, now: Int) -> JournalAdoption.Known {
        guard let entry = entries[key], !entry.isExpired(now) else { return .nothing }
        let state: JournalEntry.State
        switch entry.state {
        case .inFlight, .inDoubt: return .busy
        case .booked(let reply): state = .booked(reply: reply)
        case .refused(let outcome): state = .refused(outcome)
        }
        return .entry(
            JournalEntry(
                key: key, wish: entry.wish, recordedAt: entry.recordedAt, clock: entry.recordedEnd ?? now, state: state,
                isHeard: entry.heardAt != nil, isOfVersion1: entry.isOfVersion1))
    }

    /// Takes over an entry that is on the disk. Returns false if the ledger keeps its own
    /// entry: the host may have made the same booking meanwhile.
    mutating func inherit(_ entry: JournalEntry, service: Int?, _ evidence: Evidence, now: Int) -> Bool {
        var entry = entry
        switch known(entry.key, now: now) {
        case .nothing: break
        case .busy: return false
        case .entry(let own):
            guard case .other(let merged) = own.merging(entry) else { return false }
            entry = merged
        }
        remove(entry.key)
        restore(entry, service: service, evidence)
        return true
    }
}
