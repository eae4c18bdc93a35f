// A person gives up bookings in doubt. Nothing is sent.

extension Exchange {
    /// Accepts the ledger's result. nil: the key is unknown. `isAwaited`: the store has not
    /// recorded the result yet.
    mutating func gaveUp(_ result: BookingLedger.GivenUp?, isAwaited: Bool, _ now: MonotonicTime) -> [Effect] {
        guard phase == .claiming else { return [] }
        guard let result else { return refused(.nothingToGiveUp, .unknown, nil, now) }
        guard isAwaited else { return conclude(.success(result.json()), now) }
        phase = .givingUp(result)
        return [wait(.giveUpOverdue, until: now.adding(milliseconds: policy.journalTimeoutMilliseconds))]
    }

    /// Ends the exchange. `isDone`: the store has recorded the result.
    mutating func giveUpRecorded(_ isDone: Bool, _ now: MonotonicTime) -> [Effect] {
        guard case .givingUp(let result) = phase else { return [] }
        return conclude(.success(result.json(isJournaled: isDone)), now)
    }
}
