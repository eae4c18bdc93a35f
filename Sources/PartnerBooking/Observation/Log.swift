import Glibc

/// The level of a log line. The first is the most severe.
public enum LogLevel: Int, Sendable, CaseIterable {
    /// Bookings are refused, or no longer protected. Somebody must act.
    case error = 1
    /// A booking is in doubt, a circuit breaker has opened, or a lease is lost.
    case warning
    /// Other failures, and how the library handled them.
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

/// The log of one client: JSON objects for a function of the host. It is off at first. While
/// it is off, it costs only a check.
///
/// The function is called on the transfer thread alone, and under no lock. Lines wait until that
/// thread calls `deliver`. At most `maxWaiting` lines wait. Further lines are counted and dropped.
final class Log: Sendable {
    typealias Receiver = @Sendable (LogLevel, [UInt8]) -> Void

    private struct Line: Sendable {
        let level: LogLevel
        let json: [UInt8]
    }

    private struct State {
        var receiver: Receiver?
        /// The level that is on. nil when the log is off.
        var level: LogLevel?
        /// The transfer thread.
        var home: pthread_t?
        /// A function that asks the transfer thread to call `deliver`.
        var wake: (@Sendable () -> Void)?
        /// True when the transfer thread was asked to call `deliver` and has not begun.
        var isWoken = false
        var isDelivering = false
        var waiting = FIFO<Line>()
        /// Number of lost lines that the next delivered line reports.
        var lost = 0

        var isHome: Bool { home.map { pthread_equal($0, pthread_self()) != 0 } ?? false }

        /// Returns false when the line is lost.
        mutating func append(_ line: Line) -> Bool {
            // The level may have changed since the caller checked it.
            guard let level, line.level.rawValue <= level.rawValue else { return true }
            guard waiting.count < Log.maxWaiting else {
                lost += 1
                return false
            }
            waiting.append(line)
            return true
        }

        /// Returns the next line to deliver, or nil when there is none.
        mutating func next() -> (receiver: Receiver, line: Line, lost: Int)? {
            guard let receiver, let line = waiting.popFirst() else { return nil }
            defer { lost = 0 }
            return (receiver, line, lost)
        }
    }

    static let maxWaiting = 1_024

    /// The level that is on. 0 when the log is off.
    let level = SharedNumber()
    private let statistics: CallStatistics?
    private let state = Monitor(State())

    init(_ statistics: CallStatistics?) { self.statistics = statistics }

    deinit { level.free() }

    /// The longest time that `set` waits for the delivery of waiting lines.
    private static let flushMilliseconds = 1_000

    /// Sends the lines up to `level` to `receiver`. nil switches the log off. On any thread
    /// except the transfer thread, waiting lines are first delivered to the previous receiver.
    ///
    /// After the return, the previous receiver is not called any more. On the transfer thread, its
    /// current call may still be running. `moment` limits the wait for the end of that call.
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

    /// Makes the transfer thread deliver the waiting lines. Does nothing on that thread itself.
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

    /// True on the thread that delivers the lines.
    var isHome: Bool { state.withLock { $0.isHome } }

    /// Registers the current thread as the transfer thread, which calls `deliver` from now on.
    /// Other threads call `wake` to ask for that.
    func begin(_ wake: @escaping @Sendable () -> Void) {
        state.update { ($0.home, $0.wake) = (pthread_self(), wake) }
    }

    /// Delivers the waiting lines when the transfer thread ends.
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

    /// True when the log is on, so that lines may wait.
    var isOn: Bool { level.value > 0 }

    /// Delivers the waiting lines. Call it on the transfer thread, which must hold no lock.
    func deliver() {
        state.update { $0.isWoken = false }
        // Limited, because a receiver whose own work writes lines must not keep the thread.
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

    /// Returns the line with the number of lost lines added.
    private static func noting(_ lost: Int, _ json: [UInt8]) -> [UInt8] {
        json.dropLast() + Array(",\"lost\":\(lost)}".utf8)
    }
}
