/// Decides when a server keeps the transfer thread inside libcurl. A pure state machine.
///
/// libcurl 7.88 reads an HTTP/2 connection until nothing is left on it. A server that sends faster than libcurl reads keeps it
/// there, beyond every deadline. The way out is to cut the connection from another thread.
struct TurnWatch {
    enum Step: Equatable {
        /// Look again soon.
        case poll
        /// The thread has worked inside libcurl for long: call `culprit`.
        case measure
        /// Nothing happens.
        case rest
    }

    /// So much reading in one turn after so much processor time is a flood. Whole replies of hundreds of calls at once stay below.
    private static let limits: [(microseconds: Int, bytes: UInt64)] = [
        (40_000, 2_097_152), (250_000, 262_144), (1_000_000, 1),
    ]
    /// Processor time in one turn before bytes are counted.
    static let suspiciousMicroseconds = 10_000
    static let pollMilliseconds = 30
    /// The same while one turn goes on.
    static let quickMilliseconds = 5
    static let restMilliseconds = 1_000

    /// The thread has been inside libcurl for a while.
    private(set) var isLate = false
    /// Odd while the thread is inside libcurl.
    private var turn: UInt64 = 0
    private var isFirst = true
    private var changedAt = MonotonicTime(nanoseconds: 0)
    private var usedAtStart = 0
    private var bytesAtStart: [Int: UInt64]?

    static func isInside(_ turn: UInt64) -> Bool { turn % 2 == 1 }

    /// `used`: microseconds of processor time that the thread has used so far.
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

    /// Returns the server whose connections to cut. `bytes`: what was read so far from each server.
    mutating func culprit(_ bytes: [Int: UInt64], used: Int) -> Int? {
        guard let before = bytesAtStart else {
            bytesAtStart = bytes
            return nil
        }
        let growth = bytes.map { (server: $0.key, bytes: $0.value - min($0.value, before[$0.key] ?? 0)) }
        guard let most = growth.max(by: { ($0.bytes, $1.server) < ($1.bytes, $0.server) }) else { return nil }
        let isFlood = Self.limits.contains { used - usedAtStart >= $0.microseconds && most.bytes >= $0.bytes }
        guard isFlood else { return nil }
        // A second one takes as long.
        (usedAtStart, bytesAtStart) = (used, nil)
        return most.server
    }
}

/// Decides how long a server that has flooded a connection gets no new one. A pure state machine.
struct FloodBan {
    static let firstMilliseconds = 5_000
    static let longestMilliseconds = 60_000

    private var count = 0
    private(set) var until = MonotonicTime(nanoseconds: 0)

    mutating func flooded(now: MonotonicTime) {
        // A server that was well for as long as the longest ban begins again.
        if now > until.adding(milliseconds: Self.longestMilliseconds) { count = 0 }
        count = min(count + 1, 16)
        until = now.adding(milliseconds: min(Self.firstMilliseconds << (count - 1), Self.longestMilliseconds))
    }

    func isActive(_ now: MonotonicTime) -> Bool { now < until }
}
