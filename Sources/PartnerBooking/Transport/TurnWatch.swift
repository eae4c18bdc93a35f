/// A detector of servers that keep the transfer thread inside libcurl. A pure state machine.
///
/// libcurl 7.88 reads an HTTP/2 connection until it is empty. A server that sends faster than
/// libcurl reads keeps the thread there, beyond every deadline. Only another thread can end
/// this, by cutting the connection.
struct TurnWatch {
    enum Step: Equatable {
        /// Call `observe` again soon.
        case poll
        /// The thread has worked inside libcurl for long. Call `culprit`.
        case measure
        /// There are no turns now. The watchdog may sleep.
        case rest
    }

    /// The limits of a flood: bytes read in one turn, after so much processor time. Whole
    /// replies of hundreds of calls at once stay below them.
    private static let limits: [(microseconds: Int, bytes: UInt64)] = [
        (40_000, 2_097_152), (250_000, 262_144), (1_000_000, 1),
    ]
    /// Processor time in one turn before bytes are counted.
    static let suspiciousMicroseconds = 10_000
    static let pollMilliseconds = 30
    /// The polling interval while the thread stays in one turn.
    static let quickMilliseconds = 5
    static let restMilliseconds = 1_000

    /// True when the thread was seen inside libcurl in the current turn.
    private(set) var isLate = false
    /// The number of the turn. Odd while the thread is inside libcurl.
    private var turn: UInt64 = 0
    private var isFirst = true
    private var changedAt = MonotonicTime(nanoseconds: 0)
    private var usedAtStart = 0
    private var bytesAtStart: [Int: UInt64]?

    static func isInside(_ turn: UInt64) -> Bool { turn % 2 == 1 }

    /// Takes an observation and returns the next step. `used` is the processor time of the
    /// thread so far, in microseconds.
    mutating func observe(_ turn: UInt64, used: @autoclosure () -> Int, now: MonotonicTime) -> Step {
        if isFirst || turn != self.turn {
            (isFirst, self.turn, changedAt, bytesAtStart) = (false, turn, now, nil)
            isLate = Self.isInside(turn)
            usedAtStart = isLate ? used() : 0
            return .poll
        }
        if Self.isInside(turn) { return used() - usedAtStart >= Self.suspiciousMicroseconds ? .measure : .poll }
        return now.milliseconds(since: changedAt) >= Self.restMilliseconds ? .rest : .poll
    }

    /// Returns the server whose connections must be cut, if any. `bytes` contains the bytes
    /// read so far from each server.
    mutating func culprit(_ bytes: [Int: UInt64], used: Int) -> Int? {
        guard let before = bytesAtStart else {
            bytesAtStart = bytes
            return nil
        }
        let growth = bytes.map { (server: $0.key, bytes: $0.value - min($0.value, before[$0.key] ?? 0)) }
        guard let most = growth.max(by: { ($0.bytes, $1.server) < ($1.bytes, $0.server) }) else { return nil }
        let isFlood = Self.limits.contains { used - usedAtStart >= $0.microseconds && most.bytes >= $0.bytes }
        guard isFlood else { return nil }
        // A second flood in this turn is measured from here.
        (usedAtStart, bytesAtStart) = (used, nil)
        return most.server
    }
}

/// The ban of a server that has flooded a connection: it gets no new one. A pure state machine.
struct FloodBan {
    static let firstMilliseconds = 5_000
    static let longestMilliseconds = 60_000

    private var count = 0
    private(set) var until = MonotonicTime(nanoseconds: 0)

    mutating func flooded(now: MonotonicTime) {
        // A server that behaved well for as long as the longest ban starts with a short ban again.
        if now > until.adding(milliseconds: Self.longestMilliseconds) { count = 0 }
        count = min(count + 1, 16)
        until = now.adding(milliseconds: min(Self.firstMilliseconds << (count - 1), Self.longestMilliseconds))
    }

    func isActive(_ now: MonotonicTime) -> Bool { now < until }
}
