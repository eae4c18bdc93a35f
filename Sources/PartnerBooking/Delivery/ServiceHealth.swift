/// The state that all exchanges of one service share: breaker, budgets, accepted secrets.
struct ServiceHealth: Sendable {
    /// The end of the booking leases in the host's store, in microseconds on the boot clock.
    /// Bookings are sent only before it. nil: at any time.
    let leaseEnd: SharedNumber?
    /// Maximum number of background requests at once. The budget refills within 10 s.
    static let settlingTokens = 100

    var breaker: CircuitBreaker
    /// Budget for retries while a call waits.
    var budget: RetryBudget
    /// Budget for background requests.
    var settlingBudget = RetryBudget(tokens: Self.settlingTokens)
    /// Number of background requests under way.
    var asks = 0
    /// The secret of each bot that was accepted last, if it was not the first.
    private var signingKeys: [String: Int] = [:]

    init(_ policy: DeliveryPolicy, seed: UInt64, leaseEnd: SharedNumber? = nil) {
        self.leaseEnd = leaseEnd
        breaker = CircuitBreaker(policy.circuitBreaker, seed: seed)
        budget = RetryBudget(tokens: policy.retryTokens)
    }

    /// True while the leases of bookings in the host's store last.
    var mayBook: Bool { leaseEnd.map { UInt64(clamping: BootClock.microseconds()) < $0.value } ?? true }

    func signingKey(of botID: @autoclosure () -> String?) -> Int {
        signingKeys.isEmpty ? 0 : botID().flatMap { signingKeys[$0] } ?? 0
    }

    mutating func accepted(_ signingKey: Int, of botID: String?) {
        if let botID { signingKeys[botID] = signingKey == 0 ? nil : signingKey }
    }
}
