import Testing

@testable import PartnerBooking

/// How a doubt is settled, and what is waited for beyond the attempts of the policy. The clock is the test's own.
@Suite struct DeliveryDoubtTests {
    private enum Answer {
        case lost, unsent, taken, unauthorized, inProgress, booked

        var verdict: Delivery.Verdict {
            switch self {
            case .lost: .init(effect: .unknown, isRetryable: true)
            case .unsent: .init(effect: .notSent, isRetryable: true)
            case .taken: .init(effect: .refused, isRetryable: false, isAboutBooking: true)
            case .unauthorized: .init(effect: .refused, isRetryable: false)
            case .inProgress: .init(effect: .unknown, isRetryable: true, isInProgress: true)
            case .booked: .init(effect: .done, isRetryable: false)
            }
        }
    }

    /// Feeds a delivery the answers until it ends: how many were taken, what it then says, and when.
    private func deliver(
        _ answers: [Answer], attempts: Int = 3, timeout: Int = 60_000, isInDoubt: Bool = false
    ) -> (count: Int, outcome: PartnerBookingError.Outcome, milliseconds: Int) {
        let start = DeliveryTests.start
        let policy = Delivery.Policy(maxAttempts: attempts, baseDelayMilliseconds: 1, maxDelayMilliseconds: 1)
        var delivery = Delivery(
            policy: policy, deadline: start.adding(milliseconds: timeout), seed: 1, isInDoubt: isInDoubt)
        var now = start
        for (index, answer) in answers.enumerated() {
            #expect(delivery.begin(now: now) == .send)
            guard case .pause(let moment) = DeliveryTests.end(&delivery, answer.verdict, now: now) else {
                return (index + 1, delivery.outcome, now.milliseconds(since: start))
            }
            now = moment
        }
        return (answers.count, delivery.outcome, now.milliseconds(since: start))
    }

    @Test(
        arguments: [
            // Without a doubt a refusal is a refusal.
            ([.taken], 1, PartnerBookingError.Outcome.rejected),
            ([.unsent, .taken], 2, .rejected),
            // With one it takes two in a row.
            ([.lost, .taken, .taken], 3, .rejected),
            ([.lost, .taken, .unsent, .taken], 3, .unknown),  // no attempt is left after the third
            ([.lost, .taken, .lost], 3, .unknown),
            // Those that are not about the booking settle nothing.
            ([.lost, .unauthorized], 2, .unknown),
            ([.lost, .taken, .unauthorized], 3, .unknown),
        ] as [([Answer], Int, PartnerBookingError.Outcome)])
    private func aDoubtIsSettledByTwoRefusalsInARow(
        _ answers: [Answer], _ count: Int, _ outcome: PartnerBookingError.Outcome
    ) {
        let end = deliver(answers)
        #expect(end.count == count)
        #expect(end.outcome == outcome)
    }

    @Test func aBookingSettlesItAtOnce() {
        #expect(deliver([.lost, .booked, .lost]).count == 2)
        #expect(deliver([.lost, .taken, .booked, .lost]).count == 3)
    }

    /// Beyond the policy's attempts, and not before a second has passed.
    @Test func theSecondRefusalIsAskedFor() {
        let end = deliver([.taken, .taken], attempts: 1, isInDoubt: true)
        #expect(end.count == 2 && end.outcome == .rejected)
        #expect(end.milliseconds == Delivery.confirmationMilliseconds)
    }

    @Test func theDeadlineMayLeaveNoRoomForIt() {
        let end = deliver([.taken, .taken], attempts: 3, timeout: 1_000, isInDoubt: true)
        #expect(end.count == 1 && end.outcome == .unknown)
    }

    @Test func aDoubtThatFellBetweenTwoRefusalsIsNotSettledByTheSecond() {
        #expect(deliver([.taken, .lost, .taken], attempts: 5, isInDoubt: true).outcome == .unknown)
        #expect(deliver([.taken, .lost, .taken, .taken], attempts: 5, isInDoubt: true).outcome == .rejected)
    }

    @Test func anEarlierDoubtStays() {
        for answers in [[Answer.unsent], [.unauthorized], [.lost]] {
            #expect(deliver(answers, attempts: 1, isInDoubt: true).outcome == .unknown)
        }
        #expect(deliver([], isInDoubt: true).outcome == .unknown)
    }

    /// However many attempts it takes, until the deadline.
    @Test func aKeyInProgressIsWaitedFor() {
        let waited = deliver(Array(repeating: .inProgress, count: 50) + [.booked], attempts: 1)
        #expect(waited.count == 51)
        let end = deliver(Array(repeating: .inProgress, count: 100_000), attempts: 1, timeout: 100)
        #expect(end.count < 100_000 && end.outcome == .unknown && end.milliseconds < 100)
    }

    // MARK: The budget

    @Test func whatReachedTheServiceCostsAToken() {
        for (answer, isFree) in [(Answer.lost, false), (.unsent, true), (.inProgress, true), (.taken, true)] {
            var budget = RetryBudget(tokens: 1)
            let now = DeliveryTests.start
            #expect({ budget.take(now: now) }())
            let policy = Delivery.Policy(maxAttempts: 9, baseDelayMilliseconds: 1, maxDelayMilliseconds: 1)
            var delivery = Delivery(
                policy: policy, deadline: now.adding(milliseconds: 60_000), seed: 1, isInDoubt: true)
            _ = delivery.begin(now: now)
            #expect((delivery.attemptEnded(answer.verdict, now: now, budget: &budget) != .finish) == isFree, "\(answer)")
        }
    }
}

@Suite struct RetryBudgetTests {
    private static let start = MonotonicTime(nanoseconds: 5_000_000_000)

    /// How many tokens there are at a moment.
    private func drain(_ budget: inout RetryBudget, after milliseconds: Int) -> Int {
        let now = Self.start.adding(milliseconds: milliseconds)
        var count = 0
        while count < 100_000, budget.take(now: now) { count += 1 }
        return count
    }

    @Test(arguments: [1, 2, 20, 1_000])
    func aFullBucketHasItsTokensAndComesBackEvenly(_ tokens: Int) {
        var budget = RetryBudget(tokens: tokens)
        let interval = RetryBudget.refillMilliseconds / tokens
        #expect(drain(&budget, after: 0) == tokens)
        #expect(drain(&budget, after: interval - 1) == 0)
        #expect(drain(&budget, after: interval) == 1)
        #expect(drain(&budget, after: interval + RetryBudget.refillMilliseconds / 2) == tokens / 2)
        #expect(drain(&budget, after: 1_000_000) == tokens, "no more than full")
    }

    @Test func noneMeansNoLimit() {
        var budget = RetryBudget(tokens: 0)
        #expect(drain(&budget, after: 0) == 100_000)
    }
}

@Suite struct CircuitBreakerTests {
    private static let start = MonotonicTime(nanoseconds: 5_000_000_000)
    private static let settings = CircuitBreaker.Settings(failures: 3, openMilliseconds: 1_000)

    private func after(_ milliseconds: Int) -> MonotonicTime { Self.start.adding(milliseconds: milliseconds) }

    /// Opened at the moment 0; half a second to a second later one may probe.
    private func open(seed: UInt64 = 1) -> CircuitBreaker {
        var breaker = CircuitBreaker(Self.settings, seed: seed)
        for id in 1...3 as ClosedRange<TransferID> {
            #expect({ breaker.admits(id, now: after(0)) }())
            breaker.attemptEnded(id, isOutage: true, now: after(0))
        }
        return breaker
    }

    @Test func itOpensAfterSoManyFailuresInARow() {
        var breaker = open()
        #expect(!{ breaker.admits(9, now: after(0)) }())
        #expect(!{ breaker.admits(9, now: after(499)) }())
        let moment = breaker.retryAfterMilliseconds(now: after(0))
        #expect(breaker.retryAfterMilliseconds(now: after(400)) == moment - 400)
        #expect(!{ breaker.admits(9, now: after(moment - 1)) }())
        #expect({ breaker.admits(9, now: after(moment)) }())
    }

    /// An outage begins for all at the same moment.
    @Test func clientsDoNotProbeInStep() {
        let moments = (0..<400).map { open(seed: $0).retryAfterMilliseconds(now: after(0)) }
        #expect(moments.allSatisfy { (500...1_000).contains($0) })
        #expect((moments.min() ?? 0) < 525)
        #expect((moments.max() ?? 0) > 975)
    }

    @Test func anyAnswerBetweenStartsTheCountAgain() {
        var breaker = CircuitBreaker(Self.settings, seed: 1)
        for isOutage in [true, true, false, true, nil, true] { breaker.attemptEnded(1, isOutage: isOutage, now: after(0)) }
        #expect({ breaker.admits(9, now: after(0)) }())
        breaker.attemptEnded(1, isOutage: true, now: after(0))
        #expect(!{ breaker.admits(9, now: after(0)) }())
    }

    @Test func oneProbesAndItsSuccessClosesIt() {
        var breaker = open()
        #expect({ breaker.admits(7, now: after(1_000)) }())
        #expect(!{ breaker.admits(8, now: after(1_000)) }(), "one at a time")
        #expect(!{ breaker.admits(8, now: after(3_999)) }())
        #expect({ breaker.admits(7, now: after(3_999)) }(), "the probe's own")
        #expect(breaker.retryAfterMilliseconds(now: after(3_999)) == 1)
        breaker.attemptEnded(7, isOutage: false, now: after(3_999))
        #expect({ breaker.admits(8, now: after(3_999)) }())
    }

    /// A patient booking that probes must not keep all others out while it waits for an answer that was lost.
    @Test func aProbeWithoutAnEndIsFollowedByAnother() {
        var breaker = open()
        #expect({ breaker.admits(7, now: after(1_000)) }())
        #expect({ breaker.admits(8, now: after(4_000)) }())
        #expect(!{ breaker.admits(9, now: after(4_000)) }())
        breaker.attemptEnded(7, isOutage: true, now: after(4_100))  // the first one's silence says nothing new
        breaker.attemptEnded(8, isOutage: false, now: after(4_200))
        #expect({ breaker.admits(9, now: after(4_200)) }())
    }

    @Test func aProbeThatFailsOpensItAgain() {
        var breaker = open()
        #expect({ breaker.admits(7, now: after(1_000)) }())
        breaker.attemptEnded(2, isOutage: true, now: after(1_100))  // one from before says nothing new
        breaker.attemptEnded(7, isOutage: true, now: after(1_200))
        #expect(!{ breaker.admits(8, now: after(1_699)) }())
        #expect({ breaker.admits(8, now: after(2_200)) }())
    }

    @Test func aProbeThatIsGivenUpLeavesItToTheNext() {
        var breaker = open()
        #expect({ breaker.admits(7, now: after(1_000)) }())
        breaker.attemptEnded(7, isOutage: nil, now: after(1_500))
        #expect({ breaker.admits(8, now: after(1_500)) }())
        #expect(!{ breaker.admits(9, now: after(1_500)) }())
    }

    /// One from before it opened, that comes late with good news.
    @Test func anAnswerClosesItWhateverItWas() {
        var breaker = open()
        breaker.attemptEnded(2, isOutage: false, now: after(10))
        #expect({ breaker.admits(9, now: after(10)) }())
    }

    @Test func zeroFailuresMeansNever() {
        var breaker = CircuitBreaker(.init(failures: 0, openMilliseconds: 1_000), seed: 1)
        for id in 1...1_000 as ClosedRange<TransferID> { breaker.attemptEnded(id, isOutage: true, now: after(0)) }
        #expect({ breaker.admits(1, now: after(0)) }())
    }
}
