/// Exchanges that go on in the background, oldest first. Some may have ended.
struct UnattendedExchanges {
    private var ids: [TransferID] = []
    /// With more than this the list is looked through.
    private var mark = 0

    mutating func append(_ id: TransferID) { ids.append(id) }

    /// There may be more than the limits allow.
    var areMany: Bool { ids.count > mark }

    /// Returns the oldest exchanges beyond the limits of background exchanges and of their attempts. They are to be given up,
    /// and stay in doubt.
    mutating func beyond(_ limits: TransferLoop.Limits, _ table: ExchangeTable) -> [TransferID] {
        var seen: Set<TransferID> = []
        ids.removeAll { !table.isUnattended($0) || !seen.insert($0).inserted }
        mark = max(min(limits.maxUnattended, limits.maxInFlight), ids.count)
        let attempting = ids.filter(table.isAttempting)
        return attempting.dropLast(limits.maxUnattended) + ids.dropLast(limits.maxInFlight)
    }
}
