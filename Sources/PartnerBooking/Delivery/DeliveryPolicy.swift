struct DeliveryPolicy: Sendable {
    /// True when a booking is not sent without a record in the journal.
    var isJournalRequired = true
    /// Longest time that a booking waits for the journal.
    var journalTimeoutMilliseconds = 2_000
    var retry = RetryPolicy()
    /// Maximum number of retries at once to one service. 0: no limit.
    var retryTokens = 20
    var circuitBreaker = CircuitBreaker.Settings(failures: 10, openMilliseconds: 5_000)
    /// Time to settle a doubt in the background. 0: not at all.
    var settleForMilliseconds = 120_000
    /// Maximum number of concurrent background attempts.
    var maxUnattended = 256
    /// True when the end of a booking whose call ended `unknown` is reported.
    var reportsSettled = false
    /// Time limit of an attempt. nil: only the deadline of its call.
    var attemptMilliseconds: Int?
}

struct RetryPolicy: Sendable, Equatable {
    var maxAttempts = 3
    var baseDelayMilliseconds = 100
    var maxDelayMilliseconds = 2_000
}
