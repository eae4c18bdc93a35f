import Testing

@testable import PartnerBooking

/// Bookings whose keys other clients of the host's store have, too.
@Suite struct ExchangeHostTests {
    private typealias Harness = ExchangeHarness

    private static let inDoubt = "settle: in doubt; call 1: in_doubt, unknown; end"
    private static let attempt = "send; attemptOverdue in 35000"

    /// Another engine has the key, and the exchange has looked for the first time.
    private static func awaiting(_ settings: Harness.Settings = .init()) -> Harness {
        var harness = ExchangePhase.recording.harness(settings)
        #expect(harness.take(HostEvent.held) == "lookDue in 50")
        #expect(harness.state == "awaiting")
        harness.pass(50)
        #expect(harness.fire(.lookDue) == "look; lookDue in 2000")
        return harness
    }

    private static func withoutJournal() -> Harness.Settings {
        var policy = DeliveryPolicy.calm
        policy.isJournalRequired = false
        return Harness.Settings(policy: policy)
    }

    private static func expect(_ harness: Harness, isOver: Bool = true) {
        #expect(harness.isOver == isOver, "\(harness.state)")
        #expect(harness.checker.violations.isEmpty, "\(harness.checker.violations)\n\(harness.history)")
    }

    // MARK: The answers to a claim

    @Test(arguments: [
        (HostEvent.bookedAtOnce, "call 1: booked (replayed); end"),
        (.other, "call 1: idempotency_key_reused, unknown; end"),
        (.takeoverFailed, "settle: in doubt; call 1: account_changed, unknown; end"),
    ])
    func aClaimMayEndIt(_ event: HostEvent, _ effects: String) {
        var harness = ExchangePhase.recording.harness()
        #expect(harness.take(event) == effects)
        Self.expect(harness)
    }

    @Test(arguments: [HostEvent.tookOver, .tookOverOwn])
    func whatWasTakenOverIsSentAndInDoubt(_ event: HostEvent) {
        var harness = ExchangePhase.recording.harness()
        #expect(harness.take(event) == "queue")
        #expect(harness.take(.placeGranted) == Self.attempt)
        harness.send()
        // The dead engine may have made it.
        #expect(harness.take(.answered(.taken)) == "pause 1000+")
        harness.pass(1_200)
        #expect(harness.take(.pauseOver) == Self.attempt)
        harness.send()
        #expect(harness.take(.answered(.made)) == "leave the place; settle: booked; call 1: booked; end")
        Self.expect(harness)
    }

    @Test func aPlatformWithoutKeysIsNotAskedAgain() {
        var harness = ExchangePhase.recording.harness(.init(rules: BookingRules(keys: .none)))
        #expect(harness.take(HostEvent.tookOver) == Self.inDoubt)
        Self.expect(harness)
    }

    // MARK: Waiting for another engine

    @Test func itLooksMoreAndMoreSeldom() {
        var harness = Self.awaiting()
        for pause in [100, 200, 400, 500, 500] {
            #expect(harness.take(HostEvent.lookedLive) == "lookDue in \(pause)")
            harness.pass(pause)
            #expect(harness.fire(.lookDue) == "look; lookDue in 2000")
        }
        // The store does not answer.
        harness.pass(2_000)
        #expect(harness.fire(.lookDue) == "look; lookDue in 2000")
        Self.expect(harness, isOver: false)
    }

    @Test func theOtherEnginesBookingIsItsOwn() throws {
        var harness = Self.awaiting()
        harness.take(.joined)
        #expect(harness.take(HostEvent.lookedBooked) == "call 1: booked (replayed); call 2: booked (replayed); end")
        #expect(harness.told.map(\.timing.attempts) == [0, 0])
        Self.expect(harness)
    }

    @Test func aKeyThatIsFreeIsClaimedAndSent() {
        var harness = Self.awaiting()
        #expect(harness.take(HostEvent.lookedFree) == "record within 2000")
        #expect(harness.state == "recording")
        #expect(harness.take(.record(.durable)) == "queue")
        #expect(harness.take(.placeGranted) == Self.attempt)
        harness.send()
        // The other engine has voided it: a refusal is one again.
        #expect(harness.take(.answered(.taken)) == "leave the place; void within 500")
        let end = "settle: rejected; call 1: slot_unavailable, rejected; end"
        #expect(harness.take(.voided(true)) == end)
        Self.expect(harness)
    }

    @Test func somebodyElseMayBeFaster() {
        var harness = Self.awaiting()
        harness.take(HostEvent.lookedFree)
        #expect(harness.take(HostEvent.held) == "lookDue in 50")
        #expect(harness.state == "awaiting")
        Self.expect(harness, isOver: false)
    }

    @Test func aDoubtThatAPersonEndsElsewhereIsNotSentAgain() {
        var harness = Self.awaiting()
        #expect(harness.take(HostEvent.lookedGivenUp) == Self.inDoubt)
        Self.expect(harness)
    }

    @Test(arguments: [
        (ExchangeEvent.cancelled(isSent: false), "withdraw; settle: in doubt; call 1: cancelled, unknown; end"),
        (.stopped, "settle: in doubt; call 1: client_closed, unknown; end"),
        (.dropped, "settle: in doubt; call 1: client_closed, unknown; end"),
    ])
    func whoWaitsMayLeave(_ event: ExchangeEvent, _ effects: String) {
        var harness = Self.awaiting()
        #expect(harness.take(event) == effects)
        Self.expect(harness)
    }

    @Test func afterTheDeadlineItIsReported() {
        var harness = Self.awaiting()
        #expect(harness.take(.deadline(isSent: false)) == "call 1: in_doubt, unknown; go on")
        #expect(harness.state == "awaiting, settling")
        // Nobody waits: what the other engine has left, its orphan pass sends.
        #expect(harness.take(HostEvent.lookedFree) == "lookDue in 100")
        harness.pass(100)
        harness.fire(.lookDue)
        #expect(harness.take(HostEvent.lookedBooked) == "report tag-1: booked; end")
        Self.expect(harness)
    }

    @Test func theSettlingHasAnEnd() {
        var harness = Self.awaiting()
        harness.take(.deadline(isSent: false))
        harness.pass(harness.settings.policy.settleForMilliseconds)
        #expect(harness.fire(.lookDue) == "settle: in doubt; end")
        Self.expect(harness)
    }

    // MARK: The key is lost

    @Test(arguments: [
        (ExchangePhase.recording, "lookDue in 50"), (.queued, "lookDue in 50"), (.queuedInDoubt, "lookDue in 50"),
        (.pausing, "leave the place; lookDue in 50"), (.pausingInDoubt, "leave the place; lookDue in 50"),
        (.voiding, "lookDue in 50"),
    ])
    func whoLosesTheKeyWaitsForItsEnd(_ phase: ExchangePhase, _ effects: String) {
        var harness = phase.harness()
        #expect(harness.take(HostEvent.lost) == effects)
        #expect(harness.state == "awaiting")
        // What was asked for comes late.
        #expect(harness.take(.record(.durable)) == "" && harness.take(.voided(true)) == "")
        #expect(harness.take(.pauseOver) == "")
        if harness.places > 0 { #expect(harness.take(.placeGranted) == "leave the place") }
        harness.fire(.lookDue)
        let isReplayed = [.recording, .queued, .queuedInDoubt].contains(phase)
        #expect(harness.take(HostEvent.lookedBooked) == "call 1: booked\(isReplayed ? " (replayed)" : ""); end")
        Self.expect(harness)
    }

    @Test(arguments: [ExchangePhase.attempting, .attemptingInDoubt])
    func anAnswerThatIsUnderWayCounts(_ phase: ExchangePhase) {
        for answer in [PlatformAnswer.made, .taken, .conflict, .forbidden] {
            var harness = phase.harness()
            #expect(harness.take(HostEvent.lost) == "no more is sent")
            let effects = harness.take(.answered(answer))
            if answer == .made {
                #expect(effects == "leave the place; settle: booked; call 1: booked; end")
            } else {
                #expect(effects == "leave the place; lookDue in 50" || effects.hasPrefix("pause"), "\(answer)")
            }
            Self.expect(harness, isOver: answer == .made)
        }
    }

    @Test func noNextAttemptIsMade() {
        var harness = ExchangePhase.attempting.harness()
        harness.take(HostEvent.lost)
        #expect(harness.take(.answered(.tooMany)).hasPrefix("pause"))
        #expect(harness.take(.pauseOver) == "leave the place; lookDue in 50")
        #expect(harness.take(HostEvent.lost) == "", "it has no key to lose")
        Self.expect(harness, isOver: false)
    }

    @Test(arguments: [ExchangePhase.claiming, .ended, .searchAttempting, .givingUp])
    func whoHasNoKeyLosesNone(_ phase: ExchangePhase) {
        var harness = phase.harness()
        let before = harness.state
        #expect(harness.take(HostEvent.lost) == "")
        #expect(harness.state == before)
    }

    /// A call that has left must not book when the other engine has ended.
    @Test(arguments: [
        (ExchangeEvent.cancelled(isSent: false), "cancelled"), (.deadline(isSent: false), "timeout"),
        (.stopped, "client_closed"),
    ])
    func aCallThatHasLeftEndsWhenTheKeyIsLost(_ event: ExchangeEvent, _ code: String) {
        var harness = ExchangePhase.recording.harness()
        #expect(harness.take(event) == "take back the record")
        #expect(harness.take(.recordRevoked(false)) == "void within 500")
        #expect(harness.take(HostEvent.lost) == "settle: in doubt; call 1: \(code), unknown; end")
        Self.expect(harness)
    }

    @Test func aCancelledCallEndsWhenTheKeyWasLostDuringItsAttempt() {
        var harness = ExchangePhase.abandoningCancelled.harness()
        #expect(harness.take(HostEvent.lost) == "no more is sent")
        let end = "leave the place; settle: in doubt; call 1: cancelled, unknown; end"
        #expect(harness.take(.abandoned(nil, isSent: false)) == end)
        Self.expect(harness)
    }

    /// It waits with the first one, and has its own deadline.
    @Test func aCallThatCameDuringTheVoidWaitsToo() {
        var harness = ExchangePhase.voiding.harness()
        harness.take(.joined)
        #expect(harness.take(HostEvent.lost) == "lookDue in 50")
        #expect(harness.take(.cancelled(isSent: false)) == "call 1: cancelled, unknown")
        harness.fire(.lookDue)
        #expect(harness.take(HostEvent.lookedBooked) == "call 2: booked; report tag-1: booked; end")
        Self.expect(harness)
    }

    /// Its deadline was over while the void was under way, and nobody tells it once more.
    @Test func aCallWhoseTimeIsUpDoesNotWait() {
        for settles in [true, false] {
            var policy = DeliveryPolicy.calm
            policy.settleForMilliseconds = settles ? 120_000 : 0
            var harness = ExchangePhase.voiding.harness(.init(policy: policy))
            #expect(harness.take(.deadline(isSent: false)) == "")
            #expect(harness.take(HostEvent.lost) == "lookDue in 50")
            harness.pass(50)
            let goesOn = "look; lookDue in 2000; call 1: in_doubt, unknown; go on"
            #expect(harness.fire(.lookDue) == (settles ? goesOn : Self.inDoubt))
            Self.expect(harness, isOver: !settles)
        }
    }

    /// The answer of a call that has left is none for it once another engine has the key.
    @Test func aRefusalAfterACancelIsNotToldWhenTheKeyIsLost() {
        for (answer, end) in [
            (PlatformAnswer.made, "leave the place; settle: booked; call 1: booked; end"),
            (.taken, "leave the place; settle: in doubt; call 1: cancelled, unknown; end"),
        ] {
            var harness = ExchangePhase.attempting.harness()
            harness.take(HostEvent.lost)
            #expect(harness.cancel(sentAt: harness.now, hasAnswer: true) == "abandon")
            #expect(harness.take(.abandoned(answer)) == end)
            Self.expect(harness)
        }
    }

    @Test func aCallThatCameAfterACancelBeginsAnew() {
        var harness = ExchangePhase.takingBack.harness()
        harness.take(.joined)
        harness.take(.recordRevoked(false))
        let end = "settle: in doubt; call 1: cancelled, unknown; call 2 begins anew; end"
        #expect(harness.take(HostEvent.lost) == end)
        Self.expect(harness)
    }

    @Test func aBookingThatIsReadOnlyIsLeftToTheOther() {
        var harness = ExchangePhase.voidingReading.harness()
        #expect(harness.take(HostEvent.lost) == "lookDue in 50")
        #expect(harness.fire(.lookDue) == "settle: in doubt; end")
        Self.expect(harness)
    }

    // MARK: A store that does not answer

    @Test func aBookingMayGoUnprotected() throws {
        var harness = ExchangePhase.recording.harness(Self.withoutJournal())
        #expect(harness.fire(.recordOverdue) == "take back the record")
        #expect(harness.take(.recordRevoked(false)) == "queue")
        harness.take(.placeGranted)
        harness.send()
        #expect(harness.take(.answered(.made)) == "leave the place; settle: booked; call 1: booked; end")
        #expect(try #require(harness.told.first).timing.isUnprotected)
        Self.expect(harness)
    }

    /// It is late, and a dead engine may have sent it.
    @Test func anUnprotectedBookingThatWasTakenOverIsInDoubt() {
        var harness = ExchangePhase.recording.harness(Self.withoutJournal())
        harness.fire(.recordOverdue)
        harness.take(.recordRevoked(false))
        #expect(harness.take(HostEvent.tookOver) == "")
        harness.take(.placeGranted)
        harness.send()
        #expect(harness.take(.answered(.taken)) == "pause 1000+")
        Self.expect(harness, isOver: false)
    }

    @Test func nothingGoesUnprotectedPastAnotherEngine() {
        var harness = Self.awaiting(Self.withoutJournal())
        #expect(harness.take(HostEvent.lookedFree) == "record within 2000")
        #expect(harness.fire(.recordOverdue) == "take back the record")
        #expect(harness.take(.recordRevoked(false)) == "lookDue in 50")
        #expect(harness.state == "awaiting")
        Self.expect(harness, isOver: false)
    }

    // MARK: Resuming

    @Test func aKeyThatIsNotKnownIsLookedUp() {
        for isFound in [true, false] {
            var harness = ExchangePhase.claiming.harness()
            let moment = harness.now
            let asked = harness.feed("asked") { exchange, _ in exchange.lookAsked(moment) }
            #expect(asked == "recordOverdue in 2000")
            if isFound {
                #expect(harness.feed("found") { exchange, _ in exchange.claimAgain(moment) } == "claim")
            } else {
                #expect(harness.fire(.recordOverdue) == "call 1: journal_unavailable, unknown; end")
            }
            Self.expect(harness, isOver: !isFound)
        }
    }
}
