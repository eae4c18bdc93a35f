/// A limit for the retries to one service, over all calls: a token bucket. Without it, every
/// call would send three attempts to a service in trouble.
struct RetryBudget: Sendable {
    /// Time in which an empty bucket fills.
    static let refillMilliseconds = 10_000

    /// Time at which the bucket will be full. Each token taken delays it by its own refill
    /// time.
    private var fullAt = MonotonicTime(nanoseconds: 0)
    private let tokenNanoseconds: Int64?

    /// Creates a full bucket. `tokens` is the number of retries at once. 0: no limit.
    init(tokens: Int) {
        tokenNanoseconds = tokens > 0 ? Int64(Self.refillMilliseconds) * 1_000_000 / Int64(tokens) : nil
    }

    /// Takes a token for a retry. Returns false when there is none.
    mutating func spend(now: MonotonicTime) -> Bool {
        guard let tokenNanoseconds else { return true }
        let next = MonotonicTime(nanoseconds: max(fullAt, now).nanoseconds &+ tokenNanoseconds)
        guard next <= now.adding(milliseconds: Self.refillMilliseconds) else { return false }
        fullAt = next
        return true
    }
}
