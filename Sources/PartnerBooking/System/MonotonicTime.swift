import Glibc

/// A moment on the clock that never jumps (CLOCK_MONOTONIC), for deadlines and pauses.
struct MonotonicTime: Comparable, Hashable, Sendable {
    var nanoseconds: Int64

    static func now() -> MonotonicTime {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The form for waits of the C library.
    var timespec: timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }

    /// Returns the moment so many milliseconds later. Validation bounds every number of
    /// milliseconds in this library. The clamp also keeps the sum from trapping.
    func adding(milliseconds: Int) -> MonotonicTime {
        let bounded = Int64(max(0, min(milliseconds, 1_000_000_000)))
        return MonotonicTime(nanoseconds: nanoseconds &+ bounded * 1_000_000)
    }

    /// Returns whole milliseconds since `earlier`, rounded up, so that a wait for that long
    /// does not end too early. Returns 0 when `earlier` is later.
    func milliseconds(since earlier: MonotonicTime) -> Int {
        self <= earlier ? 0 : Int((nanoseconds - earlier.nanoseconds + 999_999) / 1_000_000)
    }

    /// Returns whole microseconds since `earlier`, or 0 when `earlier` is later.
    func microseconds(since earlier: MonotonicTime) -> Int {
        self <= earlier ? 0 : Int((nanoseconds - earlier.nanoseconds) / 1_000)
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }
}
