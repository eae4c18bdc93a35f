/// The pauses of one exchange.
struct RetrySchedule: Sendable {
    /// Pauses between background requests for a booking in doubt. The last pause repeats.
    static let askMilliseconds = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]

    let policy: RetryPolicy
    private var random: SplitMix64
    private var asks = 0

    init(_ policy: RetryPolicy, seed: UInt64) {
        self.policy = policy
        random = SplitMix64(state: seed)
    }

    /// Returns the time of the next attempt after a failure that is likely to pass. Uses full
    /// jitter: a random pause between 0 and the exponential bound. Then a thousand clients do
    /// not come back together.
    /// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    mutating func retry(after now: MonotonicTime, attempts: Int, atLeast least: Int?) -> MonotonicTime {
        let doublings = min(max(attempts - 1, 0), 16)
        let bound = min(policy.maxDelayMilliseconds, policy.baseDelayMilliseconds << doublings)
        return now.adding(milliseconds: max(least ?? 0, Int.random(in: 0...bound, using: &random)))
    }

    /// Starts again with the first pause, because a call waits for the answer again.
    mutating func resetAsks() { asks = 0 }

    /// Returns the time of the next request for a booking in doubt. The first pause is longer
    /// after more than two sendings. From `settlesAt` on, a refusal ends the doubt.
    mutating func ask(
        after now: MonotonicTime, atLeast least: Int?, sendings: Int, settlesAt: MonotonicTime?
    ) -> MonotonicTime {
        if asks == 0 { asks = min(max(sendings - 2, 0), 2) }
        let pause = Self.askMilliseconds[min(asks, Self.askMilliseconds.count - 1)]
        asks += 1
        let jitter = Int.random(in: 0...pause / 8, using: &random)
        let moment = now.adding(milliseconds: max(least ?? 0, pause + jitter))
        // An answer shortly before `settlesAt` would prove nothing.
        guard let settlesAt, settlesAt > now, settlesAt < moment.adding(milliseconds: 2_000) else { return moment }
        return max(settlesAt, now.adding(milliseconds: least ?? 0))
    }
}
