import Testing

@testable import PartnerBooking

/// One test for each phase and event.
@Suite struct ExchangeTests {
    @Test(arguments: ExchangePhase.allCases)
    func everyEventHasItsEffectsInEachPhase(_ phase: ExchangePhase) throws {
        let rows = try #require(ExpectedEffects.table[phase])
        let before = phase.harness()
        #expect(before.checker.violations.isEmpty, "\(before.history)")
        for event in ExchangeEvent.all where !ExpectedEffects.isImpossible(event, in: phase) {
            var harness = before
            let effects = harness.take(event)
            let next = harness.state == before.state ? nil : "-> \(harness.state)"
            let result = [effects.isEmpty ? nil : effects, next].compactMap { $0 }.joined(separator: " ")
            let expected = rows[event] ?? (event == .placeGranted ? "leave the place" : "")
            #expect(result == expected, "\(phase), \(event)")
        }
    }

    /// The table names no event that is never sent.
    @Test func theTableHasNoRowTooMany() {
        for (phase, rows) in ExpectedEffects.table {
            for event in rows.keys {
                #expect(ExchangeEvent.all.contains(event) && !ExpectedEffects.isImpossible(event, in: phase))
            }
        }
    }

    /// A timer fires in the generation for which it was set, and each change of phase begins a new one.
    @Test(arguments: ExchangePhase.allCases)
    func aChangeOfPhaseMakesOlderTimersObsolete(_ phase: ExchangePhase) {
        let before = phase.harness()
        for event in ExchangeEvent.all where !ExpectedEffects.isImpossible(event, in: phase) {
            var harness = before
            harness.take(event)
            if harness.exchange.phase != before.exchange.phase {
                #expect(harness.exchange.generation > before.exchange.generation, "\(phase), \(event)")
            }
            for timer in harness.timers.dropFirst(before.timers.count) where !harness.isOver {
                #expect(timer.generation == harness.exchange.generation, "\(phase), \(event): \(timer.timer)")
            }
        }
    }

    // MARK: Detached calls and several calls

    @Test(arguments: [ExchangePhase.recording, .queued, .attempting, .pausing])
    func aCancelDoesNotEndADetachedCall(_ phase: ExchangePhase) {
        var harness = phase.harness(.init(isDetached: true))
        let before = harness.state
        #expect(harness.take(.cancelled(isSent: true)) == "")
        #expect(harness.state == before)
    }

    @Test(arguments: [ExchangePhase.recording, .queued, .attempting, .pausing, .pausingInDoubt])
    func oneOfTwoCallsLeavesAndTheOtherGetsTheEnd(_ phase: ExchangePhase) {
        for event in [ExchangeEvent.cancelled(isSent: true), .cancelled(isSent: false)] {
            var harness = phase.harness()
            harness.take(.joined)
            let before = harness.state
            // The other goes on: it may still be booked.
            #expect(harness.take(event) == "call 1: cancelled, unknown")
            #expect(harness.state == before)
            if phase == .recording { harness.take(.record(.durable)) }
            if [.recording, .queued].contains(phase) { harness.take(.placeGranted) }
            if [.pausing, .pausingInDoubt].contains(phase) { harness.take(.pauseOver) }
            let end = "leave the place; settle: booked; call 2: booked; report tag-1: booked; end"
            #expect(harness.take(.answered(.made)) == end)
            #expect(harness.checker.violations.isEmpty)
        }
    }

    /// The refusal is not its own, and the store must not take the booking down behind it.
    @Test(arguments: [ExchangePhase.voiding, .voidingReading, .takingBack])
    func aCallThatComesDuringTheEndBeginsAnewAfterIt(_ phase: ExchangePhase) {
        for isDone in [true, false] {
            var harness = phase.harness()
            #expect(harness.take(.joined) == "")
            #expect(harness.take(.voided(isDone)).hasSuffix("call 2 begins anew; end"))
            #expect(harness.checker.violations.isEmpty)
        }
    }

    @Test func aCallThatComesDuringTheEndAndIsCancelledDoesNotBegin() {
        var harness = ExchangePhase.voiding.harness()
        harness.take(.joined)
        // The store may still fail to take down that nothing was booked.
        #expect(harness.cancel(2, sentAt: nil) == "call 2: cancelled, unknown")
        harness.take(.voided(true))
        #expect(harness.told.map(\.ticket).sorted() == [1, 2])
        #expect(harness.told.first { $0.ticket == 2 }?.result.failure?.code == .cancelled)
        #expect(harness.checker.violations.isEmpty)
    }

    @Test func aCallThatComesDuringTheEndDoesNotBeginWhenTheClientCloses() {
        var harness = ExchangePhase.voiding.harness()
        harness.take(.joined)
        harness.take(.stopped)
        harness.take(.voided(true))
        #expect(harness.told.first { $0.ticket == 2 }?.result.failure?.code == .clientClosed)
        #expect(harness.checker.violations.isEmpty)
    }

    /// The ledger answers later. The key goes back to it as it was.
    @Test(arguments: [ExchangeEvent.granted, .grantedInDoubt, .replayed, .notMade, .refused, .full])
    func aKeyThatIsGrantedAfterTheCallHasLeftIsGivenBack(_ event: ExchangeEvent) {
        var harness = ExchangePhase.claiming.harness()
        harness.take(.cancelled(isSent: false))
        let settled = [ExchangeEvent.granted: "settle: not_sent; end", .grantedInDoubt: "settle: in doubt; end"]
        #expect(harness.take(event) == settled[event] ?? "end")
        #expect(harness.told.count == 1 && harness.isOver)
        #expect(harness.checker.violations.isEmpty)
    }

    // MARK: An answer that is there, though its transfer has not ended

    @Test(arguments: [PlatformAnswer.made, .taken])
    func whoLeavesWhenTheAnswerIsThereGetsIt(_ answer: PlatformAnswer) {
        for isDeadline in [true, false] {
            var harness = ExchangePhase.attempting.harness()
            harness.take(.joined)
            let sentAt = ExchangeHarness.start
            let effects =
                isDeadline
                ? harness.passDeadline(sentAt: sentAt, hasAnswer: true) : harness.cancel(sentAt: sentAt, hasAnswer: true)
            #expect(effects == "abandon")
            harness.take(.abandoned(answer))
            if answer == .taken { harness.take(.voided(true)) }
            let end = answer == .made ? "booked" : "slot_unavailable, rejected"
            #expect(harness.log.map(\.text).filter { $0.hasPrefix("call") } == ["call 1: \(end)", "call 2: \(end)"])
            #expect(harness.checker.violations.isEmpty)
        }
    }

    /// A call that joins with less time does not take the first one's.
    @Test func theLatestDeadlineOfAllCallsCounts() {
        var harness = ExchangePhase.attempting.harness()
        harness.join(deadline: 500)
        #expect(harness.answer(.gatewayTimeout, retryAfter: 7) == "pause 7000")
        harness.pass(500)
        #expect(harness.passDeadline(2, sentAt: nil) == "call 2: in_doubt, unknown")
        harness.pass(6_500)
        #expect(harness.take(.pauseOver) == "send; attemptOverdue in 35000")
        harness.send()
        #expect(
            harness.take(.answered(.made)) == "leave the place; settle: booked; call 1: booked; report tag-2: booked; end")
        #expect(harness.checker.violations.isEmpty)
    }

    @Test func aSecondCallKeepsTheExchangeGoingBeyondTheFirstOnesDeadline() {
        var harness = ExchangePhase.attempting.harness()
        harness.pass(10_000)
        harness.take(.joined)
        harness.now = ExchangeHarness.start.adding(milliseconds: 20_000)
        #expect(harness.passDeadline(1, sentAt: harness.now) == "call 1: timeout, unknown")
        #expect(harness.state == "attempting")
        #expect(harness.take(.answered(.taken)) == "leave the place; void within 500")
        let end = "settle: rejected; call 2: slot_unavailable, rejected; report tag-1: slot_unavailable, rejected; end"
        #expect(harness.take(.voided(true)) == end)
        #expect(harness.checker.violations.isEmpty)
    }
}
