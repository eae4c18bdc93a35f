/// Counters and log, for the host.
extension PartnerBookingClient {
    /// Returns the counters since the client was opened, and the current gauges, as JSON:
    /// docs/json-contract.md. Never waits for network, resolver or file.
    ///
    /// - Throws: `clientClosed`.
    public func statsJSON() throws(PartnerBookingError) -> [UInt8] {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        let pending = ledger.pending
        let now = WallClock.milliseconds()
        let doubts = pending.filter { $0.state == .inDoubt }
        let unheard = pending.filter { $0.state == .booked || $0.state == .refused }
        let opening = ledger.opening?.found
        let moment = CallStatistics.Moment(
            uptimeMilliseconds: MonotonicTime.now().milliseconds(since: openedAt), openCalls: loop.openCalls,
            openConnections: loop.openConnections, inDoubt: doubts.count, oldestDoubtMilliseconds: Self.age(doubts, now),
            unheard: unheard.count, oldestUnheardMilliseconds: Self.age(unheard, now),
            journalDamagedBytes: opening?.damagedBytes ?? 0, journalsLeft: opening?.others?.left.count ?? 0)
        if let statistics = observer.statistics { return statistics.json(moment) }
        guard let nothing = CallStatistics() else { throw .resource(TransferMessage.noStatisticsMemory) }
        defer { nothing.free() }
        return nothing.json(moment)
    }

    /// Sends log lines up to a level to `receiver`, one JSON object each:
    /// docs/json-contract.md. nil turns the log off. It is off at first.
    ///
    /// `receiver` runs on the transfer thread. Hand the line over, and return. After this
    /// function has returned, the earlier receiver is not called again.
    ///
    /// - Throws: `clientClosed`. `wouldDeadlock` on the transfer thread of another client.
    public func setLog(
        _ level: LogLevel?, _ receiver: (@Sendable (LogLevel, [UInt8]) -> Void)?
    ) throws(PartnerBookingError) {
        guard !state.withLock({ $0.isClosed }) else { throw .clientClosed }
        guard !Thread.isCallbackThread || observer.log.isHome else { throw .wouldDeadlock }
        observer.log.set(level, receiver)
    }

    /// Counts a refused call. Returns its error.
    func counted(_ error: PartnerBookingError, of operation: CallOperation) -> PartnerBookingError {
        observer.refused(CallKind(operation), error, tag: error.tag)
        return error
    }

    /// Returns the age of the oldest booking in milliseconds, or 0.
    private static func age(_ bookings: [BookingLedger.Pending], _ now: Int) -> Int {
        bookings.map(\.recordedAt).min().map { max(0, now &- $0) } ?? 0
    }
}
