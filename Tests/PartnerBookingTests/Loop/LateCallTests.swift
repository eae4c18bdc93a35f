import Testing

@testable import PartnerBooking

/// A call that comes while the journal is to record that a background exchange booked nothing. It waits for the end of
/// that, and then sends a new request. Nothing else ends it.
@Suite struct LateCallTests {
    /// The platform has refused a booking whose call had ended. A repeat waits for the journal.
    private func lateCall(_ late: Ending) throws -> HeldCoordinator {
        let (steps, first) = (try HeldCoordinator(answersAfter: 200), Ending())
        try steps.accept(1, Sample.booking(), deadline: 50, first)
        try steps.handOver(to: 1)
        steps.pass(100)
        #expect(try first.error().outcome == .unknown)
        sleep(milliseconds: 300)
        steps.step()
        try steps.accept(2, Sample.booking(), late)
        #expect(late.isEmpty && steps.ledger.pending.map(\.state) == [.inFlight])
        return steps
    }

    @Test func aGiveUpDoesNotTouchIt() throws {
        let (late, given) = (Ending(), Ending())
        let steps = try lateCall(late)
        try steps.accept(3, Sample.giveUp(), given)
        let reply = GiveUpReply(json: try given.result().get())
        #expect(reply.givenUp.isEmpty && reply.kept.map(\.state) == [.inFlight])
        #expect(late.isEmpty, "its host waits for it, and has not given up")
        steps.drop()
    }

    /// The oldest of too many background exchanges stop, and this one is the oldest.
    @Test func theCapOnBackgroundExchangesDoesNotTouchIt() throws {
        let late = Ending()
        let steps = try lateCall(late)
        for id in 3...10 {
            let ending = Ending()
            try steps.accept(CallTicket(id), Sample.booking(key: "key-\(id)"), deadline: 20, ending)
            try steps.handOver(to: TransferID(id))
            steps.pass(30)
            #expect(try ending.error().outcome == .unknown)
        }
        #expect(steps.ledger.pending.contains { $0.state == .inDoubt }, "some have been stopped")
        #expect(late.isEmpty, "its deadline is far away")
        steps.drop()
    }
}
