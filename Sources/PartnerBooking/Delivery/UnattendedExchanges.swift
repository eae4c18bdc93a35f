/// Exchanges that continue in the background, oldest first. Some may have ended.
struct UnattendedExchanges {
    private var ids: [TransferID] = []
    /// Length above which the list is checked.
    private var mark = 0

    mutating func append(_ id: TransferID) { ids.append(id) }

    /// True when there may be more exchanges than the limits allow.
    var areMany: Bool { ids.count > mark }

    /// Returns the oldest exchanges beyond the limits of background exchanges and of their
    /// attempts. The caller gives them up, and their bookings stay in doubt.
    mutating func beyond(_ limits: TransferLoop.Limits, _ table: ExchangeTable) -> [TransferID] {
        var seen: Set<TransferID> = []
        ids.removeAll { !table.isUnattended($0) || !seen.insert($0).inserted }
        mark = max(min(limits.maxUnattended, limits.maxInFlight), ids.count)
        let attempting = ids.filter(table.isAttempting)
        return attempting.dropLast(limits.maxUnattended) + ids.dropLast(limits.maxInFlight)
    }
}
