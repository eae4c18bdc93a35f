/// Ends calls in place of a transfer thread that is stuck in libcurl or in a callback.
///
/// Applies only to calls whose completions go to the queue or to another call. Handlers are
/// called on the transfer thread only, and blocking calls watch the time themselves. Nothing
/// else changes: a booking stays in flight and is listed as pending.
extension TransferLoop {
    /// Time without a turn of the thread after which it counts as stuck.
    static let stuckMilliseconds = 500
    /// Time from a call's deadline to its end here.
    static let overdueMilliseconds = 500

    /// Ends overdue calls if the thread is stuck. Returns whether calls are open.
    static func endOverdue(_ shared: Monitor<Shared>, _ observer: Observer, _ now: MonotonicTime) -> Bool {
        let (calls, areOpen) = shared.withLock { shared in
            let isStuck = !shared.isAsleep && now.milliseconds(since: shared.drainedAt) >= stuckMilliseconds
            let calls =
                isStuck ? shared.claim { $0.deadline.adding(milliseconds: overdueMilliseconds) <= now } : []
            return (calls, shared.openCount > 0)
        }
        for call in calls { end(call, .timeout, observer, now) }
        return areOpen
    }

    /// Ends all of these calls that remain, when the close leaves the thread behind.
    func endAll(_ now: MonotonicTime) {
        for call in shared.withLock({ $0.claim { _ in true } }) {
            Self.end(call, .clientClosed, observer, now)
        }
    }

    private static func end(_ call: Call, _ error: PartnerBookingError, _ observer: Observer, _ now: MonotonicTime) {
        let result = CallResult.failure(call.context.annotating(error, outcome: .unknown))
        observer.ended(
            CallKind(call.request.operation), result, microseconds: now.microseconds(since: call.submittedAt), attempts: nil,
            call.identify)
        call.tell(.done(result), CallTiming(call, now))
    }
}

extension TransferLoop.Shared {
    /// Removes and returns open calls. The thread that removes a call completes it.
    fileprivate mutating func claim(_ isWanted: (Call) -> Bool) -> [Call] {
        let calls = queued.sortedNames.compactMap { queued[$0] }.filter(isWanted)
        for call in calls { queued.removeValue(under: TransferID(firstCall: call.ticket)) }
        openCount -= calls.count
        return calls
    }
}
