/// Spares callers the wait for a service that is out of order: after so many attempts in a row that met an outage, calls fail at
/// once for a while; then one attempt probes, and its end decides for all. A pure state machine.
struct CircuitBreaker: Sendable {
    struct Settings: Sendable, Equatable {
        /// Failed attempts in a row that open it; 0: never.
        var failures: Int
        var openMilliseconds: Int
    }

    private enum State {
        case closed(failures: Int)
        case open(until: MonotonicTime)
        case halfOpen(probe: TransferID)
    }

    private let settings: Settings
    private var state = State.closed(failures: 0)

    init(_ settings: Settings) { self.settings = settings }

    /// Whether an attempt may be made. The first after the time that it was open is the probe.
    mutating func admits(_ id: TransferID, now: MonotonicTime) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen(let probe): return probe == id
        case .open(let until):
            guard until <= now else { return false }
            state = .halfOpen(probe: id)
            return true
        }
    }

    /// When it is worth another call.
    func retryAfterMilliseconds(now: MonotonicTime) -> Int {
        if case .open(let until) = state { until.milliseconds(since: now) } else { settings.openMilliseconds }
    }

    /// An attempt has ended; `isOutage` is nil when it was given up and says nothing of the service.
    mutating func attemptEnded(_ id: TransferID, isOutage: Bool?, now: MonotonicTime) {
        guard settings.failures > 0 else { return }
        switch (state, isOutage) {
        case (_, false?): state = .closed(failures: 0)
        case (.closed(let failures), true?):
            state = failures + 1 < settings.failures ? .closed(failures: failures + 1) : .open(until: reopening(now))
        case (.halfOpen(let probe), true?) where probe == id: state = .open(until: reopening(now))
        case (.halfOpen(let probe), nil) where probe == id: state = .open(until: now)  // the next one probes
        default: break
        }
    }

    private func reopening(_ now: MonotonicTime) -> MonotonicTime { now.adding(milliseconds: settings.openMilliseconds) }
}
