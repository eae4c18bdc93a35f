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
}
