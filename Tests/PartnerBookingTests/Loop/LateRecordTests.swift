import Testing

@testable import PartnerBooking

/// A disk that takes a record when nobody waits for it any more.
@Suite struct LateRecordTests {
    /// A booking that was refused. The disk does not take that in time, so its call ends in doubt.
    private func doubt() throws -> HeldCoordinator {
        let (steps, ending) = (try HeldCoordinator(), Ending())
        try steps.accept(1, Sample.booking(#","tag":"t-1""#), ending)
        try steps.handOver(to: 1)
        steps.step()
        #expect(ending.isEmpty && steps.transport.record.attempts.count == 1)
        steps.pass(60_000)
        #expect(try ending.error().code == .inDoubt && ending.error().outcome == .unknown)
        #expect(ending.completions.allSatisfy { $0.receipt == nil })
        #expect(steps.ledger.pending.map(\.state) == [.inDoubt])
        return steps
    }

    /// The record was the only doubt, so now it is certain that nothing was booked.
    @Test func aVoidThatComesLateSettlesTheBookingAndIsReported() throws {
        let steps = try doubt()
        try steps.handOver(to: 1)
        #expect(steps.ledger.pending.map(\.state) == [.refused])
        let settlement = try #require(steps.settlements.withLock { $0.first })
        let error = try #require(settlement.result.failure)
        #expect(error.code == .notRecorded && error.outcome == .rejected)
        #expect(settlement.idempotencyKey == "key-1" && settlement.tag == "t-1" && error.tag == "t-1")
        try #require(settlement.receipt).acknowledge()
        #expect(steps.ledger.pending.isEmpty)
        steps.drop()
        #expect(steps.settlements.withLock { $0.count } == 1)
    }

    /// The void stands behind the first intent, so the repeat needs an intent of its own before it is sent.
    @Test func aRepeatBeforeThatNeedsARecordOfItsOwn() throws {
        let (steps, again) = (try doubt(), Ending())
        try steps.accept(2, Sample.booking(), again)
        #expect(steps.transport.record.attempts.count == 1, "it waits for the disk")
        try steps.handOver(to: 1)
        #expect(steps.ledger.pending.map(\.state) == [.inFlight] && again.isEmpty)
        #expect(steps.settlements.withLock { $0.isEmpty })
        try steps.handOver(to: 2)
        #expect(steps.transport.record.attempts.count == 2)
        steps.drop()
        #expect(again.count == 1)
    }

    /// A person has given it up by then: nothing comes back.
    @Test func aVoidThatComesAfterAGiveUpChangesNothing() throws {
        let (steps, given) = (try doubt(), Ending())
        try steps.accept(2, Sample.giveUp(), given)
        #expect(steps.ledger.pending.isEmpty)
        try steps.handOver(to: 1)
        #expect(steps.ledger.pending.isEmpty && steps.settlements.withLock { $0.isEmpty })
        steps.drop()
        #expect(GiveUpReply(json: try given.result().get()).givenUp.map(\.idempotencyKey) == ["key-1"])
    }
}
