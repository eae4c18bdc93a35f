import Glibc

/// The system's clock, which people set.
enum WallClock {
    /// Seconds since 1970.
    static func seconds() -> Int { milliseconds() / 1_000 }

    /// Milliseconds since 1970.
    static func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    }

    /// Seconds since 1970, at most some milliseconds late. Cheap enough for every request.
    static func coarseSeconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time.tv_sec
    }
}

/// The clock of a service: the system's, or one of its own that runs from a given time on.
struct ServiceClock: Sendable {
    /// Its time at `startedAt`, in seconds since 1970. nil: it is the system's clock.
    private let start: Int?
    private let startedAt = MonotonicTime.now()

    init(startingAt start: Int? = nil) { self.start = start }

    /// Seconds since 1970.
    func seconds(at moment: MonotonicTime) -> Int {
        start.map { $0 + moment.milliseconds(since: startedAt) / 1_000 } ?? WallClock.seconds()
    }

    /// Seconds since 1970, at most some milliseconds late.
    func coarseSeconds() -> Int { start == nil ? WallClock.coarseSeconds() : seconds(at: .now()) }
}
