import Testing

@testable import PartnerBooking

/// What settings, the breaker, the budgets and the clock make of an exchange.
@Suite struct ExchangeRuleTests {
    typealias Settings = ExchangeHarness.Settings

    private static func policy(_ change: (inout DeliveryPolicy) -> Void) -> DeliveryPolicy {
        var policy = DeliveryPolicy.calm
        change(&policy)
        return policy
    }

    // MARK: settle_for_ms 0: reading only

    private static let unsettling = Settings(policy: policy { $0.settleForMilliseconds = 0 })

    @Test func withoutSettlingWhatWasSentIsReadAndNothingElse() {
        var harness = ExchangePhase.attempting.harness(Self.unsettling)
        #expect(harness.take(.deadline(isSent: true)).contains("no more is sent"))
        #expect(harness.state == "attempting, reading")
        #expect(harness.take(.answered(.gatewayTimeout)) == "settle: in doubt; end")
        #expect(harness.checker.violations.isEmpty)
    }

    @Test func withoutSettlingWhatWasNotSentIsGivenUp() {
        var harness = ExchangePhase.attemptingInDoubt.harness(Self.unsettling)
        #expect(harness.take(.deadline(isSent: false)) == "abandon")
        let end = "leave the place; settle: in doubt; call 1: in_doubt, unknown; end"
        #expect(harness.take(.abandoned(nil, isSent: false)) == end)
        #expect(harness.checker.violations.isEmpty)
    }

    @Test(arguments: [ExchangePhase.pausingInDoubt, .queuedInDoubt])
    func withoutSettlingADeadlineEndsItWhereNothingIsOutstanding(_ phase: ExchangePhase) {
        var harness = phase.harness(Self.unsettling)
        let effects = harness.take(.deadline(isSent: false))
        #expect(effects.hasSuffix("settle: in doubt; call 1: in_doubt, unknown; end"))
        #expect(harness.isOver && harness.checker.violations.isEmpty)
    }

    // MARK: A journal that is not required

    private static let unprotected = Settings(policy: policy { $0.isJournalRequired = false })

    @Test(arguments: [ExchangeEvent.record(.failed), .record(.undone), .recordRevoked(true), .recordRevoked(false)])
    func aBookingThatTheStoreDidNotTakeIsSentAllTheSame(_ event: ExchangeEvent) throws {
        var harness = ExchangePhase.recording.harness(Self.unprotected)
        #expect(harness.take(event) == "queue")
        harness.take(.placeGranted)
        harness.send()
        #expect(harness.take(.answered(.made)) == "leave the place; settle: booked; call 1: booked; end")
        #expect(try #require(harness.told.last).timing.isUnprotected)
        #expect(harness.checker.violations.isEmpty)
    }

    /// What may still come into the store has to be taken down as refused.
    @Test func aRecordThatMayStillComeIsTakenBackBeforeARefusalIsTold() {
        var harness = ExchangePhase.recording.harness(Self.unprotected)
        harness.take(.recordRevoked(false))
        harness.take(.placeGranted)
        harness.send()
        #expect(harness.take(.answered(.taken)) == "leave the place; take back the record")
        #expect(harness.take(.recordRevoked(false)) == "void within 500")
        #expect(harness.take(.record(.durable)) == "")
        #expect(harness.take(.voided(true)) == "settle: rejected; call 1: slot_unavailable, rejected; end")
        #expect(harness.checker.violations.isEmpty)
    }

    // MARK: The time of one attempt

    private static let limited = Settings(policy: policy { $0.attemptMilliseconds = 8_000 })

    @Test func anAttemptThatHadItsTimeIsGivenUpAndTriedAgain() {
        var harness = ExchangePhase.attempting.harness(Self.limited)
        harness.pass(7_899)
        #expect(harness.take(.attemptOverdue) == "attemptOverdue in 1")
        harness.pass(1)
        #expect(harness.take(.attemptOverdue) == "abandon as overdue")
        #expect(harness.take(.abandoned(nil)) == "pause 0")
        #expect(harness.take(.pauseOver) == "send; attemptOverdue in 8000")
        #expect(harness.checker.violations.isEmpty)
    }

    /// What waits for a connection of ours tells nothing of the service.
    @Test func itCountsFromWhenTheRequestWasSent() {
        var harness = ExchangePhase.queued.harness(Self.limited)
        harness.take(.placeGranted)
        harness.pass(8_000)
        #expect(harness.take(.attemptOverdue) == "attemptOverdue in 8000")
        harness.send()
        harness.pass(7_000)
        #expect(harness.take(.attemptOverdue) == "attemptOverdue in 1000")
    }

    @Test func atTheDeadlineTheCallEndsAndTheAttemptGoesOn() {
        var harness = ExchangePhase.attempting.harness(Self.limited)
        harness.now = harness.exchange.deadline
        #expect(harness.take(.attemptOverdue) == "attemptOverdue in 1000")
        #expect(harness.take(.deadline(isSent: true)).hasSuffix("call 1: timeout, unknown; go on"))
    }

    @Test func aQuestionThatIsNeverSentIsGivenUpWhenItsTimeIsOver() {
        var harness = ExchangePhase.pausingSettling.harness()
        harness.pass(115_000)
        harness.take(.pauseOver)
        harness.pass(35_000)
        #expect(harness.take(.attemptOverdue) == "abandon as overdue")
        #expect(harness.take(.abandoned(nil, isSent: false)) == "settle: in doubt; end")
        #expect(harness.checker.violations.isEmpty)
    }

    // MARK: The thread is late

    @Test(arguments: [0, 1, 5_000])
    func aPauseThatEndsAfterTheDeadlineLeadsOnAllTheSame(_ late: Int) {
        for phase in [ExchangePhase.pausingInDoubt, .queuedInDoubt] {
            var harness = phase.harness()
            harness.now = harness.exchange.deadline.adding(milliseconds: late)
            harness.take(phase == .queuedInDoubt ? .placeGranted : .pauseOver)
            #expect(harness.take(.deadline(isSent: false)) == "leave the place; call 1: in_doubt, unknown; go on")
            let timers = harness.timers.filter { $0.generation == harness.exchange.generation }
            #expect(timers.map(\.timer) == [.pauseOver], "somebody has to come back to it")
            harness.pass(1_000)
            #expect(harness.take(.pauseOver) == "send; attemptOverdue in 35000")
            #expect(harness.checker.violations.isEmpty)
        }
    }

    @Test(arguments: [0, 1, 60_000])
    func aQuestionIsNotAskedWhenTheTimeForSettlingIsOver(_ late: Int) {
        var harness = ExchangePhase.pausingSettling.harness()
        harness.now = ExchangeHarness.start.adding(milliseconds: 20_000 + 120_000 + late)
        #expect(harness.take(.pauseOver) == "settle: in doubt; end")
        #expect(harness.checker.violations.isEmpty)
    }

    @Test func anUnsentBookingWhosePlaceCameTooLateIsNotSent() {
        var harness = ExchangePhase.queued.harness()
        harness.now = harness.exchange.deadline
        #expect(!harness.take(.placeGranted).contains("send"))
        #expect(harness.take(.deadline(isSent: false)) == "leave the place; void within 500")
        #expect(harness.take(.voided(true)) == "settle: not_sent; call 1: timeout, not_sent; end")
        #expect(harness.checker.violations.isEmpty)
    }

    // MARK: Joining

    /// A repeat asks as often as if it had come first.
    @Test func aCallThatJoinsLateIsAskedForSoonAndOften() {
        var harness = ExchangePhase.pausingSettling.harness()
        for _ in 0..<5 {
            harness.take(.pauseOver)
            harness.send()
            harness.take(.answered(.gatewayTimeout))
        }
        harness.pass(300)
        #expect(harness.take(.joined) == "pause 700")
        harness.pass(700)
        harness.take(.pauseOver)
        harness.send()
        for pause in ["pause 1000+", "pause 2000+", "pause 4000+"] {
            #expect(harness.take(.answered(.notImplemented)) == pause)
            harness.pass(2_000)
            harness.take(.pauseOver)
            harness.send()
        }
        #expect(harness.checker.violations.isEmpty)
    }

    @Test func aCallThatJoinsLongAfterTheLastAnswerIsAskedForAtOnce() {
        var harness = ExchangePhase.pausingSettling.harness()
        harness.pass(5_000)
        #expect(harness.take(.joined) == "pause 0")
    }

    @Test func aCallThatJoinsLeavesTheServiceAloneAsLongAsThatWants() {
        var harness = ExchangePhase.attemptingSettling.harness()
        #expect(harness.answer(.gatewayTimeout, retryAfter: 12) == "pause 12000")
        harness.pass(2_000)
        #expect(harness.take(.joined) == "pause 10000")
    }

    /// Else the background would have nothing to do but to end.
    @Test func aPauseThatIsLongerThanTheTimeForSettlingIsTheEnd() {
        var harness = ExchangePhase.attempting.harness(Settings(policy: Self.policy { $0.settleForMilliseconds = 5_000 }))
        let effects = "leave the place; settle: in doubt; call 1: in_doubt, unknown; end"
        #expect(harness.answer(.gatewayTimeout, retryAfter: 60) == effects)
    }

    // MARK: What an error in doubt says

    @Test func anErrorInDoubtSaysSinceWhenAndWhatTheLastAnswerWas() throws {
        for (answer, status, code) in [
            (PlatformAnswer.gatewayTimeout, 504, "gateway_timeout"), (.lost, nil, "connection_lost"),
            (.conflict, 409, "conflict"),
        ] as [(PlatformAnswer, Int?, String)] {
            var harness = ExchangePhase.attempting.harness()
            harness.take(.answered(answer))
            harness.take(.deadline(isSent: false))
            let error = try #require(harness.told.last?.result.failure)
            #expect(error.code == .inDoubt && error.outcome == .unknown && error.isRetryable && error.attempts == 1)
            #expect(error.idempotencyKey == "key-1" && error.tag == "tag-1")
            let doubt = PartnerBookingError.Doubt(
                sentMillisecondsAgo: 20_000, status: status, code: .init(rawValue: code))
            #expect(error.doubt == doubt)
        }
    }

    @Test func afterARestartItCountsFromTheOpeningAndHasNoAnswer() throws {
        var harness = ExchangePhase.queuedInDoubt.harness()
        harness.take(.deadline(isSent: false))
        let error = try #require(harness.told.last?.result.failure)
        #expect(error.doubt == PartnerBookingError.Doubt(sentMillisecondsAgo: 20_000, status: nil, code: nil))
        #expect(error.attempts == 0)
    }

    /// The platform's words are handed over, whatever they prove.
    @Test func aDeclinedBookingThatProvesNothingIsHandedOverToo() throws {
        var harness = ExchangePhase.attemptingInDoubt.harness()
        harness.take(.answered(.declined))
        harness.take(.deadline(isSent: false))
        let error = try #require(harness.told.last?.result.failure)
        #expect(error.code == .inDoubt && error.reply != nil && error.doubt?.code == .notConfirmed)
    }

    // MARK: Breaker and budgets

    private static let breaking = Settings(
        policy: policy { $0.circuitBreaker = .init(failures: 1, openMilliseconds: 4_000) })

    private static func open(_ harness: inout ExchangeHarness) {
        harness.health.breaker.attemptEnded(99, subject: 99, isOutage: true, now: harness.now)
    }

    @Test func behindAnOpenBreakerABookingThatWasNotSentEndsAtOnce() {
        var harness = ExchangePhase.queued.harness(Self.breaking)
        Self.open(&harness)
        #expect(harness.take(.placeGranted) == "leave the place; void within 500")
        #expect(harness.take(.voided(true)) == "settle: not_sent; call 1: circuit_open, not_sent; end")
        #expect((harness.told.last?.result.failure?.retryAfterMilliseconds ?? 0) > 0)

        var inherited = ExchangePhase.queuedInDoubt.harness(Self.breaking)
        Self.open(&inherited)
        #expect(inherited.take(.placeGranted) == "leave the place; settle: in doubt; call 1: circuit_open, unknown; end")
        #expect(harness.checker.violations.isEmpty && inherited.checker.violations.isEmpty)
    }

    @Test(arguments: [ExchangePhase.pausingInDoubt, .pausingSettling])
    func behindAnOpenBreakerABookingInDoubtWaits(_ phase: ExchangePhase) {
        var harness = phase.harness()
        harness.health.breaker = CircuitBreaker(.init(failures: 1, openMilliseconds: 4_000), seed: 1)
        Self.open(&harness)
        let wait = harness.health.breaker.retryAfterMilliseconds(now: harness.now)
        #expect(!harness.take(.pauseOver).contains("send"))
        harness.pass(wait)
        #expect(harness.take(.pauseOver).hasPrefix("send"))
        #expect(harness.checker.violations.isEmpty)
    }

    /// 3 s of silence tell of an outage when the call ends, not when the attempt does, half a minute later.
    @Test(arguments: [(2_999, true), (3_000, false)])
    func aDeadlineAfterSilenceCountsAsAnOutage(_ deadline: Int, _ admits: Bool) {
        var settings = Self.breaking
        settings.deadline = deadline
        var harness = ExchangePhase.queued.harness(settings)
        harness.take(.placeGranted)
        harness.send()
        harness.take(.deadline(isSent: true))
        #expect(harness.health.breaker.admit(99, now: harness.now) == admits)
    }

    @Test func withoutABudgetNothingIsRetriedButADoubtIsAskedFor() {
        let settings = Settings(policy: Self.policy { $0.retryTokens = 1 })
        var harness = ExchangePhase.attempting.harness(settings)
        _ = harness.health.budget.spend(now: harness.now)
        #expect(harness.take(.answered(.gatewayTimeout)) == "pause 1000+")
        var other = ExchangePhase.attempting.harness(settings)
        _ = other.health.budget.spend(now: other.now)
        #expect(other.take(.answered(.tooMany)) == "leave the place; void within 500")
        // What never reached the service costs nothing.
        var unsent = ExchangePhase.attempting.harness(settings)
        _ = unsent.health.budget.spend(now: unsent.now)
        #expect(unsent.take(.answered(.unsent)) == "pause 0")
    }

    @Test func theBackgroundWaitsForABudgetOfItsOwn() {
        var harness = ExchangePhase.pausingSettling.harness()
        while harness.health.settlingBudget.spend(now: harness.now) {}
        #expect(harness.take(.pauseOver) == "pause 1000+")
        harness.pass(1_000)
        #expect(harness.take(.pauseOver).hasPrefix("send"))
        // A call does not wait for it.
        var answering = ExchangePhase.pausingInDoubt.harness()
        while answering.health.settlingBudget.spend(now: answering.now) {}
        #expect(answering.take(.pauseOver).hasPrefix("send"))
    }

    /// They leave connections to the calls.
    @Test func notAllQuestionsOfTheBackgroundAreAskedAtOnce() {
        let settings = Settings(policy: Self.policy { $0.maxUnattended = 2 })
        var harness = ExchangePhase.pausingSettling.harness(settings)
        harness.health.asks = 2
        #expect(harness.take(.pauseOver) == "pause 1000+")
        harness.health.asks = 1
        #expect(harness.take(.pauseOver).hasPrefix("send"))
        #expect(harness.health.asks == 2)
        // It is one of them until its answer comes, whoever waits for that.
        harness.take(.joined)
        #expect(harness.health.asks == 2)
        harness.send()
        harness.take(.answered(.gatewayTimeout))
        #expect(harness.health.asks == 1)
        harness.take(.pauseOver)
        #expect(harness.health.asks == 1, "a call waits for this one")
    }

    @Test func aServiceThatWantsToBeLeftAloneIs() {
        var harness = ExchangePhase.attempting.harness()
        #expect(harness.answer(.gatewayTimeout, retryAfter: 7) == "pause 7000")
        var late = ExchangePhase.attempting.harness()
        #expect(late.answer(.tooMany, retryAfter: 30) == "leave the place; void within 500", "beyond the deadline")
        var doubtful = ExchangePhase.attempting.harness()
        #expect(
            doubtful.answer(.gatewayTimeout, retryAfter: 30).hasPrefix("leave the place; call 1: in_doubt, unknown; go on"))
    }
}
