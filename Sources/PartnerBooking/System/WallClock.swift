import Glibc

/// The system's clock, which people can set.
enum WallClock {
    /// Returns seconds since 1970.
    static func seconds() -> Int { milliseconds() / 1_000 }

    /// Returns milliseconds since 1970.
    static func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    /// Returns seconds since 1970, a few milliseconds late at most. Cheap enough for every
    /// request.
    static func coarseSeconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time.tv_sec
    }
}

/// The clock of a service: the system's clock, or a clock that runs from a given time on.
struct ServiceClock: Sendable {
    /// The clock's time at `startedAt`, in seconds since 1970. nil: the system's clock is used.
    private let start: Int?
    private let startedAt = MonotonicTime.now()

    init(startingAt start: Int? = nil) { self.start = start }

    /// Returns seconds since 1970.
    func seconds(at moment: MonotonicTime) -> Int {
        start.map { $0 + moment.milliseconds(since: startedAt) / 1_000 } ?? WallClock.seconds()
    }

    /// Returns seconds since 1970, a few milliseconds late at most.
    func coarseSeconds() -> Int { start == nil ? WallClock.coarseSeconds() : seconds(at: .now()) }
}
