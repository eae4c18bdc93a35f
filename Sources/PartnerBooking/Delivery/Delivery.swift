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
        /// The service refused the booking itself (its slot, its members), not only the moment or the caller. Had an earlier
        /// attempt made it, the service would have said so: the key gives the original booking.
        var isAboutBooking = false
        /// An earlier attempt with the same key is still running, and is to be waited for.
        var isInProgress = false
        /// The service or the way to it is out of order, for this request and likely for others; nil when the attempt does not
        /// tell.
        var isOutage: Bool?
    }

    enum Action: Sendable, Equatable {
        /// Make an attempt.
        case send
        /// Make the next attempt at that moment, which is before the deadline.
        case pause(until: MonotonicTime)
        /// The call has ended as the last attempt did.
        case finish
    }

    /// Refusals settle a doubt when there are two in a row, so far apart: the attempt in doubt may have the slot before it has
    /// its booking.
    static let confirmationMilliseconds = 1_000

    private(set) var deadline: MonotonicTime
    private let policy: Policy
    private var random: SplitMix64
    private(set) var attempts = 0
    private var isInDoubt: Bool
    private var wasRefused = false
    private var isConfirming = false

    /// `isInDoubt`: an earlier delivery of the same booking may have made it.
    init(policy: Policy, deadline: MonotonicTime, seed: UInt64, isInDoubt: Bool = false) {
        self.policy = policy
        self.deadline = deadline
        self.isInDoubt = isInDoubt
        random = SplitMix64(state: seed)
    }

    /// What the attempts so far mean for the booking, when the call ends without it.
    var outcome: PartnerBookingError.Outcome { isInDoubt ? .unknown : wasRefused ? .rejected : .notSent }

    /// Somebody who can wait longer has joined.
    mutating func extend(to deadline: MonotonicTime) { self.deadline = max(self.deadline, deadline) }

    /// It cannot be said any more that nothing will come of it.
    mutating func fallIntoDoubt() { isInDoubt = true }

    /// The call starts, or a pause is over.
    mutating func begin(now: MonotonicTime) -> Action {
        guard now < deadline else { return .finish }
        attempts += 1
        return .send
    }

    /// `budget` is what all deliveries to the same service share.
    mutating func attemptEnded(_ verdict: Verdict, now: MonotonicTime, budget: inout RetryBudget) -> Action {
        switch verdict.effect {
        case .notSent: break
        case .done: isInDoubt = false
        case .unknown:
            isInDoubt = true
            isConfirming = false
        case .refused:
            wasRefused = true
            guard isInDoubt, verdict.isAboutBooking else { break }
            isInDoubt = !isConfirming
            isConfirming = true
            if !isInDoubt { return .finish }
            return pause(atLeast: max(Self.confirmationMilliseconds, verdict.retryAfterMilliseconds ?? 0), now)
        }
        if !verdict.isInProgress {
            guard verdict.isRetryable, attempts < policy.maxAttempts else { return .finish }
            // What never reached the service costs it nothing.
            guard verdict.effect == .notSent || budget.take(now: now) else { return .finish }
        }
        return pause(atLeast: verdict.retryAfterMilliseconds ?? 0, now)
    }

    /// Nobody is helped by a pause that ends after the deadline: fail now, while the bot can still say something.
    private mutating func pause(atLeast least: Int, _ now: MonotonicTime) -> Action {
        let moment = now.adding(milliseconds: max(least, jitter()))
        return moment < deadline ? .pause(until: moment) : .finish
    }

    /// Full jitter: anything from nothing to the exponential bound, so that a thousand clients do not come back together.
    /// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    private mutating func jitter() -> Int {
        let doublings = min(max(attempts - 1, 0), 16)
        let bound = min(policy.maxDelayMilliseconds, policy.baseDelayMilliseconds << doublings)
        return Int.random(in: 0...bound, using: &random)
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
