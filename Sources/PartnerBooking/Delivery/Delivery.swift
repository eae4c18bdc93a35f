/// The policy of one call: how many attempts, how long to pause, when to give up, and what all attempts together mean for
/// the booking. A pure state machine: it is told what happened and what time it is, and answers with what to do next.
struct Delivery: Sendable {
    struct Policy: Sendable, Equatable {
        var maxAttempts: Int
        var baseDelayMilliseconds: Int
        var maxDelayMilliseconds: Int
    }

    /// What one attempt did to the booking it was to make.
    enum Effect: Sendable, Equatable {
        /// No byte of the request can have reached the service.
        case notSent
        /// The service refused this attempt. That says nothing of an earlier one which may still be running: the slot that is
        /// taken now may be taken by it.
        case refused
        /// It may have been made.
        case unknown
        /// The service said yes.
        case done
    }

    /// What the endpoint makes of one attempt.
    struct Verdict: Sendable, Equatable {
        var effect: Effect
        var isRetryable: Bool
        /// The least time the service wants to be left alone.
        var retryAfterMilliseconds: Int?
    }

    enum Action: Sendable, Equatable {
        /// Make an attempt.
        case send
        /// Make the next attempt at that moment, which is before the deadline.
        case pause(until: MonotonicTime)
        /// The call has ended as the last attempt did.
        case finish
    }

    let deadline: MonotonicTime
    private let policy: Policy
    private var random: SplitMix64
    private(set) var attempts = 0
    private var isInDoubt = false
    private var wasRefused = false

    init(policy: Policy, deadline: MonotonicTime, seed: UInt64) {
        self.policy = policy
        self.deadline = deadline
        random = SplitMix64(state: seed)
    }

    /// What the attempts so far mean for the booking, when the call ends without it.
    var outcome: PartnerBookingError.Outcome { isInDoubt ? .unknown : wasRefused ? .rejected : .notSent }

    /// The call starts, or a pause is over.
    mutating func begin(now: MonotonicTime) -> Action {
        guard now < deadline else { return .finish }
        attempts += 1
        return .send
    }

    mutating func attemptEnded(_ verdict: Verdict, now: MonotonicTime) -> Action {
        switch verdict.effect {
        case .notSent: break
        case .unknown: isInDoubt = true
        case .done: isInDoubt = false
        case .refused: wasRefused = true
        }
        guard verdict.isRetryable, attempts < policy.maxAttempts else { return .finish }
        // Nobody is helped by a pause that ends after the deadline: fail now, while the bot can still say something.
        let moment = now.adding(milliseconds: pause(atLeast: verdict.retryAfterMilliseconds ?? 0))
        return moment < deadline ? .pause(until: moment) : .finish
    }

    /// Full jitter: anything from nothing to the exponential bound, so that a thousand clients do not come back together.
    /// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    private mutating func pause(atLeast least: Int) -> Int {
        let doublings = min(attempts - 1, 16)
        let bound = min(policy.maxDelayMilliseconds, policy.baseDelayMilliseconds << doublings)
        return max(least, Int.random(in: 0...bound, using: &random))
    }
}

/// Sebastiano Vigna's SplitMix64: small, seedable, good enough to spread retries.
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
