/// Counts plain successes, the most common ends of calls and attempts. They need only counters.
extension CallCoordinator {
    /// Counts a call that ends with `event`.
    @inline(never)
    func noteEnd(of call: Call, _ id: TransferID, _ event: CallCompletion.Event, _ now: MonotonicTime) {
        guard !call.isOwn else { return }
        guard case .done(.success) = event else { return noteOddEnd(of: call, id, event, now) }
        statistics?.ended(
            CallKind(call.request.operation), .ok, microseconds: now.microseconds(since: call.submittedAt))
        if isLogging(.debug) { noteOddEnd(of: call, id, event, now) }
    }

    @inline(never)
    private func noteOddEnd(of call: Call, _ id: TransferID, _ event: CallCompletion.Event, _ now: MonotonicTime) {
        watch.ended(call, event, now, attempts: table.change(id) { $0.timing(call, now).attempts } ?? 0)
    }

    /// Counts an attempt that has ended.
    @inline(never)
    func noteEnd(of transfer: FinishedTransfer, isSuccess: Bool, _ exchange: borrowing Exchange) {
        guard isSuccess, !isLogging(.debug) else { return watch.ended(transfer, isSuccess: isSuccess, exchange) }
        if let statistics {
            statistics.attemptEnded(.success)
            if let timing = transfer.timing {
                statistics.count(timing.isConnectionReused ? .connectionsReused : .connectionsOpened)
            }
        }
    }

    @inline(__always)
    private func isLogging(_ level: LogLevel) -> Bool { logLevel.value >= UInt64(level.rawValue) }
}
