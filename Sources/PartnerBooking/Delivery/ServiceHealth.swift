/// State shared by all exchanges with one service: breaker, budgets, accepted secrets.
struct ServiceHealth: Sendable {
    /// Bookings are sent before this moment on the boot clock, in microseconds: then their leases
    /// in the host's store end. nil: at any time.
    let leaseEnd: SharedNumber?
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

    init(_ policy: DeliveryPolicy, seed: UInt64, leaseEnd: SharedNumber? = nil) {
        self.leaseEnd = leaseEnd
        breaker = CircuitBreaker(policy.circuitBreaker, seed: seed)
        budget = RetryBudget(tokens: policy.retryTokens)
    }

    /// The leases of bookings in the host's store last.
    var mayBook: Bool { leaseEnd.map { UInt64(clamping: BootClock.microseconds()) < $0.value } ?? true }

    func signingKey(of botID: @autoclosure () -> String?) -> Int {
        signingKeys.isEmpty ? 0 : botID().flatMap { signingKeys[$0] } ?? 0
    }

    mutating func accepted(_ signingKey: Int, of botID: String?) {
        if let botID { signingKeys[botID] = signingKey == 0 ? nil : signingKey }
    }
}
