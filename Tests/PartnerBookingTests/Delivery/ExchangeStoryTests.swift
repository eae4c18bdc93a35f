import Testing

@testable import PartnerBooking

/// The field cases A1 to B13, as far as an exchange decides them.
@Suite struct ExchangeStoryTests {
    typealias Story = ExchangeStory

    private static func settings(
        _ keys: BookingRules.Keys = .kept, deadline: Int = 20_000, settleFor: Int = 120_000, shared: Bool = false,
        maxAttempts: Int = 3, signingKeys: Int = 1
    ) -> ExchangeHarness.Settings {
        var policy = DeliveryPolicy.calm
        policy.settleForMilliseconds = settleFor
        return ExchangeHarness.Settings(
            rules: BookingRules(keys: keys, areKeysShared: shared), policy: policy, deadline: deadline,
            maxAttempts: maxAttempts, signingKeys: signingKeys)
    }

    // MARK: Refusals that prove nothing

    @Test func a1ARequestThatLibcurlRepeatedAndThatWasThenRefusedIsInDoubt() throws {
        var story = Story(Self.settings(deadline: 5_000), .answers(.taken, after: 50, repetitions: 1), .answers(.taken))
        story.run(until: 200_000)
        let error = try #require(story.error())
        #expect(error.code == .inDoubt && error.outcome == .unknown && error.isRetryable)
        let doubt = try #require(error.doubt)
        #expect(doubt.status == 409 && doubt.code == .slotUnavailable)
        // Asked after 1 and 2 s, and told before the pause that the deadline would cut short.
        #expect((3_000...3_600).contains(doubt.sentMillisecondsAgo))
        #expect(story.effects("settle") == ["settle: in doubt"] && story.effects("report").isEmpty)
        #expect(story.violations == nil)
    }

    @Test(arguments: [PlatformAnswer.unauthorized, .forbidden, .tooMany, .conflict, .inProgress, .gatewayTimeout])
    func a1WhateverTheRepetitionIsAnswered(_ answer: PlatformAnswer) {
        var story = Story(Self.settings(deadline: 5_000, settleFor: 0), .answers(answer, repetitions: 1), .answers(answer))
        story.run(until: 200_000)
        #expect(story.error()?.outcome == .unknown && story.effects("settle") == ["settle: in doubt"])
        #expect(story.violations == nil)
    }

    @Test(arguments: [50, 900, 3_000])
    func a2NoNumberOfConflictsSettlesADoubtWhereKeysAreKept(_ latency: Int) {
        var story = Story(Self.settings(), .answers(.gatewayTimeout, after: 200), .answers(.taken, after: latency))
        story.run(until: 300_000)
        #expect(story.error()?.code == .inDoubt && story.error()?.outcome == .unknown)
        #expect(story.effects("settle") == ["settle: in doubt"])
        #expect(story.violations == nil)
    }

    @Test func a2WhereTheKeyIsLookedAtFirstARefusalSettlesItWhenThePlatformsTimeIsOver() throws {
        var story = Story(Self.settings(.first, deadline: 60_000), .answers(.gatewayTimeout, after: 200), .answers(.taken))
        story.run(until: 60_000)
        let error = try #require(story.error())
        #expect(error.isSlotConflict && error.outcome == .rejected && error.status == 409)
        // The request that settles it leaves 31 s after the end of the first one, and not a moment later.
        #expect(story.sendings.last == 31_200 && story.sendings.count <= 8)
        #expect(story.violations == nil)
    }

    @Test func a2TheSameInTheBackgroundIsReported() {
        var story = Story(Self.settings(.first, deadline: 10_000), .answers(.gatewayTimeout, after: 200), .answers(.taken))
        story.run(until: 35_000)
        #expect(story.error()?.code == .inDoubt)
        #expect(story.effects("report") == ["report tag-1: slot_unavailable, rejected"])
        #expect(story.effects("settle") == ["settle: rejected"])
        #expect(story.sendings.count <= 8)
        #expect(story.violations == nil)
    }

    @Test func a2AndTheBookingThatThePlatformHasMadeMeanwhileIsFound() {
        var story = Story(Self.settings(), .answers(.gatewayTimeout, after: 200), .answers(.taken), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("call", "settle", "report") == ["settle: booked", "call 1: booked"])
        #expect(story.violations == nil)
    }

    @Test func a4WithoutKeysNothingIsSentAfterALostReply() {
        var story = Story(Self.settings(.none), .answers(.lost), .answers(.made))
        story.run(until: 200_000)
        #expect(story.effects("send") == ["send once"])
        #expect(story.effects("settle", "call") == ["settle: in doubt", "call 1: in_doubt, unknown"])
        #expect(story.violations == nil)
    }

    @Test func a4WithoutKeysARefusalIsTriedAgain() {
        var story = Story(Self.settings(.none), .answers(.tooMany), .answers(.unsent), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("send", "call") == ["send once", "send once", "send once", "call 1: booked"])
        #expect(story.violations == nil)
    }

    @Test func a4WithoutKeysABookingOfAnEarlierProcessIsNotSentAtAll() {
        let story = Story(Self.settings(.none), inDoubt: true, .answers(.made))
        #expect(story.effects("send", "settle", "call") == ["settle: in doubt", "call 1: in_doubt, unknown"])
        #expect(story.violations == nil)
    }

    // MARK: Nobody hangs up

    @Test func a3ARepeatAfterACancelJoinsTheRequestThatIsUnderWay() throws {
        var story = Story(Self.settings(), .answers(.made, after: 2_000))
        story.run(until: 300)
        story.cancel()
        #expect(story.effects("call", "withdraw").contains("call 1: cancelled, unknown"), "at once")
        story.run(until: 800)
        story.join()
        story.run(until: 2_000)
        #expect(story.effects("send") == ["send"])
        #expect(story.effects("withdraw", "renew") == ["withdraw", "renew"])
        #expect(story.effects("call 2", "report") == ["call 2: booked", "report tag-1: booked"])
        let timing = try #require(story.harness.told.last?.timing)
        #expect(timing.attempts == 1 && !timing.isReplayed)
        #expect(story.violations == nil)
    }

    @Test func a3ACancelledBookingIsReadAndNotAskedForAgain() {
        for (answer, settled) in [(PlatformAnswer.made, true), (.taken, true), (.gatewayTimeout, false), (.conflict, false)]
        {
            var story = Story(Self.settings(), .answers(answer, after: 2_000), .answers(.made))
            story.run(until: 300)
            story.cancel()
            story.run(until: 300_000)
            #expect(story.sendings == [0], "\(answer)")
            #expect(story.effects("report").count == (settled ? 1 : 0), "\(answer)")
            #expect(story.violations == nil)
        }
    }

    @Test func a3APlatformThatNeverAnswersACancelledBookingIsLeftInTheEnd() {
        var story = Story(Self.settings(), .silence)
        story.run(until: 300)
        story.cancel()
        story.run(until: 300_000)
        #expect(story.harness.isOver && story.sendings == [0])
        #expect(story.moment("abandon as overdue") == 35_000, "the platform's own limit and 5 s")
        #expect(story.effects("settle", "report") == ["settle: in doubt"])
        #expect(story.violations == nil)
    }

    @Test func a3AfterADeadlineTheReplyIsReadAndReported() {
        var story = Story(Self.settings(deadline: 2_500), .answers(.made, after: 4_000))
        story.run(until: 4_000)
        #expect(story.moment("call 1: timeout, unknown") == 2_500)
        #expect(story.moment("report tag-1: booked") == 4_000)
        #expect(story.sendings == [0])
        #expect(story.violations == nil)
    }

    @Test func a3AfterADeadlineTheDoubtIsSettledByAskingAgain() {
        var story = Story(
            Self.settings(deadline: 2_500), .answers(.gatewayTimeout, after: 3_000), .answers(.taken), .answers(.made))
        story.run(until: 60_000)
        #expect(story.effects("call", "report") == ["call 1: timeout, unknown", "report tag-1: booked"])
        #expect(story.sendings.count == 3)
        #expect(story.violations == nil)
    }

    @Test func a3ItIsNotSettledLongerThanSettleForSays() {
        var story = Story(Self.settings(deadline: 2_500, settleFor: 20_000), .answers(.gatewayTimeout, after: 3_000))
        story.run(until: 300_000)
        #expect(story.harness.isOver && (story.sendings.last ?? 0) < 22_500 && story.sendings.count == 4)
        #expect(story.effects("settle", "report") == ["settle: in doubt"])
        #expect(story.violations == nil)
    }

    // MARK: A5, A6, A13

    @Test func a5WhereKeysAreSharedAConflictIsAskedForAgain() {
        var story = Story(Self.settings(shared: true), .answers(.taken), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("call") == ["call 1: booked"] && story.sendings.count == 2)
        #expect(story.violations == nil)
    }

    @Test(arguments: [BookingRules.Keys.kept, .first, .none])
    func a5AndIsNeverARefusal(_ keys: BookingRules.Keys) {
        var story = Story(Self.settings(keys, deadline: 60_000, shared: true), .answers(.taken))
        story.run(until: 400_000)
        #expect(story.error()?.code == .inDoubt && story.effects("settle") == ["settle: in doubt"])
        #expect(story.sendings.count == 1 || keys != .none)
        #expect(story.violations == nil)
    }

    /// To ask would get the same refusal.
    @Test(arguments: [PlatformAnswer.forbidden, .unauthorized])
    func a5ARefusedCallerIsToldSoAtOnceThoughAnotherClientMayBook(_ answer: PlatformAnswer) {
        var story = Story(Self.settings(shared: true), .answers(answer))
        story.run(until: 20_000)
        let error = story.error()
        #expect(error?.isFromService == true && error?.status != nil && error?.outcome == .unknown)
        #expect(story.sendings.count == (answer == .unauthorized ? 2 : 1))
        #expect(story.effects("settle") == ["settle: in doubt"])
        #expect(story.violations == nil)
    }

    @Test func a6AnotherBookingIsAskedForOnceMoreOnANewConnection() throws {
        var story = Story(Self.settings(), .answers(.elsewhere), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("send", "call") == ["send", "send on a new connection", "call 1: booked"])
        #expect(story.violations == nil)

        var again = Story(Self.settings(), .answers(.elsewhere))
        again.run(until: 20_000)
        #expect(again.effects("send") == ["send", "send on a new connection"])
        let error = try #require(again.error())
        #expect(error.code == .otherBooking && error.outcome == .unknown && error.reply != nil)
        #expect(again.effects("settle") == ["settle: in doubt"])
        #expect(again.violations == nil)
    }

    /// The new connection is for the one question.
    @Test func a6WhatIsAskedAfterThatGoesOverAnyConnection() {
        var story = Story(Self.settings(), .answers(.elsewhere), .answers(.gatewayTimeout), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("send", "call") == ["send", "send on a new connection", "send", "call 1: booked"])
        #expect(story.violations == nil)
    }

    @Test func a6ADeclinedBookingIsRejectedWithThePlatformsReply() throws {
        var story = Story(Self.settings(), .answers(.tooMany), .answers(.declined))
        story.run(until: 20_000)
        let error = try #require(story.error())
        #expect(error.code == .notConfirmed && error.outcome == .rejected && error.reply != nil)
        #expect(story.effects("settle") == ["settle: rejected"])
        #expect(story.violations == nil)

        // What became of the first sending it does not tell.
        var later = Story(Self.settings(), .answers(.gatewayTimeout), .answers(.declined))
        later.run(until: 20_000)
        #expect(later.error()?.code == .inDoubt && later.error()?.outcome == .unknown)
        #expect(later.violations == nil)
    }

    @Test func a13APlain500IsTriedAgain() {
        var story = Story(Self.settings(), .answers(.broken), .answers(.broken), .answers(.made))
        story.run(until: 20_000)
        #expect(story.sendings == [0, 50, 100])
        #expect(story.effects("call") == ["call 1: booked"])
        #expect(story.violations == nil)
    }

    // MARK: B5, B7, B13

    /// Three other bookings open the breaker, one that fails again and again does not.
    @Test func b5OneBookingsFailuresCountOnce() {
        var policy = DeliveryPolicy.calm
        policy.circuitBreaker = .init(failures: 3, openMilliseconds: 60_000)
        var health = ServiceHealth(policy, seed: 1)
        for key in ["key-1", "key-1", "key-2", "key-3"] {
            #expect(health.breaker.retryAfterMilliseconds(now: ExchangeHarness.start) == 0, "\(key)")
            let settings = ExchangeHarness.Settings(key: key, policy: policy, deadline: 60_000, maxAttempts: 9)
            var story = Story(settings, health: health, .answers(.broken))
            story.run(until: 5_000)
            #expect(story.sendings.count >= 9 || key == "key-3")
            health = story.harness.health
        }
        #expect(health.breaker.retryAfterMilliseconds(now: ExchangeHarness.start) > 0)
    }

    @Test func b7AnUnknownConflictIsAskedForOnceMoreAndIsThenARefusal() throws {
        var story = Story(Self.settings(), .answers(.conflict))
        story.run(until: 20_000)
        let error = try #require(story.error())
        #expect(error.code.rawValue == "conflict" && error.outcome == .rejected && error.status == 409)
        #expect(story.sendings.count == 2 && (1_050...1_200).contains(story.sendings.last ?? 0))
        #expect(story.violations == nil)

        var made = Story(Self.settings(), .answers(.conflict), .answers(.made))
        made.run(until: 20_000)
        #expect(made.effects("call") == ["call 1: booked"])
    }

    @Test func b7ADeadlineBetweenTheTwoLeavesItInDoubtAndTheBackgroundAsksTheSecondTime() {
        var story = Story(Self.settings(deadline: 800), .answers(.conflict))
        story.run(until: 20_000)
        #expect(story.effects("call", "report") == ["call 1: in_doubt, unknown", "report tag-1: conflict, rejected"])
        #expect(story.sendings.count == 2)
        #expect(story.violations == nil)
    }

    @Test func b13TheSecondSecretIsTriedAndThenTheUsualOneOnceMoreAfterASecond() throws {
        var story = Story(Self.settings(signingKeys: 2), .answers(.unauthorized))
        story.run(until: 20_000)
        #expect(story.effects("send") == ["send", "send with secret 1", "send"])
        #expect(story.sendings == [0, 50, 1_100])
        let error = try #require(story.error())
        #expect(error.code.rawValue == "invalid_signature" && error.outcome == .rejected)
        #expect(story.violations == nil)
    }

    @Test func b13TheSecretThatWasAcceptedIsUsedFromThenOn() {
        var story = Story(Self.settings(signingKeys: 2), .answers(.unauthorized), .answers(.made))
        story.run(until: 20_000)
        #expect(story.effects("send", "call") == ["send", "send with secret 1", "call 1: booked"])
        var next = Story(Self.settings(signingKeys: 2), health: story.harness.health, .answers(.made))
        next.run(until: 20_000)
        #expect(next.effects("send") == ["send with secret 1"])
        // And back again.
        var back = Story(
            Self.settings(signingKeys: 2), health: next.harness.health, .answers(.unauthorized), .answers(.made))
        back.run(until: 20_000)
        #expect(back.effects("send") == ["send with secret 1", "send"])
        #expect(back.harness.health.signingKey(of: "bot_1") == 0)
    }

    @Test func b13WithOneSecretItIsTriedOnceMoreAfterASecond() {
        var story = Story(Self.settings(), .answers(.unauthorized), .answers(.made))
        story.run(until: 20_000)
        #expect(story.sendings == [0, 1_050] && story.effects("call") == ["call 1: booked"])
        #expect(story.violations == nil)
    }
}
