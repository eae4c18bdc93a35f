/// Spares callers the wait for a service that is out of order: after so many attempts in a row that met an outage, calls fail at
/// once for a while; then one attempt probes, and its end decides for all. A pure state machine.
struct CircuitBreaker: Sendable {
    struct Settings: Sendable, Equatable {
        /// Failed attempts in a row that open it; 0: never.
        var failures: Int
        /// At most; half of it at least.
        var openMilliseconds: Int
    }

    /// An attempt that met silence for so long, when its call ran out of time, tells that the service is out of order: less than a
    /// voice bot gives a search, and more than a caller who is just impatient.
    static let silenceMilliseconds = 3_000

    private enum State {
        case closed(failures: Int)
        case open(until: MonotonicTime)
        /// At the moment named the next one may probe, too.
        case halfOpen(probe: TransferID, until: MonotonicTime)
    }

    private let settings: Settings
    private var random: SplitMix64
    private var state = State.closed(failures: 0)

    init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(state: seed)
    }

    /// Whether an attempt may be made. The first after the time that it was open is the probe. One that meets silence is followed by
    /// another: a booking is patient, and the service may long be well again.
    mutating func admits(_ id: TransferID, now: MonotonicTime) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen(let probe, _) where probe == id: return true
        case .open(let until), .halfOpen(_, let until):
            guard until <= now else { return false }
            state = .halfOpen(probe: id, until: max(reopening(now), now.adding(milliseconds: Self.silenceMilliseconds)))
            return true
        }
    }

    /// When it is worth another call.
    func retryAfterMilliseconds(now: MonotonicTime) -> Int {
        switch state {
        case .closed: 0
        case .open(let until), .halfOpen(_, let until): until.milliseconds(since: now)
        }
    }

    /// An attempt has ended; `isOutage` is nil when it was given up and says nothing of the service.
    mutating func attemptEnded(_ id: TransferID, isOutage: Bool?, now: MonotonicTime) {
        guard settings.failures > 0 else { return }
        switch (state, isOutage) {
        case (_, false?): state = .closed(failures: 0)
        case (.closed(let failures), true?):
            state = failures + 1 < settings.failures ? .closed(failures: failures + 1) : .open(until: reopening(now))
        case (.halfOpen(let probe, _), true?) where probe == id: state = .open(until: reopening(now))
        case (.halfOpen(let probe, _), nil) where probe == id: state = .open(until: now)  // the next one probes
        default: break
        }
    }

    /// An outage begins for all clients at the same moment: by jitter they do not probe in step.
    private mutating func reopening(_ now: MonotonicTime) -> MonotonicTime {
        let longest = settings.openMilliseconds
        return now.adding(milliseconds: Int.random(in: longest / 2...longest, using: &random))
    }
}
