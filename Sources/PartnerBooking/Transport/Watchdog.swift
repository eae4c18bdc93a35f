import CSystem
import Glibc

/// A thread that checks whether the transfer thread returns from libcurl. It cuts the
/// connection that keeps the transfer thread there.
///
/// The watchdog starts with the first turn. It checks thirty times a second while there are turns,
/// and sleeps when there are none. A turn costs the transfer thread two stores and a load.
///
/// `@unchecked Sendable` is safe because only the transfer thread uses `turn` and `thread`,
/// and `tend` is set before there is a second thread.
final class Watchdog: @unchecked Sendable {
    private let sockets: OpenSockets
    private let epoll: Int32
    private var turn: UInt64 = 0
    private var thread: Thread?
    private let sharedTurn = SharedNumber()
    /// Set when the watchdog must be started or woken, or has cut a connection.
    private let attention = SharedNumber()
    private let isAsleep = SharedNumber()
    private let isStopped = SharedNumber()
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    /// A function called four times a second. It returns true when there may be more to do.
    var tend: @Sendable (MonotonicTime) -> Bool = { _ in false }
    private static let tendMilliseconds = 250

    init(_ sockets: OpenSockets, epoll: Int32) {
        (self.sockets, self.epoll) = (sockets, epoll)
        sem_init(semaphore, 0, 0)
        attention.value = 1
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
        for number in [sharedTurn, attention, isAsleep, isStopped] { number.free() }
    }

    /// Does once everything that the thread does, while there is no other thread. This creates
    /// the lazy globals that the thread needs. In the child of a fork, two threads that need
    /// one at the same time would spin. `TransferLoop.start` explains why.
    func rehearse() {
        var watch = TurnWatch()
        for turn: UInt64 in [1, 1, 2] {
            _ = watch.observe(turn, used: Self.microseconds(CLOCK_THREAD_CPUTIME_ID), now: .now())
        }
        for _ in 0..<2 { _ = watch.culprit(sockets.bytesRead(), used: 0) }
        _ = tend(.now())
    }

    // MARK: On the transfer thread

    /// Marks the start of a turn. Returns true when servers may have been cut.
    @inline(__always)
    func enterLibcurl() -> Bool {
        turn &+= 1
        sharedTurn.value = turn
        return attention.value != 0 && attend()
    }

    @inline(__always)
    func leaveLibcurl() {
        turn &+= 1
        sharedTurn.value = turn
    }

    @inline(never)
    private func attend() -> Bool {
        attention.value = 0
        wakeUp()
        return true
    }

    private func wakeUp() {
        isAsleep.value = 0
        guard thread == nil else {
            sem_post(semaphore)
            return
        }
        let clock = csystem_thread_clock()
        guard clock != -1 else { return }
        // If no thread can be made, the next turn tries again.
        thread = try? Thread(name: "pbk-watchdog", stackBytes: Self.stackBytes) { [self] in run(clock) }
        if thread == nil { attention.value = 1 }
    }

    private static let stackBytes = 131_072

    var hasStarted: Bool { thread != nil }

    /// Stops the thread. Called once, when the transfer thread ends.
    func stop() {
        guard let thread else { return }
        isStopped.value = 1
        sem_post(semaphore)
        thread.join()
    }

    // MARK: On its own thread

    private func run(_ clock: clockid_t) {
        var watch = TurnWatch()
        var now = MonotonicTime.now()
        var nextTend = now
        var lastTurn: UInt64 = 0
        var mayRest = false
        while isStopped.value == 0 {
            let turn = sharedTurn.value
            // Most often there was a turn, and it is over. This check must cost next to nothing.
            if turn == lastTurn || TurnWatch.isInside(turn) || now >= nextTend {
                if now >= nextTend {
                    nextTend = now.adding(milliseconds: Self.tendMilliseconds)
                    mayRest = !tend(now)
                }
                switch watch.observe(turn, used: Self.microseconds(clock), now: now) {
                case .poll: break
                case .measure: measure(&watch, turn, clock)
                case .rest: if mayRest { rest(turn) }
                }
            }
            lastTurn = turn
            now = pause(from: now, milliseconds: watch.isLate ? TurnWatch.quickMilliseconds : TurnWatch.pollMilliseconds)
        }
    }

    private func measure(_ watch: inout TurnWatch, _ turn: UInt64, _ clock: clockid_t) {
        let bytes = sockets.bytesRead()
        guard let server = watch.culprit(bytes, used: Self.microseconds(clock)), sharedTurn.value == turn else { return }
        sockets.cut(server, epoll)
        attention.value = 1
    }

    /// Sleeps until the next turn. A turn that begins while this thread falls asleep may not
    /// see `attention`. So the first sleep is short.
    private func rest(_ turn: UInt64) {
        isAsleep.value = 1
        attention.value = 1
        var now = pause(from: .now(), milliseconds: TurnWatch.restMilliseconds)
        while isAsleep.value != 0, isStopped.value == 0, sharedTurn.value == turn {
            now = pause(from: now, milliseconds: 3_600_000)
        }
        isAsleep.value = 0
    }

    /// Waits, and returns the time after the wait.
    private func pause(from now: MonotonicTime, milliseconds: Int) -> MonotonicTime {
        var time = now.adding(milliseconds: milliseconds).timespec
        _ = csystem_semaphore_wait(semaphore, &time)
        return .now()
    }

    private static func microseconds(_ clock: clockid_t) -> Int {
        var time = Glibc.timespec()
        clock_gettime(clock, &time)
        return Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000
    }
}
