import Testing

@testable import PartnerBooking

/// Which failures make a service look out of order: what one platform cannot digest is no reason to refuse others (field case B5).
@Suite struct TransferLoopBreakerTests {
    private static let policy = DeliveryPolicy(
        retryTokens: 0, circuitBreaker: .init(failures: 3, openMilliseconds: 600_000), settleForMilliseconds: 0)

    /// A booking and its failures come back again and again. The breaker would open at the third.
    @Test(arguments: [
        ScriptedTransport.Step.reply(500, Sample.refusal("broken")), .reply(503, []), .failure(mayHaveBeenSent: true),
    ])
    func oneBookingsFailuresCountOnce(_ failure: ScriptedTransport.Step) throws {
        let scripted = try ScriptedLoop(
            ScriptedTransport { id, attempt in
                id == 3
                    ? .reply(200, Sample.searchReply)
                    : id == 1 || attempt < 5 ? failure : .reply(201, Sample.bookingReply)
            }, policy: Self.policy, attempts: 5)
        let (first, again, search) = (Ending(), Ending(), Ending())
        try scripted.submit(json: Sample.booking(), deadline: 1_000, complete: first.handler)
        #expect(try first.error().code == .inDoubt && first.error().attempts == 5)
        // Also in another call.
        try scripted.submit(json: Sample.booking(), complete: again.handler)
        #expect(try again.result() == .success(Sample.bookingReply))
        try scripted.submit(.searchAvailability, complete: search.handler)
        #expect(try search.result() == .success(Sample.searchReply))
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 5 + 5 + 1)
    }

    /// What a search asks for can be digested: each attempt that fails tells of the service.
    @Test func eachAttemptOfASearchCounts() throws {
        let scripted = try ScriptedLoop(.reply(503, []), policy: Self.policy)
        let (first, second) = (Ending(), Ending())
        try scripted.submit(.searchAvailability, complete: first.handler)
        #expect(try first.error().status == 503 && first.error().attempts == 3)
        try scripted.submit(.searchAvailability, complete: second.handler)
        #expect(try second.error().code == .circuitOpen)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 3)
    }

    @Test func differentBookingsFailuresOpenIt() throws {
        let scripted = try ScriptedLoop(
            ScriptedTransport { _, _ in .reply(500, Sample.refusal("broken")) }, policy: Self.policy, attempts: 1)
        for number in 1...3 {
            let ending = Ending()
            try scripted.submit(
                json: Sample.booking(key: "key-\(number)"), deadline: 1_000, complete: ending.handler)
            #expect(try ending.error().code == .inDoubt)
        }
        let (booking, search) = (Ending(), Ending())
        try scripted.submit(complete: booking.handler)
        #expect(try booking.error().code == .circuitOpen && booking.error().outcome == .notSent)
        try scripted.submit(.searchAvailability, complete: search.handler)
        #expect(try search.error().code == .circuitOpen)
        scripted.close()
        #expect(scripted.transport.record.attempts.count == 3)
    }
}
