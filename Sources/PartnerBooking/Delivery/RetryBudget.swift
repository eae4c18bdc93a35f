/// Limits the retries to a service, over all calls together: a token bucket. Without it, every call
/// would send three attempts to a service in trouble.
struct RetryBudget: Sendable {
    /// An empty bucket is full again after so long.
    static let refillMilliseconds = 10_000

    /// When the bucket will be full. A token taken moves it on by the time it takes to come back.
    private var fullAt = MonotonicTime(nanoseconds: 0)
    private let tokenNanoseconds: Int64?

    /// `tokens`: retries at once; 0: no limit.
    init(tokens: Int) {
        tokenNanoseconds = tokens > 0 ? Int64(Self.refillMilliseconds) * 1_000_000 / Int64(tokens) : nil
    }

    /// Takes a token for a retry; false when there is none.
    mutating func spend(now: MonotonicTime) -> Bool {
        guard let tokenNanoseconds else { return true }
        let next = MonotonicTime(nanoseconds: max(fullAt, now).nanoseconds &+ tokenNanoseconds)
        guard next <= now.adding(milliseconds: Self.refillMilliseconds) else { return false }
        fullAt = next
        return true
    }
}
