import Glibc

/// The grade of a log line, from the gravest on.
public enum LogLevel: Int, Sendable, CaseIterable {
    /// Bookings are refused, or no longer protected: somebody has to act.
    case error = 1
    /// A booking is in doubt, or a service is left alone for a while.
    case warning
    /// Other failures, and how they were dealt with.
    case info
    /// Each attempt, and each end of a call.
    case debug

    var name: StaticString {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .info: "info"
        case .debug: "debug"
        }
    }
}

/// The log of one client: JSON objects for a function of the host. It is off at first, and then a
/// check is all that it costs.
///
/// The function is called on the transfer thread alone, and under no lock: all lines wait until the
/// thread comes to `deliver`. At most `maxWaiting` wait; more are counted and lost.
final class Log: Sendable {
    typealias Receiver = @Sendable (LogLevel, [UInt8]) -> Void

    private struct Line: Sendable {
        let level: LogLevel
        let json: [UInt8]
    }

    private struct State {
        var receiver: Receiver?
        /// The level that is on. nil: none.
        var level: LogLevel?
        /// The transfer thread.
        var home: pthread_t?
        /// Asks the transfer thread to call `deliver`.
        var wake: (@Sendable () -> Void)?
        /// It was asked.
        var isWoken = false
        var isDelivering = false
        var waiting = FIFO<Line>()
        /// Lines lost before the next one.
        var lost = 0

        var isHome: Bool { home.map { pthread_equal($0, pthread_self()) != 0 } ?? false }

        /// Returns false when the line is lost.
        mutating func append(_ line: Line) -> Bool {
            // The level may have changed since it was looked at.
            guard let level, line.level.rawValue <= level.rawValue else { return true }
            guard waiting.count < Log.maxWaiting else {
                lost += 1
                return false
            }
            waiting.append(line)
            return true
        }

        /// Returns the next line to hand over. nil: there is none.
        mutating func next() -> (receiver: Receiver, line: Line, lost: Int)? {
            guard let receiver, let line = waiting.popFirst() else { return nil }
            defer { lost = 0 }
            return (receiver, line, lost)
        }
    }

    static let maxWaiting = 1_024

    /// The level that is on; 0: none.
    let level = SharedNumber()
    private let statistics: CallStatistics?
    private let state = Monitor(State())

    init(_ statistics: CallStatistics?) { self.statistics = statistics }

    deinit { level.free() }

    /// The longest time that `set` gives the lines that wait.
    private static let flushMilliseconds = 1_000

    /// Sends the lines up to a level to `receiver`; nil: none. Lines from before go to the receiver
    /// from before. When it returns, that one is not called any more; on the transfer thread, after
    /// its return. `moment`: how long to wait for that at most.
    func set(_ level: LogLevel?, _ receiver: Receiver?, until moment: MonotonicTime? = nil) {
        flush()
        state.update { state in
            state.level = receiver == nil ? nil : level
            state.receiver = level == nil ? nil : receiver
            let isToStay: (Line) -> Bool = { [kept = state.level] line in line.level.rawValue <= kept?.rawValue ?? 0 }
            state.waiting = state.waiting.filter(isToStay)
            state.lost = 0
            self.level.value = UInt64(state.level?.rawValue ?? 0)
        }
        _ = state.wait(until: moment) { !$0.isDelivering || $0.isHome ? () : nil }
    }

    /// Has the transfer thread hand over the lines that wait, unless this is that thread.
    private func flush() {
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.receiver != nil, !state.waiting.isEmpty, !state.isHome else { return nil }
            state.isWoken = true
            return state.wake
        }
        guard let wake else { return }
        wake()
        let moment = MonotonicTime.now().adding(milliseconds: Self.flushMilliseconds)
        _ = state.wait(until: moment) { $0.waiting.isEmpty && !$0.isDelivering || $0.home == nil ? () : nil }
    }

    /// This is the thread that hands lines over.
    var isHome: Bool { state.withLock { $0.isHome } }

    /// This thread calls `deliver` from now on. `wake` asks it to, from any other.
    func begin(_ wake: @escaping @Sendable () -> Void) {
        state.update { ($0.home, $0.wake) = (pthread_self(), wake) }
    }

    /// The transfer thread ends, with what still waits.
    func end() {
        if isOn { deliver() }
        state.update { ($0.home, $0.wake) = (nil, nil) }
    }

    /// Writes a line. `members` is called only if the level is on.
    @inline(__always)
    func write(_ level: LogLevel, _ event: StaticString, _ members: (inout JSONWriter) -> Void) {
        if self.level.value >= UInt64(level.rawValue) { make(level, event, members) }
    }

    @inline(never)
    private func make(_ level: LogLevel, _ event: StaticString, _ members: (inout JSONWriter) -> Void) {
        let json = JSONWriter.object(capacity: 256) { line in
            line.member("at", WallClock.milliseconds())
            line.member("level", level.name.description)
            line.member("event", event.description)
            members(&line)
        }
        let (isKept, wake) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
            let isKept = state.append(Line(level: level, json: json))
            guard !state.isWoken, !state.isHome else { return (isKept, nil) }
            state.isWoken = true
            return (isKept, state.wake)
        }
        if !isKept { statistics?.count(.logLinesDropped) }
        wake?()
    }

    /// Lines may wait.
    var isOn: Bool { level.value > 0 }

    /// Hands over what waits. On the transfer thread, which holds no lock.
    func deliver() {
        state.update { $0.isWoken = false }
        // A receiver whose own work writes lines must not keep the thread.
        for _ in 0..<Self.maxWaiting {
            let next = state.withLock { state in
                let next = state.next()
                state.isDelivering = next != nil
                return next
            }
            guard let (receiver, line, lost) = next else { break }
            receiver(line.level, lost == 0 ? line.json : Self.noting(lost, line.json))
        }
        state.update { $0.isDelivering = false }
    }

    /// Returns the line with the number of those that were lost before it.
    private static func noting(_ lost: Int, _ json: [UInt8]) -> [UInt8] {
        json.dropLast() + Array(",\"lost\":\(lost)}".utf8)
    }
}
