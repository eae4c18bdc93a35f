import Glibc

/// Returns the processor time of one call in nanoseconds: the shortest of twenty runs, as the machine may be busy with others.
func shortestTime(calls: Int, of call: () -> Void) -> Double {
    var best = Double.infinity
    for _ in 0..<20 {
        var (start, end) = (timespec(), timespec())
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
        for _ in 0..<calls { call() }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
        let nanoseconds = Double(end.tv_sec - start.tv_sec) * 1e9 + Double(end.tv_nsec - start.tv_nsec)
        best = min(best, nanoseconds / Double(calls))
    }
    return best
}
