import Glibc

/// A moment on the clock that never jumps (CLOCK_MONOTONIC): what deadlines and pauses are measured on.
struct MonotonicTime: Comparable, Hashable, Sendable {
    var nanoseconds: Int64

    static func now() -> MonotonicTime {
        var time = Glibc.timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// For the waits of the C library.
    var timespec: timespec {
        Glibc.timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }

    /// Later by so many milliseconds. Every number of milliseconds in this library is bounded by its validation; the clamp
    /// keeps the sum from trapping all the same.
    func adding(milliseconds: Int) -> MonotonicTime {
        let bounded = Int64(max(0, min(milliseconds, 1_000_000_000)))
        return MonotonicTime(nanoseconds: nanoseconds &+ bounded * 1_000_000)
    }

    /// Whole milliseconds from `earlier` to here, rounded up, so that a wait for that long does not end too early; 0 when
    /// `earlier` is later.
    func milliseconds(since earlier: MonotonicTime) -> Int {
        self <= earlier ? 0 : Int((nanoseconds - earlier.nanoseconds + 999_999) / 1_000_000)
    }

    /// Whole microseconds from `earlier` to here; 0 when `earlier` is later.
    func microseconds(since earlier: MonotonicTime) -> Int {
        self <= earlier ? 0 : Int((nanoseconds - earlier.nanoseconds) / 1_000)
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }
}
