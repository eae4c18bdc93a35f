/// Delivery settings of a client.
struct DeliveryPolicy: Sendable {
    /// A booking that the journal does not take is not sent.
    var isJournalRequired = true
    /// Time that a booking waits for the journal.
    var journalTimeoutMilliseconds = 2_000
    var retry = RetryPolicy()
    /// Retries at once; 0: no limit.
    var retryTokens = 20
    var circuitBreaker = CircuitBreaker.Settings(failures: 10, openMilliseconds: 5_000)
    /// Time to settle a doubt in the background; 0: not at all.
    var settleForMilliseconds = 120_000
    /// Concurrent background attempts.
    var maxUnattended = 256
    /// Report the end of a booking whose call ended `unknown`.
    var reportsSettled = false
    /// Time limit of an attempt; nil: none but its call's deadline.
    var attemptMilliseconds: Int?
}

/// Limits of retries.
struct RetryPolicy: Sendable, Equatable {
    var maxAttempts = 3
    var baseDelayMilliseconds = 100
    var maxDelayMilliseconds = 2_000
}
