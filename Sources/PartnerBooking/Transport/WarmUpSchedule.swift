/// When to get a connection ready ahead of the next request, and when to look whether it is still good. A pure state machine:
/// it is told what happened and what time it is.
///
/// The transport defines the warm-up: a cheap request that opens a connection, or checks the open
/// one.
struct WarmUpSchedule: Sendable {
    /// Between two warm-ups at least; whatever a server does to its connections, it is not asked more often.
    static let leastGapMilliseconds = 1_000
    static let longestPauseMilliseconds = 60_000

    /// The longest idle time of a connection before it is used; 0: warm up on request only.
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

    /// Somebody asked for a connection.
    mutating func wanted(now: MonotonicTime) {
        guard !isUnderWay else { return }
        let moment = earliest(now)
        next = min(next ?? moment, moment)
    }

    /// The moment, or when the least gap is over.
    private func earliest(_ moment: MonotonicTime) -> MonotonicTime {
        max(moment, lastBegin?.adding(milliseconds: Self.leastGapMilliseconds) ?? moment)
    }

    /// The client has opened, or a connection was lost or may be dead.
    mutating func lost(now: MonotonicTime) {
        if interval > 0 { wanted(now: now) }
    }

    /// A request went well: there is a connection, and the server is well. Clients whose connections were made at the same moment,
    /// when the service came back, do not stay in step: up to a quarter of the interval is taken off.
    mutating func used(now: MonotonicTime) {
        failures = 0
        guard interval > 0 else { return }
        next = earliest(now.adding(milliseconds: interval - Int.random(in: 0...interval / 4, using: &random)))
    }

    /// Returns whether to warm up now. The warm-up counts as under way until `ended`.
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
        // Jitter, as between attempts: a service that comes back is not met by all its clients at once.
        let bound = min(Self.leastGapMilliseconds << (failures + 1), Self.longestPauseMilliseconds)
        let pause = Int.random(in: Self.leastGapMilliseconds...bound, using: &random)
        next = min(next ?? now.adding(milliseconds: pause), now.adding(milliseconds: pause))
    }
}
