/// State shared by all exchanges with one service: breaker, budgets, accepted secrets.
struct ServiceHealth: Sendable {
    /// Asks in the background: at most this many at once, refilled within 10 s.
    static let settlingTokens = 100

    var breaker: CircuitBreaker
    /// Budget for retries while a call waits.
    var budget: RetryBudget
    /// Budget for asks in the background.
    var settlingBudget = RetryBudget(tokens: Self.settlingTokens)
    /// Background asks under way.
    var asks = 0
    /// The secret of a bot that was accepted last, if it was not the first.
    private var signingKeys: [String: Int] = [:]

    init(_ policy: DeliveryPolicy, seed: UInt64) {
        breaker = CircuitBreaker(policy.circuitBreaker, seed: seed)
        budget = RetryBudget(tokens: policy.retryTokens)
    }

    func signingKey(of botID: String?) -> Int {
        signingKeys.isEmpty ? 0 : botID.flatMap { signingKeys[$0] } ?? 0
    }

    mutating func accepted(_ signingKey: Int, of botID: String?) {
        if let botID { signingKeys[botID] = signingKey == 0 ? nil : signingKey }
    }
}

/// Delivery settings of a client.
struct DeliveryPolicy: Sendable {
    /// A booking that the journal does not take is not sent.
    var isJournalRequired = true
    /// Time that a booking waits for the journal.
    var journalTimeoutMilliseconds = 2_000
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
