import Testing

@testable import PartnerBooking

extension ScriptedLoop {
    /// Gives bookings up, and returns the answer.
    func giveUp(_ json: [UInt8] = Sample.giveUp()) throws -> GiveUpReply {
        let ending = Ending()
        try submit(json: json, complete: ending.handler)
        return GiveUpReply(json: try ending.result().get())
    }
}

/// A person gives up bookings in doubt, without a journal.
@Suite struct GiveUpTests {
    private func loop(
        _ ledger: LedgerStore = ScriptedLoop.ledger(), maxInFlight: Int = 16, attempts: Int = 3,
        _ script: @escaping ScriptedTransport.Script
    ) throws -> ScriptedLoop {
        try ScriptedLoop(
            ScriptedTransport(script), maxInFlight: maxInFlight, maxQueued: 4, policy: .calm, attempts: attempts,
            ledger: ledger)
    }

    private static func booking(bot: String = "bot_1", _ key: String, at start: String) -> [UInt8] {
        let text = String(decoding: Sample.booking(bot: bot, key: key), as: UTF8.self)
        return Array(text.replacing("2030-01-14T10:00:00Z", with: start).utf8)
    }

    private static func before(_ start: String, bot: String = "bot_1") -> [UInt8] {
        Array(#"{"give_up":true,"bot_id":"\#(bot)","start_before":"\#(start)"}"#.utf8)
    }

    // MARK: What goes on in the background

    @Test func aBackgroundExchangeIsStoppedAndItsDoubtGivenUp() throws {
        let (ledger, first, again) = (ScriptedLoop.ledger(), Ending(), Ending())
        let loop = try loop(ledger) { id, _ in
            id == 1 ? .never(mayHaveBeenSent: true) : .reply(201, Sample.bookingReply)
        }
        let id = try loop.submit(
            json: Sample.booking(#","conversation":"call-7""#), deadline: 400, complete: first.handler)
        #expect(try first.error().outcome == .unknown)
        #expect(ledger.pending.map(\.state) == [.inFlight] && loop.transport.record.cancelled.isEmpty)

        let reply = try loop.giveUp()
        #expect(reply.givenUp.map(\.idempotencyKey) == ["key-1"] && reply.givenUp.map(\.state) == [.inDoubt])
        #expect(reply.givenUp.map(\.conversation) == ["call-7"] && reply.kept.isEmpty && reply.isJournaled)
        #expect(loop.transport.record.cancelled == [TransferID(firstCall: id)] && loop.transport.record.attempts.count == 1)
        #expect(ledger.pending.isEmpty)

        // The key is free, for another booking too.
        try loop.submit(json: Sample.booking(bot: "bot_2"), complete: again.handler)
        #expect(try again.result() == .success(Sample.bookingReply))
        #expect(loop.transport.record.attempts.count == 2)
        loop.close()
        #expect(first.count == 1)
    }

    /// Between two asks nothing is under way.
    @Test func aBackgroundExchangeThatPausesDoesNotAskAgain() throws {
        let (ledger, ending) = (ScriptedLoop.ledger(), Ending())
        let loop = try loop(ledger, attempts: 1) { _, _ in
            .reply(504, Sample.refusal("gateway_timeout"), headers: ["Retry-After": "2"])
        }
        try loop.submit(json: Sample.booking(), deadline: 1_000, complete: ending.handler)
        #expect(try ending.error().code == .inDoubt)
        #expect(ledger.pending.map(\.state) == [.inFlight])
        #expect(try loop.giveUp().givenUp.map(\.idempotencyKey) == ["key-1"])
        // A close would wait for an exchange that goes on, and that would ask again.
        loop.close(within: 4_000)
        #expect(loop.transport.record.attempts.count == 1 && loop.transport.record.cancelled.isEmpty)
        #expect(ledger.pending.isEmpty)
    }

    /// Nobody else hears of the end: the host has decided not to wait for it.
    @Test func whatIsGivenUpIsNotReported() throws {
        let loop = try DoubtLoop { _, _ in .never(mayHaveBeenSent: true) }
        let (ending, given) = (Ending(), Ending())
        try loop.submit(deadline: 400, ending)
        #expect(try ending.error().outcome == .unknown)
        try loop.submit(json: Sample.giveUp(), given)
        #expect(try GiveUpReply(json: given.result().get()).givenUp.count == 1)
        loop.close()
        #expect(loop.settlements.isEmpty)
    }

    // MARK: What is kept

    @Test func anExchangeWithAWaitingCallIsKept() throws {
        let (ledger, ending) = (ScriptedLoop.ledger(), Ending())
        let loop = try loop(ledger) { _, _ in .reply(201, Sample.bookingReply, after: 1_500) }
        try loop.submit(json: Sample.booking(), complete: ending.handler)
        #expect(loop.transport.sees(attempts: 1))
        let reply = try loop.giveUp()
        #expect(reply.givenUp.isEmpty && reply.kept.map(\.idempotencyKey) == ["key-1"])
        #expect(reply.kept.map(\.state) == [.inFlight] && reply.isJournaled)
        #expect(ending.isEmpty && loop.transport.record.cancelled.isEmpty)
        #expect(try ending.result() == .success(Sample.bookingReply))
        loop.close()
    }

    /// It went on in the background, until the host repeated it.
    @Test func soIsOneThatACallHasJoined() throws {
        let (first, again) = (Ending(), Ending())
        let loop = try loop { _, _ in .reply(201, Sample.bookingReply, after: 2_500) }
        try loop.submit(json: Sample.booking(), deadline: 400, complete: first.handler)
        #expect(try first.error().outcome == .unknown)
        try loop.submit(json: Sample.resume(), complete: again.handler)
        let reply = try loop.giveUp()
        #expect(reply.givenUp.isEmpty && reply.kept.map(\.state) == [.inFlight])
        #expect(try again.result() == .success(Sample.bookingReply))
        #expect(loop.transport.record.cancelled.isEmpty && loop.transport.record.attempts.count == 1)
        loop.close()
    }

    /// To give up is not to hear: the end stays listed until its own completion is heard.
    @Test(
        arguments: [(201, Sample.bookingReply, .booked), (409, Sample.refusal("slot_unavailable"), .refused)]
            as [(Int, [UInt8], PendingBooking.State)])
    func anEndThatNobodyHasHeardIsKeptAndStaysListed(
        _ status: Int, _ body: [UInt8], _ state: PendingBooking.State
    ) throws {
        let (ledger, first, given) = (ScriptedLoop.ledger(), Ending(), Ending())
        let loop = try loop(ledger) { _, _ in .reply(status, body) }
        try loop.submit(json: Sample.booking(), complete: first.handler)
        _ = try first.result()
        try loop.submit(json: Sample.giveUp(), complete: given.handler)
        let reply = GiveUpReply(json: try given.result().get())
        #expect(reply.givenUp.isEmpty && reply.kept.map(\.state) == [state])
        given.acknowledge()
        #expect(ledger.pending.map(\.state) == [state])
        first.acknowledge()
        #expect(ledger.pending.isEmpty)
        loop.close()
    }

    @Test func aKeyOfWhichNothingIsKnownIsNotRecorded() throws {
        let ending = Ending()
        let loop = try loop { _, _ in .reply(201, Sample.bookingReply) }
        try loop.submit(json: Sample.giveUp(#","tag":"t-1""#), complete: ending.handler)
        let error = try ending.error()
        #expect(error.code == .notRecorded && error.outcome == .unknown && error.source == .caller)
        #expect(error.idempotencyKey == "key-1" && error.tag == "t-1" && error.attempts == 0)
        #expect(ending.completions.allSatisfy { $0.receipt == nil })
        loop.close()
        #expect(loop.transport.record.attempts.isEmpty)
    }

    // MARK: Several

    /// By the instant of their starts, however these are written.
    @Test func thoseOfABotBeforeAnInstantAreGivenUp() throws {
        let requests = [
            Self.booking("early", at: "2030-01-14T09:59:59.5Z"), Self.booking("zoned", at: "2030-01-14T11:00:00+02:00"),
            Self.booking("exact", at: "2030-01-14T12:00:00+02:00"), Self.booking("late", at: "2030-01-14T10:00:01Z"),
            Self.booking(bot: "bot_2", "other", at: "2030-01-14T08:00:00Z"),
        ]
        let ledger = try ScriptedLoop.ledger(inDoubt: requests.map { ($0, nil) })
        let loop = try loop(ledger) { _, _ in .reply(201, Sample.bookingReply, after: 1_500) }
        let ending = Ending()
        try loop.submit(json: Self.booking("waiting", at: "2030-01-14T09:00:00Z"), complete: ending.handler)
        #expect(loop.transport.sees(attempts: 1))

        let reply = try loop.giveUp(Self.before("2030-01-14T05:00:00-05:00"))
        #expect(reply.givenUp.map(\.idempotencyKey).sorted() == ["early", "zoned"])
        #expect(reply.kept.map(\.idempotencyKey) == ["waiting"])
        #expect(ledger.pending.map(\.key).sorted() == ["exact", "late", "other", "waiting"])
        #expect(try ending.result() == .success(Sample.bookingReply))
        #expect(loop.transport.record.attempts.count == 1, "nothing is sent for those")
        loop.close()
    }

    @Test func thatThereAreNoneIsNoError() throws {
        let ledger = try ScriptedLoop.ledger(inDoubt: [(Sample.booking(), nil)])
        let loop = try loop(ledger) { _, _ in .reply(201, Sample.bookingReply) }
        let reply = try loop.giveUp(Self.before("2030-01-14T10:00:00Z"))
        #expect(reply.givenUp.isEmpty && reply.kept.isEmpty && reply.isJournaled)
        #expect(ledger.pending.map(\.key) == ["key-1"])
        loop.close()
    }

    // MARK: Places

    /// All connections are busy, and a person wants to give up.
    @Test func aGiveUpWaitsForNoPlace() throws {
        let ledger = try ScriptedLoop.ledger(inDoubt: [(Sample.booking(), nil)])
        let (running, queued) = (Ending(), Ending())
        let loop = try loop(ledger, maxInFlight: 1) { _, _ in .never(mayHaveBeenSent: true) }
        try loop.submit(json: Sample.booking(key: "running"), complete: running.handler)
        try loop.submit(json: Sample.booking(key: "queued"), complete: queued.handler)
        #expect(loop.transport.sees(attempts: 1))
        #expect(try loop.giveUp().givenUp.map(\.idempotencyKey) == ["key-1"])
        #expect(running.isEmpty && queued.isEmpty)
        loop.close()
    }
}
