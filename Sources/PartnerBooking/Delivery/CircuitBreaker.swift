/// A circuit breaker for one service, as a pure state machine. After several failed requests in
/// a row, calls fail at once for a while. Then one attempt probes the service, and its end
/// opens or closes the breaker.
struct CircuitBreaker: Sendable {
    struct Settings: Sendable, Equatable {
        /// Failed requests in a row that open it. 0: never. The attempts of one booking count
        /// once.
        var failures: Int
        /// Longest open time. The actual time is random, 50–100 % of this.
        var openMilliseconds: Int
    }

    /// A timed-out attempt counts as an outage if it got no response for this long. Shorter
    /// than a voice bot's time limit for a search, and longer than an impatient caller's.
    static let silenceMilliseconds = 3_000

    private enum State {
        /// Requests that have failed in a row.
        case closed(failed: Set<UInt64>)
        case open(until: MonotonicTime)
        /// From `until` on, the next attempt may probe, too.
        case halfOpen(probe: TransferID, until: MonotonicTime)
    }

    private let settings: Settings
    private var random: SplitMix64
    private var state = State.closed(failed: [])

    init(_ settings: Settings, seed: UInt64) {
        self.settings = settings
        random = SplitMix64(state: seed)
    }

    /// Returns whether an attempt may be made. After the open time the first attempt is the
    /// probe. If the probe stays silent, another probe follows.
    mutating func admit(_ id: TransferID, now: MonotonicTime) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen(let probe, _) where probe == id: return true
        case .open(let until), .halfOpen(_, let until):
            guard until <= now else { return false }
            state = .halfOpen(probe: id, until: max(reopening(now), now.adding(milliseconds: Self.silenceMilliseconds)))
            return true
        }
    }

    /// True when calls fail at once, except for a probe.
    var isOpen: Bool { if case .closed = state { false } else { true } }

    /// Returns the pause before another call is useful.
    func retryAfterMilliseconds(now: MonotonicTime) -> Int {
        switch state {
        case .closed: 0
        case .open(let until), .halfOpen(_, let until): until.milliseconds(since: now)
        }
    }

    /// Counts the end of an attempt. `isOutage` is nil for an attempt given up, which says
    /// nothing about the service. `subject` is the same for all attempts at one booking: one
    /// bad booking must not open the breaker for others.
    mutating func attemptEnded(_ id: TransferID, subject: @autoclosure () -> UInt64, isOutage: Bool?, now: MonotonicTime) {
        guard settings.failures > 0 else { return }
        switch (state, isOutage) {
        case (.closed(let failed), false?) where failed.isEmpty: break
        case (_, false?): state = .closed(failed: [])
        case (.closed(var failed), true?):
            failed.insert(subject())
            state = failed.count < settings.failures ? .closed(failed: failed) : .open(until: reopening(now))
        case (.halfOpen(let probe, _), true?) where probe == id: state = .open(until: reopening(now))
        case (.halfOpen(let probe, _), nil) where probe == id: state = .open(until: now)  // the next attempt probes
        default: break
        }
    }

    /// Returns the end of the open time. All clients see an outage at the same moment. Jitter
    /// keeps them from probing together.
    private mutating func reopening(_ now: MonotonicTime) -> MonotonicTime {
        let longest = settings.openMilliseconds
        return now.adding(milliseconds: Int.random(in: longest / 2...longest, using: &random))
    }
}
