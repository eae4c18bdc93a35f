import Glibc

enum WallClock {
    /// Seconds since 1970, by the system's clock.
    static func seconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec
    }
}
