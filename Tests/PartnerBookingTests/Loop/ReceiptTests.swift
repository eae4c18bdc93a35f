import Testing

@testable import PartnerBooking

/// Which completions carry a receipt, and what it acknowledges: the end of a booking, and no other.
@Suite struct ReceiptTests {
    private typealias Step = ScriptedTransport.Step

    private static let taken = Step.reply(409, Sample.refusal("slot_unavailable"))
    private static let made = Step.reply(201, Sample.bookingReply)

    /// A loop whose attempts end as the steps say, counted over all calls.
    private func loop(_ ledger: LedgerStore, _ steps: Step...) throws -> ScriptedLoop {
        let count = Counter()
        let transport = ScriptedTransport { _, _ in steps[min(count.increment(), steps.count) - 1] }
        return try ScriptedLoop(transport, policy: .calm, attempts: 1, ledger: ledger)
    }

    /// Makes one call and waits for its end.
    @discardableResult
    private func end(_ loop: ScriptedLoop, _ json: [UInt8] = Sample.booking()) throws -> (Ending, Receipt?) {
        let ending = Ending()
        try loop.submit(json: json, complete: ending.handler)
        _ = try ending.result()
        return (ending, ending.completions.last?.receipt)
    }

    // MARK: Ends

    @Test(
        arguments: [
            (made, .booked), (taken, .refused),
            (.failure(.connectFailed, mayHaveBeenSent: false, isRetryable: false), .refused),
        ] as [(ScriptedTransport.Step, PendingBooking.State)])
    func anEndIsListedUntilItIsAcknowledged(_ step: ScriptedTransport.Step, _ state: PendingBooking.State) throws {
        let ledger = ScriptedLoop.ledger()
        let loop = try loop(ledger, step)
        let receipt = try #require(try end(loop).1)
        #expect(ledger.pending.map(\.state) == [state])
        receipt.acknowledge()
        #expect(ledger.pending.isEmpty)
        receipt.acknowledge()
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    /// It is not known yet, so nobody can hear it.
    @Test(
        arguments: [.never(mayHaveBeenSent: true), .reply(504, Sample.refusal("gateway_timeout"))]
            as [ScriptedTransport.Step])
    func anUnknownOutcomeHasNoReceipt(_ step: ScriptedTransport.Step) throws {
        let (ledger, ending) = (ScriptedLoop.ledger(), Ending())
        let loop = try loop(ledger, step)
        try loop.submit(json: Sample.booking(), deadline: 500, complete: ending.handler)
        #expect(try ending.error().outcome == .unknown)
        #expect(ending.completions.count == 1 && ending.completions.allSatisfy { $0.receipt == nil })
        loop.close()
        #expect(ledger.pending.map(\.state) == [.inDoubt])
    }

    @Test func aSlowCallHasAReceiptAtItsEndOnly() throws {
        let (ledger, ending) = (ScriptedLoop.ledger(), Ending())
        let loop = try loop(ledger, .reply(201, Sample.bookingReply, after: 500))
        try loop.submit(json: Sample.booking(), slowAfter: 1, complete: ending.handler)
        _ = try ending.result()
        #expect(ending.slowCount == 1 && ending.completions.map { $0.receipt == nil } == [true, false])
        loop.close()
    }

    @Test(arguments: [200, 404])
    func aSearchHasNone(_ status: Int) throws {
        let ending = Ending()
        let loop = try loop(ScriptedLoop.ledger(), .reply(status, Sample.searchReply))
        try loop.submit(.searchAvailability, complete: ending.handler)
        _ = try ending.result()
        #expect(ending.completions.allSatisfy { $0.receipt == nil })
        loop.close()
    }

    // MARK: Several completions of one end

    @Test(arguments: [0, 1])
    func oneOfTwoTwinsIsEnough(_ number: Int) throws {
        let (ledger, twins) = (ScriptedLoop.ledger(), [Ending(), Ending()])
        let loop = try loop(ledger, .reply(201, Sample.bookingReply, after: 500))
        for twin in twins { try loop.submit(json: Sample.booking(), complete: twin.handler) }
        for twin in twins { #expect(try twin.result() == .success(Sample.bookingReply)) }
        #expect(ledger.pending.map(\.state) == [.booked])
        twins[number].acknowledge()
        #expect(ledger.pending.isEmpty)
        loop.close()
        #expect(loop.transport.record.attempts.count == 1)
    }

    @Test func aTwinThatLeftEarlyHasHeardNothing() throws {
        let (ledger, first, second) = (ScriptedLoop.ledger(), Ending(), Ending())
        let loop = try loop(ledger, .reply(201, Sample.bookingReply, after: 1_000))
        let id = try loop.submit(json: Sample.booking(), complete: first.handler)
        try loop.submit(json: Sample.booking(), complete: second.handler)
        loop.loop.cancel(id)
        #expect(try first.error().outcome == .unknown)
        #expect(try second.result() == .success(Sample.bookingReply))
        first.acknowledge()
        #expect(ledger.pending.map(\.state) == [.booked])
        second.acknowledge()
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    // MARK: The end of an earlier call

    /// Its own completion was lost: the reply is asked for once more.
    @Test(arguments: [Sample.booking(), Sample.resume()])
    func aReplayCarriesTheReceiptOfTheOldEnd(_ json: [UInt8]) throws {
        let ledger = ScriptedLoop.ledger()
        let loop = try loop(ledger, Self.made)
        let (first, _) = try end(loop)
        let (again, receipt) = try end(loop, json)
        #expect(again.completions.last?.timing.isReplayed == true)
        #expect(ledger.pending.map(\.state) == [.booked])
        try #require(receipt).acknowledge()
        #expect(ledger.pending.isEmpty)
        first.acknowledge()
        #expect(try end(loop, json).0.result() == .success(Sample.bookingReply), "it is remembered, and not listed")
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    @Test(
        arguments: [
            (taken, .rejected), (.failure(.connectFailed, mayHaveBeenSent: false, isRetryable: false), .notSent),
        ] as [(ScriptedTransport.Step, PartnerBookingError.Outcome)])
    func aResumedRefusalCarriesTheReceiptOfTheOldEnd(
        _ step: ScriptedTransport.Step, _ outcome: PartnerBookingError.Outcome
    ) throws {
        let ledger = ScriptedLoop.ledger()
        let loop = try loop(ledger, step)
        try end(loop)
        let (resumed, receipt) = try end(loop, Sample.resume())
        let error = try resumed.error()
        #expect(error.code == .notRecorded && error.outcome == outcome && error.idempotencyKey == "key-1")
        #expect(error.message.contains("not made") && error.message.contains("free"))
        #expect(ledger.pending.map(\.state) == [.refused])
        try #require(receipt).acknowledge()
        #expect(ledger.pending.isEmpty)

        // From then on nothing is known under the key.
        let (unknown, none) = try end(loop, Sample.resume())
        #expect(try unknown.error().code == .notRecorded && unknown.error().outcome == .unknown)
        #expect(none == nil)
        loop.close()
        #expect(loop.transport.record.attempts.count == 1)
    }

    /// The host repeats a refused booking before it frees the old completion.
    @Test func anOldReceiptDoesNotAcknowledgeANewEnd() throws {
        let ledger = ScriptedLoop.ledger()
        let loop = try loop(ledger, Self.taken, .reply(201, Sample.bookingReply, after: 700))
        let old = try #require(try end(loop).1)
        let ending = Ending()
        try loop.submit(json: Sample.booking(), complete: ending.handler)
        #expect(loop.transport.sees(attempts: 2))
        #expect(ledger.pending.map(\.state) == [.inFlight], "the old end is dropped")
        old.acknowledge()
        #expect(ledger.pending.map(\.state) == [.inFlight])
        #expect(try ending.result() == .success(Sample.bookingReply))
        old.acknowledge()
        #expect(ledger.pending.map(\.state) == [.booked])
        ending.acknowledge()
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    /// A refused request is not about the booking that the key belongs to.
    @Test func anotherBookingsCallAcknowledgesNothing() throws {
        let ledger = ScriptedLoop.ledger()
        let loop = try loop(ledger, Self.made)
        try end(loop)
        let (other, receipt) = try end(loop, Sample.booking(bot: "bot_2"))
        let error = try other.error()
        #expect(error.code == .idempotencyKeyReused && error.outcome == .unknown && receipt == nil)
        let start = "2030-01-14T10:00:00Z"
        #expect(error.existing == .init(state: .booked, startAt: start, bookingID: "bkg_1"))
        #expect(ledger.pending.map(\.state) == [.booked])
        loop.close()
    }

    // MARK: Reports

    /// The ledger does not care whether there was room for the report. Only hearing counts.
    @Test(arguments: [Sample.bookingReply, nil])
    func aReportCarriesTheReceiptOfItsEnd(_ reply: [UInt8]?) throws {
        let loop = try DoubtLoop { _, _ in
            reply.map { .reply(201, $0, after: 1_000) } ?? .reply(409, Sample.refusal("slot_unavailable"), after: 1_000)
        }
        let ending = Ending()
        let id = try loop.submit(ending)
        #expect(loop.transport.sees(attempts: 1))
        loop.loop.cancel(id)
        #expect(try ending.error().outcome == .unknown)
        let receipt = try #require(try loop.settlement().receipt)
        ending.acknowledge()
        #expect(loop.ledger.pending.map(\.state) == [reply == nil ? .refused : .booked])
        receipt.acknowledge()
        #expect(loop.ledger.pending.isEmpty)
        loop.close()
    }
}
