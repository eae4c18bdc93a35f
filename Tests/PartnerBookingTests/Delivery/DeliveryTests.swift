import Testing

@testable import PartnerBooking

/// When another attempt is made, and when not. The clock is the test's own.
@Suite struct DeliveryTests {
    static let start = MonotonicTime(nanoseconds: 7_000_000_123)

    static func delivery(
        attempts: Int = 3, base: Int = 100, max: Int = 2_000, timeout: Int = 1_000_000, seed: UInt64 = 1
    ) -> Delivery {
        let policy = Delivery.Policy(maxAttempts: attempts, baseDelayMilliseconds: base, maxDelayMilliseconds: max)
        return Delivery(policy: policy, deadline: start.adding(milliseconds: timeout), seed: seed)
    }

    /// A budget without limit.
    static func end(_ delivery: inout Delivery, _ verdict: Delivery.Verdict, now: MonotonicTime) -> Delivery.Action {
        var budget = RetryBudget(tokens: 0)
        return delivery.attemptEnded(verdict, now: now, budget: &budget)
    }

    static func failed(_ effect: Delivery.Effect = .notSent, retryAfter: Int? = nil) -> Delivery.Verdict {
        Delivery.Verdict(effect: effect, isRetryable: true, retryAfterMilliseconds: retryAfter)
    }

    // MARK: Attempts

    @Test(arguments: [Delivery.Effect.notSent, .refused, .unknown, .done])
    func whatCannotBeRetriedEndsTheCall(_ effect: Delivery.Effect) {
        var delivery = Self.delivery()
        #expect(delivery.begin(now: Self.start) == .send)
        let verdict = Delivery.Verdict(effect: effect, isRetryable: false, retryAfterMilliseconds: nil)
        #expect(Self.end(&delivery, verdict, now: Self.start) == .finish)
        #expect(delivery.attempts == 1)
    }

    @Test(arguments: [Delivery.Effect.notSent, .refused, .unknown])
    func whatCanBeRetriedIsRetried(_ effect: Delivery.Effect) {
        var delivery = Self.delivery()
        #expect(delivery.begin(now: Self.start) == .send)
        guard case .pause(let moment) = Self.end(&delivery, Self.failed(effect), now: Self.start) else {
            Issue.record("no pause")
            return
        }
        #expect(delivery.begin(now: moment) == .send)
        #expect(delivery.attempts == 2)
    }

    @Test(arguments: 1...10)
    func thereAreAsManyAttemptsAsThePolicyAllows(_ limit: Int) {
        var delivery = Self.delivery(attempts: limit)
        var now = Self.start
        for attempt in 1...limit {
            #expect(delivery.begin(now: now) == .send)
            #expect(delivery.attempts == attempt)
            let action = Self.end(&delivery, Self.failed(), now: now)
            if case .pause(let moment) = action { now = moment }
            #expect((action == .finish) == (attempt == limit))
        }
        #expect(delivery.attempts == limit)
    }

    // MARK: Pauses

    /// The pauses of a call in milliseconds; each attempt fails at once.
    private func pauses(attempts: Int, base: Int, max: Int, seed: UInt64) -> [Int] {
        var delivery = Self.delivery(attempts: attempts, base: base, max: max, timeout: 1_000_000_000, seed: seed)
        var now = Self.start
        var pauses: [Int] = []
        while delivery.begin(now: now) == .send, case .pause(let moment) = Self.end(&delivery, Self.failed(), now: now) {
            pauses.append(moment.milliseconds(since: now))
            now = moment
        }
        return pauses
    }

    @Test(arguments: [(100, 2_000), (1, 1), (1, 60_000), (60_000, 60_000), (60_000, 1), (7, 100)])
    func everyPauseIsWithinItsBoundAndTheyFillIt(_ base: Int, _ max: Int) throws {
        let seeds: Range<UInt64> = 0..<400
        let calls = seeds.map { pauses(attempts: 10, base: base, max: max, seed: $0) }
        var bound = base
        for attempt in 1...9 {
            let limit = min(max, bound)
            let drawn = try calls.map { try #require($0.dropFirst(attempt - 1).first) }
            #expect(drawn.allSatisfy { (0...limit).contains($0) }, "attempt \(attempt)")
            // Full jitter: all of the range, and evenly. With 400 draws each fifth holds 80 of them, give or take 8.
            #expect(try #require(drawn.min()) <= limit / 20, "attempt \(attempt)")
            #expect(try #require(drawn.max()) >= limit - limit / 20, "attempt \(attempt)")
            let fifths = Dictionary(grouping: drawn) { $0 * 5 / (limit + 1) }.mapValues(\.count)
            if limit >= 100 { #expect(fifths.count == 5 && fifths.values.allSatisfy { $0 > 40 }, "\(fifths)") }
            if limit <= 16 { #expect(Set(drawn).count == limit + 1) }
            bound *= 2
        }
    }

    @Test func theSameSeedGivesTheSamePausesAndAnotherSeedOthers() {
        let seeds: Range<UInt64> = 0..<100
        let first = seeds.map { pauses(attempts: 10, base: 60_000, max: 60_000, seed: $0) }
        let second = seeds.map { pauses(attempts: 10, base: 60_000, max: 60_000, seed: $0) }
        #expect(first == second)
        #expect(Set(first).count == 100)
    }

    @Test(arguments: [0, 1, 1_999, 2_000, 2_001, 86_400_000])
    func aPauseIsNeverShorterThanTheServiceAsksFor(_ least: Int) {
        for seed in 0..<100 as Range<UInt64> {
            var delivery = Self.delivery(base: 2_000, timeout: 100_000_000, seed: seed)
            _ = delivery.begin(now: Self.start)
            var plain = delivery
            guard case .pause(let moment) = Self.end(&delivery, Self.failed(retryAfter: least), now: Self.start),
                case .pause(let unasked) = Self.end(&plain, Self.failed(), now: Self.start)
            else {
                Issue.record("no pause")
                return
            }
            #expect(moment == max(unasked, Self.start.adding(milliseconds: least)))
        }
    }

    // MARK: The deadline

    @Test(arguments: [(999, true), (1_000, false), (1_001, false), (86_400_000, false)])
    func noPauseEndsAtOrAfterTheDeadline(_ least: Int, _ isPause: Bool) {
        var delivery = Self.delivery(base: 1, max: 1, timeout: 1_000)
        #expect(delivery.begin(now: Self.start) == .send)
        let action = Self.end(&delivery, Self.failed(.unknown, retryAfter: least), now: Self.start)
        #expect(action == (isPause ? .pause(until: Self.start.adding(milliseconds: least)) : .finish))
        #expect(delivery.outcome == .unknown)
    }

    @Test func neitherDoesAPauseThatNobodyAskedFor() {
        var finished = 0
        for seed in 0..<500 as Range<UInt64> {
            var delivery = Self.delivery(base: 1_000, timeout: 500, seed: seed)
            _ = delivery.begin(now: Self.start)
            switch Self.end(&delivery, Self.failed(), now: Self.start) {
            case .pause(let moment): #expect(moment < delivery.deadline)
            case .finish: finished += 1
            case .send: Issue.record("sent without a pause")
            }
        }
        #expect((150...350).contains(finished), "about half of the pauses of 0 to 1000 ms end before 500 ms: \(finished)")
    }

    @Test func thePauseIsCountedFromTheEndOfTheAttempt() {
        var delivery = Self.delivery(base: 1, max: 1, timeout: 1_000)
        _ = delivery.begin(now: Self.start)
        let now = Self.start.adding(milliseconds: 600)
        var other = delivery
        #expect(
            Self.end(&delivery, Self.failed(retryAfter: 300), now: now)
                == .pause(until: Self.start.adding(milliseconds: 900)))
        #expect(Self.end(&other, Self.failed(retryAfter: 400), now: now) == .finish)
    }

    @Test(arguments: [(-1, true), (0, false), (1, false), (1_000_000_000, false)])
    func anAttemptBeginsBeforeTheDeadlineOnly(_ late: Int64, _ isSent: Bool) {
        var delivery = Self.delivery(timeout: 1_000)
        let now = MonotonicTime(nanoseconds: delivery.deadline.nanoseconds + late)
        #expect(delivery.begin(now: now) == (isSent ? .send : .finish))
        #expect(delivery.attempts == (isSent ? 1 : 0))
        #expect(delivery.outcome == .notSent)
    }
}

/// What the attempts of a call mean together.
@Suite struct DeliveryOutcomeTests {
    private static let effects: [Delivery.Effect] = [
        .notSent, .refused, .unknown, .done,
    ]

    /// docs/errors.md in other words: look back from the end for what settles the matter, and on the way there for doubt.
    private static func expected(_ effects: [Delivery.Effect]) -> PartnerBookingError.Outcome {
        var mayExist = false
        for effect in effects.reversed() {
            if effect == .done { break }
            if effect == .unknown { mayExist = true }
        }
        if mayExist { return .unknown }
        return effects.contains(.refused) ? .rejected : .notSent
    }

    private static func outcome(_ effects: [Delivery.Effect]) -> PartnerBookingError.Outcome {
        var delivery = DeliveryTests.delivery(attempts: 10)
        var now = DeliveryTests.start
        for effect in effects {
            #expect(delivery.begin(now: now) == .send)
            if case .pause(let moment) = DeliveryTests.end(&delivery, DeliveryTests.failed(effect), now: now) {
                now = moment
            }
        }
        return delivery.outcome
    }

    @Test(arguments: 0...4)
    func everySequenceOfEffectsHasItsOutcome(_ length: Int) {
        var sequences: [[Delivery.Effect]] = [[]]
        for _ in 0..<length { sequences = sequences.flatMap { start in Self.effects.map { start + [$0] } } }
        for sequence in sequences { #expect(Self.outcome(sequence) == Self.expected(sequence), "\(sequence)") }
    }

    /// The same by hand, in case the specification above is wrong in the same way as the code.
    @Test(
        arguments: [
            ([], PartnerBookingError.Outcome.notSent),
            ([.notSent, .notSent], .notSent),
            ([.unknown], .unknown),
            ([.unknown, .notSent], .unknown),
            ([.notSent, .unknown], .unknown),
            ([.refused], .rejected),
            ([.refused, .notSent], .rejected),
            ([.refused, .unknown], .unknown),
            ([.unknown, .refused], .unknown),
            ([.unknown, .refused, .unknown], .unknown),
            ([.refused, .unknown, .notSent], .unknown),
            ([.unknown, .notSent, .refused], .unknown),
            ([.refused, .notSent, .refused], .rejected),
        ] as [([Delivery.Effect], PartnerBookingError.Outcome)])
    func theOutcomesInTheDocumentationAreThese(_ effects: [Delivery.Effect], _ outcome: PartnerBookingError.Outcome) {
        #expect(Self.outcome(effects) == outcome)
    }

    /// The last attempt counts as well when no more are allowed, or when it cannot be retried.
    @Test(arguments: effects)
    func theLastAttemptCounts(_ effect: Delivery.Effect) {
        for isRetryable in [false, true] {
            var delivery = DeliveryTests.delivery(attempts: 1)
            _ = delivery.begin(now: DeliveryTests.start)
            let verdict = Delivery.Verdict(effect: effect, isRetryable: isRetryable, retryAfterMilliseconds: nil)
            #expect(DeliveryTests.end(&delivery, verdict, now: DeliveryTests.start) == .finish)
            #expect(delivery.outcome == Self.expected([effect]))
        }
    }
}
