/// A schedule that decides when to make a connection before the next request, and when to
/// check it. A pure state machine: the caller passes the events and the time.
///
/// The transport defines the warm-up: a cheap request that opens a connection, or checks the
/// open one.
struct WarmUpSchedule: Sendable {
    /// The least time between two warm-ups, whatever the server does to its connections.
    static let leastGapMilliseconds = 1_000
    static let longestPauseMilliseconds = 60_000

    /// The longest idle time of a connection before it is used. 0 means warm-ups on request only.
    private let interval: Int
    private var random: SplitMix64
    private(set) var next: MonotonicTime?
    private var lastBegin: MonotonicTime?
    private var isUnderWay = false
    private var failures = 0

    init(intervalMilliseconds: Int, seed: UInt64) {
        interval = intervalMilliseconds
        random = SplitMix64(state: seed)
    }

    /// Schedules a warm-up as early as possible.
    mutating func wanted(now: MonotonicTime) {
        guard !isUnderWay else { return }
        let moment = earliest(now)
        next = min(next ?? moment, moment)
    }

    /// Returns the moment, or the end of the least gap if that is later.
    private func earliest(_ moment: MonotonicTime) -> MonotonicTime {
        max(moment, lastBegin?.adding(milliseconds: Self.leastGapMilliseconds) ?? moment)
    }

    /// Schedules a warm-up: the client has opened, or a connection was lost or may be dead.
    mutating func lost(now: MonotonicTime) {
        if interval > 0 { wanted(now: now) }
    }

    /// Notes that a request went well, so the connection and the server are good. The next
    /// warm-up is early by up to a quarter of the interval. Otherwise clients that all
    /// connected when the service came back would stay in step.
    mutating func used(now: MonotonicTime) {
        failures = 0
        guard interval > 0 else { return }
        next = earliest(now.adding(milliseconds: interval - Int.random(in: 0...interval / 4, using: &random)))
    }

    /// Returns true to warm up now. The warm-up counts as under way until `ended`.
    mutating func begin(now: MonotonicTime) -> Bool {
        guard !isUnderWay, let moment = next, moment <= now else { return false }
        next = nil
        lastBegin = now
        isUnderWay = true
        return true
    }

    mutating func ended(isWarm: Bool, now: MonotonicTime) {
        isUnderWay = false
        guard !isWarm else {
            used(now: now)
            return
        }
        failures = min(failures + 1, 16)
        guard interval > 0 else { return }
        // Jitter, as between attempts: a service that comes back must not meet all clients at once.
        let bound = min(Self.leastGapMilliseconds << (failures + 1), Self.longestPauseMilliseconds)
        let pause = Int.random(in: Self.leastGapMilliseconds...bound, using: &random)
        next = min(next ?? now.adding(milliseconds: pause), now.adding(milliseconds: pause))
    }
}
